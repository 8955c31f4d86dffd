import type { Conversation, Message } from 'message-service-client';

import { count, counted, withMessage, type Unread } from './unread.ts';

/** A line of an inbox. */
export interface Line extends Omit<Conversation, 'unreadCount'> {
  readonly unread: Unread;
}

/** Whether the user wants to hear nothing of a conversation for now. */
export const isMuted = ({ mutedUntil }: Line): boolean => mutedUntil !== undefined && Date.parse(mutedUntil) > Date.now();

/** Whether a conversation is in one of the lists. A mute outlives the last message of two users, and is then in none. */
export const isListed = ({ lastMessage, group }: Conversation): boolean => lastMessage !== undefined || group !== undefined;

/** How many messages are unread in conversations that are neither muted nor hidden, as in a badge. */
export const unreadIn = (lines: readonly Line[]): number => lines.filter((line) => !isMuted(line) && !line.hidden).reduce((sum, { unread }) => sum + count(unread), 0);

/** The line of a conversation, as the service has it. `before` is the line until then, which may know of later messages. */
export function lineOf({ unreadCount, ...conversation }: Conversation, before?: Line): Line {
  const { lastMessage, readMarker } = conversation;
  return { ...conversation, unread: counted(unreadCount, lastMessage?.id ?? '', readMarker?.messageId, before?.unread) };
}

/** Adjusts a line of `user` for a message that is new, edited or deleted. A newer one brings a hidden conversation back. Returns undefined if only the service knows the line. */
export function afterMessage(line: Line, message: Message, user: string): Line | undefined {
  const isDeleted = message.deletedAt !== undefined;
  const unread = message.sender === user ? line.unread : withMessage(line.unread, message.id, isDeleted);
  const last = line.lastMessage?.id ?? '';
  if (unread === undefined || (isDeleted && message.id >= last)) return undefined;
  if (message.id < last) return { ...line, unread };
  return { ...line, unread, lastMessage: message, position: message.id, hidden: line.hidden && message.id === last };
}
