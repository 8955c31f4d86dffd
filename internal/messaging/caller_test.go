package messaging

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// caller is a name for a caller: that of a user, "service" or "nobody".
func caller(name string) Caller {
	switch name {
	case "service":
		return AsService
	case "nobody":
		return AsUser("")
	}
	return AsUser(name)
}

// outcomeOf is the code of an error, and the fields at fault.
func outcomeOf(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		if err != nil {
			return err.Error()
		}
		return "ok"
	}
	outcome := string(e.Code)
	for _, field := range e.Fields {
		outcome += " " + field.Name
	}
	return outcome
}

// useCase is something that concerns alice's mailbox, or a message that she sent to bob.
type useCase struct {
	run  func(ctx context.Context, s *Service, c Caller, id ID) error
	want []string // the outcomes for callers
}

var (
	callers = []string{"service", "alice", "bob", "carl", "nobody"}

	asAlice  = []string{"ok", "ok", "forbidden userId", "forbidden userId", "forbidden userId"}
	toSee    = []string{"ok", "ok", "ok", "not found", "not found"}
	toChange = []string{"ok", "ok", "forbidden", "not found", "not found"}
)

var useCases = map[string]useCase{
	"send": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		_, _, err := s.Send(ctx, c, Draft{Sender: "alice", Recipient: "bob", Text: "x"})
		return err
	}, []string{"ok", "ok", "forbidden sender", "forbidden sender", "forbidden sender"}},
	"get": {func(ctx context.Context, s *Service, c Caller, id ID) error {
		_, err := s.Get(ctx, c, id)
		return err
	}, toSee},
	"edit": {func(ctx context.Context, s *Service, c Caller, id ID) error {
		_, err := s.Edit(ctx, c, id, Edit{Text: new("y")})
		return err
	}, toChange},
	"delete": {func(ctx context.Context, s *Service, c Caller, id ID) error {
		return s.Delete(ctx, c, id)
	}, toChange},
	"edit a deleted message": {func(ctx context.Context, s *Service, c Caller, id ID) error {
		if err := s.Delete(ctx, AsUser("alice"), id); err != nil {
			return err
		}
		_, err := s.Edit(ctx, c, id, Edit{Text: new("y")})
		return err
	}, []string{"message deleted", "message deleted", "forbidden", "not found", "not found"}},
	"list all": {listAs(Query{}), []string{
		"ok", "forbidden recipient sender", "forbidden recipient sender", "forbidden recipient sender", "forbidden recipient sender",
	}},
	"list sent": {listAs(Query{Sender: "alice"}), []string{
		"ok", "ok", "forbidden recipient sender", "forbidden recipient sender", "forbidden recipient sender",
	}},
	"list received": {listAs(Query{Recipient: "bob"}), []string{
		"ok", "forbidden recipient sender", "ok", "forbidden recipient sender", "forbidden recipient sender",
	}},
	"list": {listAs(Query{Sender: "alice", Recipient: "bob"}), []string{
		"ok", "ok", "ok", "forbidden recipient sender", "forbidden recipient sender",
	}},
	"search": {listAs(Query{Sender: "alice", Recipient: "bob", Words: "x"}), []string{
		"ok", "ok", "ok", "forbidden recipient sender", "forbidden recipient sender",
	}},
	"list conversations": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		_, err := s.ListConversations(ctx, c, "alice", InboxQuery{Limit: 1})
		return err
	}, asAlice},
	"get a conversation": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		_, err := s.GetConversation(ctx, c, "alice", "bob")
		return err
	}, asAlice},
	"list a conversation": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		_, err := s.ListConversation(ctx, c, "alice", "bob", Query{Window: Window{Limit: 1}})
		return err
	}, asAlice},
	"set a read marker": {func(ctx context.Context, s *Service, c Caller, id ID) error {
		_, err := s.SetReadMarker(ctx, c, "alice", "bob", id)
		return err
	}, asAlice},
	"type": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		_, err := s.SetTyping(ctx, c, "alice", "bob")
		return err
	}, asAlice},
	"block": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		return s.BlockUser(ctx, c, "alice", "dora")
	}, asAlice},
	"unblock": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		return s.UnblockUser(ctx, c, "alice", "dora")
	}, asAlice},
	"list blocks": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		_, err := s.ListBlocks(ctx, c, "alice", "", 1)
		return err
	}, asAlice},
	"list changes": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		_, err := s.ListChanges(ctx, c, "alice", &ID{}, 1, 1)
		return err
	}, asAlice},
	"read the cursor": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		_, err := s.ListChanges(ctx, c, "alice", nil, 1, 1)
		return err
	}, asAlice},
	"export": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		return s.ExportUser(ctx, c, "alice", func(Record) error { return nil })
	}, asAlice},
	"erase": {func(ctx context.Context, s *Service, c Caller, _ ID) error {
		return s.EraseUser(ctx, c, "alice")
	}, []string{"ok", "forbidden", "forbidden", "forbidden", "forbidden"}},
}

