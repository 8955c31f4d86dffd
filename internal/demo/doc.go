// Package demo makes a store that looks as if people had used the service for a month: a small
// company, a family, and a shop with customers, who write in twenty languages, reply, edit,
// delete, block and leave things unread. It is for a first look, for screenshots and for trials.
//
// What they write is in scripts/, which is meant to be read and added to:
//
//	== alice & bob               a conversation between two users
//	@ 3d 09:15                   what follows is three days before the end, at 09:15
//	@ 40m                        ... or 40 minutes before the end
//	@ +5h                        ... or five hours after the line before
//	alice: Lunch?                a message; without an @ it comes as long after the one before
//	                             as it takes to read and type
//	  Or dinner?                 a line that begins with two spaces goes on with the text
//	  {"place": "corner"}        or is the metadata of the message
//	bob #soup: Lunch!            a message with a label, to which another one can reply:
//	alice >soup: I meant soup.
//	bob !edited: Soup it is.     one that was edited soon afterwards
//	bob !deleted: Oops           one that was deleted; the text is not stored
//	* alice reads                alice has read all so far. Who writes has done so, too.
//	* alice blocks bob
//	~ emma | noah                one of these is the first user of the conversations from here on
//	= part: bell | lamp          one of these words stands for {part} from here on
//
// The same end and size make the same store, ids included.
package demo
