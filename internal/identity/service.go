package identity

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/recent"
)

// Service holds the use cases. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	now      func() time.Time
	log      *slog.Logger
	options  Options
	verifier *verifier

	state      state
	remembered *recent.Map[[sha256.Size]byte, remembered] // by the hash of the user token
	watched    watched
	uses       uses
	lookups    chan struct{} // holds one for each ticket that is looked up
	due        chan struct{} // holds one when the state is to be read at once

	pollInterval time.Duration
}

// Options adjusts a [Service].
type Options struct {
	Keys     GivenKeys // SERVICE_KEY
	Secrets  Secrets   // TOKEN_SECRETS
	Audience string    // TOKEN_AUDIENCE, of the tokens that a secret signs
	Issuer   Issuer    // OIDC_ISSUER, whose tokens are accepted too

	NotifyOff bool             // neither NOTIFY other servers of the same Postgres nor LISTEN
	Now       func() time.Time // the wall clock; time.Now if nil
	Log       *slog.Logger     // for messages to the operator; none if nil
}

// New makes a service on a migrated database, reads keys and revocations, and begins to fetch the keys of the issuer.
// [Service.Run] keeps all of them up.
func New(ctx context.Context, database *db.DB, options Options) (*Service, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	verifier, err := newVerifier(options)
	if err != nil {
		return nil, err
	}
	s := &Service{
		db:         database,
		now:        options.Now,
		log:        options.Log,
		options:    options,
		verifier:   verifier,
		state:      state{slot: make(chan struct{}, 1)},
		remembered: recent.New[[sha256.Size]byte, remembered](rememberedTokens),
		watched:    watched{streams: map[*stream]struct{}{}, due: make(chan struct{}, 1)},
		lookups:    make(chan struct{}, maxLookups),
		due:        make(chan struct{}, 1),

		pollInterval: pollInterval,
	}
	if err := s.refresh(ctx); err != nil {
		return nil, explain(err)
	}
	s.verifier.refresh() // begun before the first token, which would count as one with an unknown key
	return s, nil
}

// writeTimeout bounds a transaction.
const writeTimeout = 10 * time.Second

// signal fills a channel of capacity one, unless it is full.
func signal(sign chan<- struct{}) {
	select {
	case sign <- struct{}{}:
	default:
	}
}
