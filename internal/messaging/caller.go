package messaging

// Caller is on whose behalf a use case runs. The zero value may do nothing.
//
// A user may act only as themself, and learns nothing of messages between others: a use case answers as
// if these did not exist, by the same statements.
type Caller struct {
	user    string
	service bool
}

// AsService is a backend, which may act for every user, or this server itself.
var AsService = Caller{service: true}

// AsUser is a user.
func AsUser(id string) Caller { return Caller{user: id} }

const onlyThemselves = "A user acts as themselves only; see errors."

// ActsAs returns a [Forbidden] error that names an argument, unless the caller may act as the user
// in that argument.
func (c Caller) ActsAs(user, argument string) error {
	if c.mayActAs(user) {
		return nil
	}
	return forbidden(onlyThemselves, Field{Name: argument, Detail: "must be the user of the token"})
}

// actsAsOneOf is [Caller.ActsAs] of the two users of a query.
func (c Caller) actsAsOneOf(query *Query) error {
	if c.mayActAs(query.Recipient) || c.mayActAs(query.Sender) {
		return nil
	}
	return forbidden(onlyThemselves,
		Field{Name: "recipient", Detail: "must be the user of the token, or a group of theirs"}, Field{Name: "sender", Detail: "or this one must be, instead of recipient"})
}

func (c Caller) mayActAs(user string) bool { return c.service || user != "" && user == c.user }