func listAs(query Query) func(context.Context, *Service, Caller, ID) error {
	return func(ctx context.Context, s *Service, c Caller, _ ID) error {
		query.Limit = 1
		_, err := s.List(ctx, c, query)
		return err
	}
}

// TestCallers has every caller do everything. A refusal costs at most a look at the message: it
// begins no transaction, and so takes no lock.
func TestCallers(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service, recorder := newRecorded(t, engine)
		for name, useCase := range useCases {
			for i, who := range callers {
				m, _, err := service.Send(t.Context(), AsService, Draft{Sender: "alice", Recipient: "bob", Text: "x"})
				if err != nil {
					t.Fatal(err)
				}
				var outcome string
				statements := recorder.during(func() { outcome = outcomeOf(useCase.run(t.Context(), service, caller(who), m.ID)) })
				if outcome != useCase.want[i] {
					t.Errorf("%s as %s: %s, want %s", name, who, outcome, useCase.want[i])
				}
				if name == "edit a deleted message" { // it begins by deleting it
					statements = statements[len(statements)-1:]
				}
				isRead := func(s recorded) bool { return strings.HasPrefix(s.text, "SELECT") }
				if outcome != "ok" && (len(statements) > 1 || !slices.ContainsFunc(statements, isRead) && len(statements) > 0) {
					t.Errorf("%s as %s is refused after %v", name, who, statements)
				}
			}
		}
	})
}

// TestSearchAsSender searches as the sender of messages to bob, whose mailbox has much that is not indexed
// yet: what others have sent to him takes no part in it.
func TestSearchAsSender(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service, recorder := newRecorded(t, engine)
		sendTexts(t, service, "beta", indexMessages)
		for _, to := range []string{"bob", "dora", "bob"} {
			if _, _, err := service.Send(t.Context(), AsUser("carl"), Draft{Sender: "carl", Recipient: to, Text: "beta"}); err != nil {
				t.Fatal(err)
			}
		}
		var page Page
		statements := recorder.during(func() {
			var err error
			page, err = service.List(t.Context(), AsUser("carl"), Query{Recipient: "bob", Sender: "carl", Words: "beta", Window: Window{Limit: 10}})
			if err != nil {
				t.Error(err)
			}
		})
		if len(page.Messages) != 2 || page.HasMore {
			t.Errorf("found %+v", page)
		}
		for _, s := range statements {
			if strings.Contains(s.text, "search_") && slices.Contains(s.args, any("bob")) {
				t.Errorf("it uses the index of bob: %v", s)
			}
		}
	})
}

// TestEveryUseCase has every method of a service refuse callers that are not named in its arguments, unless it acts
// for nobody.
func TestEveryUseCase(t *testing.T) {
	forNobody := []string{
		"Admit", "Close", "EraseGroups", "GroupLimits", "Index", "ListChangesOf", "ListGroupChanges", "ListMemberships", "Positions", "Ready", "Status",
	}
	service, _ := newRecorded(t, db.SQLite)
	for method, function := range reflect.ValueOf(service).Methods() {
		kind := function.Type()
		if kind.NumIn() < 2 || kind.In(1) != reflect.TypeFor[Caller]() {
			if !slices.Contains(forNobody, method.Name) {
				t.Errorf("%s has no caller", method.Name)
			}
			continue
		}
		for _, c := range []Caller{{}, AsUser("carl")} {
			args := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(c)}
			for i := len(args); i < kind.NumIn(); i++ {
				args = append(args, reflect.Zero(kind.In(i)))
			}
			results := function.Call(args)
			err, _ := reflect.TypeAssert[error](results[len(results)-1])
			if outcome, _, _ := strings.Cut(outcomeOf(err), " "); outcome != "forbidden" && outcome != "not" {
				t.Errorf("%s as %+v: %v", method.Name, c, err)
			}
		}
	}
}
