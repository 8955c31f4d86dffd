package messaging

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/roster"
)

// boundsIn narrows a range of ids to the messages of a group that a reader may see now: those that come later are left
// out, since the reader may have left before. Errors: [NotFound] with the argument that names the group; [Unavailable].
func (s *Service) boundsIn(ctx context.Context, reader Caller, group, argument string, bounds idRange) (idRange, error) {
	var visible *idRange
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		visible, err = selectVisible(ctx, q, reader, group)
		return err
	})
	switch {
	case err != nil:
		return idRange{}, explain(err)
	case visible == nil:
		return idRange{}, noSuchGroup(argument)
	}
	return idRange{larger(bounds.low, visible.low), smaller(bounds.high, visible.high)}, nil
}

// pageRead reads a page of messages.
type pageRead func(context.Context, sqlx.QueryerContext) (Page, error)

// onlyVisible makes a read leave out messages of groups that the reader may not see any more when it ends: their texts
// may be those of edits since the reader left.
func onlyVisible(reader Caller, read pageRead) pageRead {
	return func(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
		page, err := read(ctx, q)
		if err != nil || len(page.Messages) == 0 {
			return page, err
		}
		visible := map[string]*idRange{} // in each group; nil if nothing is
		for _, m := range page.Messages {
			if _, known := visible[m.Recipient]; !roster.IsGroup(m.Recipient) || known || reader.service {
				continue
			}
			if visible[m.Recipient], err = selectVisible(ctx, q, reader, m.Recipient); err != nil {
				return Page{}, err
			}
		}
		page.Messages = slices.DeleteFunc(page.Messages, func(m Message) bool {
			in, ofGroup := visible[m.Recipient]
			return ofGroup && (in == nil || m.ID.Compare(in.low) < 0)
		})
		return page, nil
	}
}
