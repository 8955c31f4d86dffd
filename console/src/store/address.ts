import type { Message } from 'message-service-client';

/** Whether an address is that of a group; no user id begins with `~`. */
export const isGroup = (address: string): boolean => address.startsWith('~');

/** The address with which a user has the conversation that a message belongs to. */
export function peerOf(user: string, { sender, recipient }: Pick<Message, 'sender' | 'recipient'>): string {
  return isGroup(recipient) || sender === user ? recipient : sender;
}
