package archive

import (
	"bytes"
	"encoding/hex"
	jsonv1 "encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// appendLine appends the line of a record to b; with store, it has all that an import needs.
func appendLine(b []byte, r messaging.Record, store bool) []byte {
	var changed, hidden *messaging.ID
	var key messaging.KeyRecord
	var rest []byte // what an import needs of a group or a membership
	var mutedUntil *time.Time
	switch {
	case r.Message != nil:
		b = contract.AppendMessageQuoting(append(b, `{"type":"message","message":`...), &r.Message.Message, quoteText)
		changed, key = r.Message.Changed, r.Message.KeyRecord
	case r.ReadMarker != nil:
		b = contract.AppendReadMarker(append(b, `{"type":"readMarker","readMarker":`...), r.ReadMarker)
		changed = &r.ReadMarker.Changed
	case r.Block != nil:
		b = contract.AppendBlock(append(b, `{"type":"block","block":`...), r.Block)
		changed = &r.Block.Changed
	case r.Group != nil:
		b = contract.AppendGroup(append(b, `{"type":"group","group":`...), r.Group)
		rest = appendID(nil, `,"created":`, &r.Group.Created)
		changed, key.Fingerprint = &r.Group.Changed, r.Group.Fingerprint
	case r.Settings != nil:
		b = appendConversation(b, r.Settings.Owner, r.Settings.Peer)
		mutedUntil, hidden = r.Settings.MutedUntil, r.Settings.Hidden
	case r.Erasure != nil:
		b = append(contract.AppendText(append(b, `{"type":"erasure","erasure":{"user":`...), r.Erasure.Address), '}')
		changed = &r.Erasure.Clock
	case r.Mailbox != nil:
		b = append(contract.AppendText(append(b, `{"type":"mailbox","mailbox":{"address":`...), r.Mailbox.Address), '}')
		changed = &r.Mailbox.Clock
	default:
		b = contract.AppendMembership(append(b, `{"type":"membership","membership":`...), r.Membership)
		rest = appendBeginning(nil, r.Membership)
		mutedUntil, hidden = r.Membership.MutedUntil, r.Membership.Hidden
		changed = &r.Membership.Changed
	}
	if store {
		b = append(b, rest...)
	}
	b = appendSettings(b, mutedUntil, hidden)
	if store {
		b = appendID(b, `,"changed":`, changed)
		b = appendHash(b, `,"keyHash":"`, key.Hash)
		b = appendHash(b, `,"fingerprint":"`, key.Fingerprint)
	}
	return escapeNextLine(append(b, "}\n"...))
}

// escapeNextLine escapes U+0085 in a line. Some readers take it, U+2028 and U+2029 for the end of a line: the first is
// escaped everywhere, the others only in texts, since earlier exports did not escape them in metadata and an export
// must stay the same, byte for byte.
func escapeNextLine(b []byte) []byte {
	if nextLine := []byte("\u0085"); bytes.Contains(b, nextLine) {
		b = bytes.ReplaceAll(b, nextLine, []byte(`\u0085`))
	}
	return b
}

func appendConversation(b []byte, user, peer string) []byte {
	b = contract.AppendText(append(b, `{"type":"conversation","conversation":{"user":`...), user)
	return append(contract.AppendText(append(b, `,"peer":`...), peer), '}')
}

// appendBeginning appends what an import needs of a membership.
func appendBeginning(b []byte, m *roster.Membership) []byte {
	b = appendID(b, `,"since":`, &m.Since)
	if m.VisibleFrom != (messaging.ID{}) {
		b = appendID(b, `,"visibleFrom":`, &m.VisibleFrom)
	}
	return b
}

func appendSettings(b []byte, mutedUntil *time.Time, hidden *messaging.ID) []byte {
	if mutedUntil != nil {
		b = append(mutedUntil.UTC().AppendFormat(append(b, `,"mutedUntil":"`...), time.RFC3339Nano), '"')
	}
	return appendID(b, `,"hidden":`, hidden)
}

func appendID(b []byte, name string, id *messaging.ID) []byte {
	if id == nil {
		return b
	}
	return contract.AppendID(append(b, name...), *id)
}

// quoteText writes a text as a JSON string, with escapes for U+2028 and U+2029.
func quoteText(b []byte, text string) []byte {
	start := len(b)
	b = contract.AppendText(b, text)
	if strings.Contains(text, "\u2028"[:2]) {
		b = append(b[:start], separators.Replace(string(b[start:]))...)
	}
	return b
}

var separators = strings.NewReplacer("\u2028", `\u2028`, "\u2029", `\u2029`)

func appendHash(b []byte, name string, hash []byte) []byte {
	if hash == nil {
		return b
	}
	return append(hex.AppendEncode(append(b, name...), hash), '"')
}

// lineFormats checks ids. Times are checked in toRecord: they must be those in the ids.
var lineFormats = []openapi3.SchemaValidationOption{
	openapi3.EnableFormatValidation(),
	openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
}

// parseLine decodes a line and checks it against the contract.
func parseLine(text []byte) (line server.ExportRecord, err error) {
	if err := json.Unmarshal(text, new(jsontext.Value)); err != nil {
		return line, errors.New("this is no JSON: " + err.Error())
	}
	var value any
	decoder := jsonv1.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // metadata may have numbers that fit into no type
	if err := decoder.Decode(&value); err != nil {
		return line, err
	}
	if err := contract.Document().Components.Schemas["ExportRecord"].Value.VisitJSON(value, lineFormats...); err != nil {
		return line, explain(err)
	}
	if err := json.Unmarshal(text, &line, json.RejectUnknownMembers(true)); err != nil {
		return line, err
	}
	// Not by the schema of a text to be sent: earlier versions accepted some texts that it refuses.
	if m := line.Message; m != nil && m.DeletedAt == nil && m.Text == "" {
		return line, errors.New("/message/text must not be empty")
	}
	return line, nil
}

// explain shortens a schema error to the path of the value and the reason, which the contract words for a pattern.
func explain(err error) error {
	if failure, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		reason := failure.Reason
		if rule, ok := failure.Schema.Extensions["x-rule"].(string); ok && failure.SchemaField == "pattern" {
			reason = rule
		}
		return fmt.Errorf("/%s: %s", strings.Join(failure.JSONPointer(), "/"), reason)
	}
	return err
}

