import { el } from '../dom.ts';
import type { Mailbox } from '../store/mailbox.ts';

const names = { connecting: 'Connecting', live: 'Live', waiting: 'No connection', refused: 'Refused' };

/** Shows whether the feed of a user is connected. */
export function connectionState({ status, reason }: Mailbox): HTMLElement {
  return el('span', { class: `state ${status}`, title: reason || 'The feed of this user' }, names[status]);
}
