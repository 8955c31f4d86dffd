import type { Message } from 'message-service-client';

/** Whether an address is that of a group; no user id begins with `~`. */
export const isGroup = (address: string): boolean => address.startsWith('~');

/** The address with which a user has the conversation that a message belongs to. */
export function peerOf(user: string, { sender, recipient }: Pick<Message, 'sender' | 'recipient'>): string {
  return isGroup(recipient) || sender === user ? recipient : sender;
}

/** An address for a group with a name: its words, without accents, as far as they are of Latin letters and digits. */
export function addressFor(name: string): string {
  const words = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return `~${words.join('-').slice(0, 40) || 'group'}`;
}