// toRecord makes a record of a line. It refuses a line that contradicts itself: the record, written
// again, must be the same line.
func toRecord(text []byte, line server.ExportRecord) (messaging.Record, error) {
	var r messaging.Record
	switch {
	case line.Message != nil:
		message, err := toMessage(&line)
		if err != nil {
			return r, err
		}
		r.Message = &message
	case line.ReadMarker != nil && line.Changed != nil:
		r.ReadMarker = new(contract.ToReadMarker(line.ReadMarker, *line.Changed))
	case line.Block != nil && line.Changed != nil:
		r.Block = new(contract.ToBlock(line.Block, *line.Changed))
	case line.Group != nil && line.Created != nil && line.Changed != nil:
		group, err := toGroup(&line)
		if err != nil {
			return r, err
		}
		r.Group = &group
	case line.Conversation != nil:
		until, err := toTime(line.MutedUntil)
		if err != nil {
			return r, err
		}
		r.Settings = &messaging.ConversationSettings{
			Owner: line.Conversation.User, Peer: line.Conversation.Peer, MutedUntil: until, Hidden: (*messaging.ID)(line.Hidden),
		}
	case line.Erasure != nil && line.Changed != nil:
		r.Erasure = &messaging.Mailbox{Address: line.Erasure.User, Clock: messaging.ID(*line.Changed)}
	case line.Mailbox != nil && line.Changed != nil:
		r.Mailbox = &messaging.Mailbox{Address: line.Mailbox.Address, Clock: messaging.ID(*line.Changed)}
	case line.Membership != nil && line.Since != nil && line.Changed != nil:
		membership, err := toMembership(&line)
		if err != nil {
			return r, err
		}
		r.Membership = &membership
	default:
		return r, fmt.Errorf("a line of the type %s lacks that member, or changed, created or since", line.Type)
	}
	again := appendLine(make([]byte, 0, len(text)), r, true)
	if bytes.Equal(again, text) {
		return r, nil
	}
	var same server.ExportRecord // it may differ only in white space, escapes or the order of members
	if err := json.Unmarshal(again, &same); err != nil || !reflect.DeepEqual(line, same) {
		return r, errors.New("the line contradicts itself: its times must be those inside its ids, " +
			"and there must be nothing but what its type has")
	}
	return r, nil
}

