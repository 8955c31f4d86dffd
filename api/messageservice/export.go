package messageservice

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"

	"github.com/message-service/message-service/gen/client"
)

// Export yields the data of a user, record by record as it arrives: the messages they
// sent or received, oldest first, then their read markers, then their blocks. If the
// export is incomplete, the last pair has an error: a [*ProblemError] if the service
// refused it. Leaving the loop closes the connection. (The generated
// ExportUserWithResponse reads the whole export into memory.)
func Export(ctx context.Context, api client.ClientInterface, user string) iter.Seq2[client.ExportRecord, error] {
	return func(yield func(client.ExportRecord, error) bool) {
		response, err := api.ExportUser(ctx, user)
		if err != nil {
			yield(client.ExportRecord{}, err)
			return
		}
		defer response.Body.Close() //nolint:errcheck // it is read to its end, or has failed already
		if response.StatusCode != http.StatusOK {
			body, err := io.ReadAll(response.Body)
			yield(client.ExportRecord{}, cmp.Or(err, asError(response.Status, response.Header.Get("Content-Type"), body)))
			return
		}
		lines := json.NewDecoder(response.Body)
		for {
			var record client.ExportRecord
			err := lines.Decode(&record)
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("the export was cut short")
			}
			if err == nil && record.Type == client.ExportRecordTypeEnd {
				return
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}
