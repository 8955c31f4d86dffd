package openapi

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

// checkAccept refuses a request whose Accept header (RFC 9110, 12.5.1) accepts none of the media types
// of the operation. A request without the header accepts all.
func (op *Operation) checkAccept(request *http.Request) error {
	accept := strings.Join(request.Header.Values("Accept"), ",")
	if len(op.produces) == 0 || strings.TrimSpace(accept) == "" {
		return nil
	}
	if slices.ContainsFunc(op.produces, func(mediaType string) bool { return quality(accept, mediaType) > 0 }) {
		return nil
	}
	offered := strings.Join(op.produces, ", ")
	return &problem.Error{Kind: problem.NotAcceptable, Detail: "This operation answers with: " + offered + ".", Fields: []problem.Field{
		problem.Parameter("Accept", "leaves out "+offered),
	}}
}

// Prefers reports whether the Accept header gives one media type a higher quality than
// another.
func Prefers(header http.Header, mediaType, other string) bool {
	accept := strings.Join(header.Values("Accept"), ",")
	return quality(accept, mediaType) > quality(accept, other)
}

// quality returns the quality value, from 0 to 1, that an Accept header gives a media type: that of the
// most specific media range that matches.
func quality(accept, mediaType string) float64 {
	mainType, _, _ := strings.Cut(mediaType, "/")
	best, quality := 0, 0.0
	for member := range strings.SplitSeq(accept, ",") {
		mediaRange, parameters, err := mime.ParseMediaType(member)
		if err != nil {
			continue
		}
		specificity := map[string]int{"*/*": 1, mainType + "/*": 2, mediaType: 3}[mediaRange]
		if specificity <= best {
			continue
		}
		best, quality = specificity, 1
		if q, ok := parameters["q"]; ok {
			if quality, err = strconv.ParseFloat(q, 64); err != nil {
				quality = 1
			}
		}
	}
	return quality
}
