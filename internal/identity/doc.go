// Package identity says who a request comes from, and for how long.
//
// A credential is a service key, a user token or a stream ticket. [Service.Authenticate] makes a [Principal]
// of a key or token, and [Service.AuthenticateTicket] of a ticket. Whether a principal may change keys, tokens and
// revocations is decided here, by each use case; what it may do with messages, in package messaging.
//
// # Ends
//
// A credential ends by its own expiry, or because somebody revokes it. Every process holds all service keys
// (by their hashes) and all revocations of tokens in memory, so that [Service.Check] takes no query:
// [Service.Run] reads what is new every second, and at once after a NOTIFY. A change locks the only row of
// identity_state until it is committed and takes the next version from it, so "rows with a version above the
// last one" misses nothing. A process that has not read for 5 seconds accepts no credential that could have
// been revoked meanwhile, which all can but [GivenKeys]; [Service.Until] ends streams by the same rule. After such a gap it reads
// everything anew.
//
// # User tokens
//
// A user token is a JWT, signed either with one of [Secrets] (HS256) or with a key of the one [Issuer] (RS256,
// ES256, EdDSA); its kid and its algorithm together choose the key. Only the signature is left to package jwt:
// header and claims are decoded strictly, by exact names and without duplicates, and the claims only after the
// signature has been verified. Nothing in a token but its subject and its times has a meaning here.
//
// # Secrets
//
// Keys and tickets are random, and only their SHA-256 is stored: they have too many bits to be guessed, so a
// slow hash would protect nothing.
package identity
