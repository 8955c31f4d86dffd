package messaging

import "github.com/message-service/message-service/internal/db"

// The statements of lists, for the test of their plans.
var (
	SelectMessages             = selectMessages
	SelectConversationMessages = selectConversationMessages
	SelectConversations        = selectConversations
	SelectConversation         = selectConversation
	SelectNewestBetween        = selectNewestBetween
	SelectReadMarkers          = selectReadMarkers
	SelectBlocks               = selectBlocks
	SelectMessagesOf           = selectMessagesOf
	SelectMatches              = selectMatches
	SelectChanges              = engine.selectChanges
	SelectChangesOf            = engine.selectChangesOf
	SelectClocks               = selectClocks
)

// TextWords are the words of a text, as the index of Postgres has them.
var TextWords = textWords

// IsVisible reports whether a character alone can be seen.
var IsVisible = isVisible

// SortInterval is after how many messages their words are sorted in.
const SortInterval = sortInterval

// FeedLimit is a limit of so many changes, whatever they are like.
func FeedLimit(changes int) feedLimit { return feedLimit{changes, PageMaxBytes} }

// Bounds is the range of ids in a window.
func Bounds(w Window) (idRange, error) { return w.bounds() }

// WaitForWords waits until no words are being sorted in.
func (s *Service) WaitForWords() { s.engine.(*postgres).words.running.Wait() }

// Engine is what differs between the databases.
type Engine = engine

// EngineOf is what a service on a database would choose.
func EngineOf(database *db.DB) engine { return engines[database.Engine](database, true) }