// toMessage makes a message of a line. It also compacts the metadata of the line.
func toMessage(line *server.ExportRecord) (messaging.StoredMessage, error) {
	message, err := contract.ToMessage(line.Message, line.Changed)
	stored := messaging.StoredMessage{Message: message, KeyRecord: toKeyRecord(line)}
	if err != nil {
		return stored, err
	}
	if stored.Metadata != "" {
		line.Message.Metadata = []byte(stored.Metadata)
	}
	if stored.Deleted && stored.HasContent() {
		return stored, errors.New("a deleted message has content")
	}
	if stored.Hash == nil && stored.Fingerprint != nil || stored.Hash != nil && stored.Fingerprint == nil && !stored.Deleted {
		return stored, errors.New("the hash of an idempotency key and its fingerprint go together")
	}
	return stored, nil
}

// toGroup makes a group of a line. It also compacts the metadata of the line.
func toGroup(line *server.ExportRecord) (roster.Group, error) {
	group, err := contract.ToGroup(line.Group, *line.Created, *line.Changed)
	if err == nil && group.Metadata != "" {
		line.Group.Metadata = []byte(group.Metadata)
	}
	group.Fingerprint = fromHex(line.Fingerprint)
	return group, err
}

func toMembership(line *server.ExportRecord) (roster.Membership, error) {
	m := contract.ToMembership(line.Membership, *line.Since, *line.Changed)
	m.VisibleFrom = messaging.ID(contract.Value(line.VisibleFrom))
	m.Hidden = (*messaging.ID)(line.Hidden)
	until, err := toTime(line.MutedUntil)
	m.MutedUntil = until
	return m, err
}

// toTime parses a time, of which the store keeps microseconds.
func toTime(text *string) (*time.Time, error) {
	if text == nil {
		return nil, nil //nolint:nilnil // no time
	}
	t, err := time.Parse(time.RFC3339Nano, *text)
	if err != nil {
		return nil, errors.New("/mutedUntil: " + err.Error())
	}
	return new(t.Truncate(time.Microsecond)), nil
}

// toKeyRecord makes the record of an idempotency key of a line. A line of an earlier version has the
// key itself and a fingerprint without a key, which toKeyRecord replaces in the line.
func toKeyRecord(line *server.ExportRecord) messaging.KeyRecord {
	record := messaging.KeyRecord{Hash: fromHex(line.KeyHash), Fingerprint: fromHex(line.Fingerprint)}
	if line.IdempotencyKey == nil || line.KeyHash != nil {
		return record
	}
	record = messaging.NewKeyRecord(*line.IdempotencyKey, record.Fingerprint)
	line.IdempotencyKey, line.KeyHash, line.Fingerprint = nil, toHex(record.Hash), toHex(record.Fingerprint)
	return record
}

// fromHex decodes what the contract says is hexadecimal; nil remains nil.
func fromHex(text *string) []byte {
	if text == nil {
		return nil
	}
	bytes, _ := hex.DecodeString(*text)
	return bytes
}

// toHex encodes bytes; nil remains nil.
func toHex(bytes []byte) *string {
	if bytes == nil {
		return nil
	}
	return new(hex.EncodeToString(bytes))
}
