package messaging

// Block is a user's refusal of messages from a peer.
type Block struct {
	Owner   string
	Peer    string
	Changed ID
}

// BlockPage is a page of a user's blocks, in the order of the peers' ids.
type BlockPage struct {
	Blocks  []Block
	HasMore bool
	Next    string // if there are more: the last peer, after whom the next page begins
}

func senderBlocked() *Error {
	return &Error{Code: SenderBlocked, Message: "The recipient has blocked the sender."}
}
