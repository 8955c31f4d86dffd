// Package demo makes the records of a demonstration store, as if people had used the service for
// a month: a small company with a group for all of it, a family, and a shop with customers, who write in twenty languages,
// reply, edit, delete, block and leave messages unread. It is for a first look, screenshots and
// trials.
//
// The conversations are in scripts/, which can be extended. "The end" is the time of the last
// possible message:
//
//	== alice & bob               begins a conversation between two users
//	@ 3d 09:15                   the next line happens three days before the end, at 09:15
//	@ 40m                        ... or 40 minutes before the end
//	@ +5h                        ... or five hours after the line before
//	alice: Lunch?                a message; without an @ it follows after the time to read and type
//	  Or dinner?                 a line indented by two spaces continues the text
//	  {"place": "corner"}        or is the metadata of the message
//	bob #soup: Lunch!            a message with a label
//	alice >soup: I meant soup.   a reply to the message with that label
//	bob !edited: Soup it is.     a message that was edited soon afterwards
//	bob !deleted: Oops           a message that was deleted; its text is not stored
//	* alice reads                alice reads all messages so far, as she also does when she writes
//	* alice blocks bob
//	== ~team "The team": alice & bob & ines
//	                             begins a conversation in a group, with its name, and with its members, the owner first
//	* alice adds theo            a member, who may write and read from here on
//	~ emma | noah                the names to choose from for the first user of the next conversations
//	= part: bell | lamp          the values to choose from for {part} in the next lines
//
// The same end and size always make the same store, ids included.
package demo
