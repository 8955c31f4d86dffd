import type { Highlight, Message } from 'message-service-client';

import { el, icon, iconButton, isDrawn, type Icon } from '../dom.ts';
import { marked, parts } from '../marked.ts';
import type { Draft, Entry } from '../store/timeline.ts';
import { isGroup } from '../store/address.ts';
import { excerpt, fullTime, isEmoji, timeOfDay } from '../text.ts';
import { confirmedButton } from './confirmed-button.ts';
import { hueOf } from './user-avatar.ts';

/** The actions on messages and drafts. */
export interface MessageActions {
  reply(message: Message): void;
  edit(message: Message): void;
  remove(message: Message): Promise<void>;
  /** Says who has read a message to a group. */
  readers(message: Message): Promise<string>;
  retry(draft: Draft): void;
  discard(draft: Draft): void;
}

/** An entry of a thread, as a user sees it. */
export interface Item extends Entry {
  readonly isOwn: boolean;
  /** Whether the user may delete it: their own, or as an admin of the group. */
  readonly mayRemove: boolean;
  /** Whether it starts a group of messages of one user. */
  readonly isFirst: boolean;
  /** Whether the peer has read it. */
  readonly isSeen: boolean;
  /** The message it replies to; null if that was deleted, undefined while it is loaded. */
  readonly quoted?: Message | null | undefined;
  readonly isFound: boolean;
  /** Where the words of a search are in its text. */
  readonly highlights: readonly Highlight[];
}

/** Draws an entry, unless its element shows the same state already. */
export function drawMessage(item: Item, actions: MessageActions | undefined, existing: HTMLElement | undefined): HTMLElement {
  const element = existing ?? el('li', { class: 'message', tabindex: -1 });
  const { message, draft, isOwn, mayRemove, isFirst, isSeen, quoted, isFound, highlights } = item;
  if (isDrawn(element, message, draft?.state, draft?.reason, isOwn, mayRemove, isFirst, isSeen, quoted === undefined, quoted, isFound, highlights)) return element;
  element.className = ['message', isOwn ? 'own' : 'theirs', isFirst && 'first', draft && !message && draft.state, message?.deletedAt && 'deleted',
    isFound && 'found'].filter(Boolean).join(' ');
  if (message) element.dataset['id'] = message.id;
  const hadFocus = element.contains(document.activeElement); // a button that is removed, as at a deletion, would lose it
  element.replaceChildren(
    el('div', { class: 'bubble' }, sender(item), item.message?.replyTo || draft?.replyTo ? quote(quoted) : null, body(item), foot(item)),
    ...(actions ? toolbar(element, item, actions) : []),
    ...(draft?.reason !== undefined && !message && actions ? [draft.state === 'failed' ? failure(draft, actions) : delay(draft.reason)] : []),
  );
  if (hadFocus) element.focus({ preventScroll: true });
  return element;
}

function body({ message, draft, highlights }: Item): HTMLElement {
  if (message?.deletedAt) return el('p', { class: 'text' }, 'This message was deleted.');
  const text = message?.text ?? draft?.text ?? '';
  return el('p', { class: isEmoji(text) ? 'text emoji' : 'text', dir: 'auto' }, ...marked(parts(text, highlights)));
}

/** Who wrote it. Of what is one's own, or of two, that is to be seen by where it stands, and is said to screen readers only. */
function sender({ message, draft, isOwn, isFirst }: Item): HTMLElement {
  const name = message?.sender ?? draft?.sender ?? '';
  if (!message || isOwn || !isFirst || !isGroup(message.recipient)) return el('p', { class: 'visually-hidden' }, `${name}:`);
  return el('p', { class: `sender ${hueOf(name)}` }, name);
}

function quote(quoted: Message | null | undefined): HTMLElement {
  if (!quoted || quoted.deletedAt) return el('p', { class: 'quote' }, quoted === undefined ? '…' : 'A message that was deleted');
  return el('p', { class: 'quote' }, el('b', {}, quoted.sender), ' ', el('bdi', {}, excerpt(quoted.text)));
}

/** The time, whether it was edited, and the state of one's own message: sending, sent, seen or failed. */
function foot({ message, draft, isOwn, isSeen }: Item): HTMLElement {
  const time = new Date(message?.sentAt ?? draft?.at ?? 0);
  const [mark, name]: [Icon, string] = message ? isSeen ? ['checks', 'Seen'] : ['check', 'Sent'] : draft?.state === 'failed' ? ['warning', 'Not sent'] : ['clock', 'Sending'];
  return el('p', { class: 'foot' },
    el('span', { class: 'readers', role: 'status' }),
    message?.editedAt && !message.deletedAt ? el('span', { title: fullTime(new Date(message.editedAt)) }, 'edited') : null,
    el('time', { datetime: time.toISOString(), title: fullTime(time) }, timeOfDay(time)),
    isOwn && !message?.deletedAt ? el('span', { class: isSeen ? 'mark seen' : 'mark', title: name }, icon(mark), el('span', { class: 'visually-hidden' }, name)) : null);
}

/** What can be done with a message, beside its bubble. */
function toolbar(element: HTMLElement, { message, isOwn, mayRemove }: Item, actions: MessageActions): HTMLElement[] {
  if (!message || message.deletedAt) return [];
  const buttons = [iconButton('reply', 'Reply', () => actions.reply(message))];
  if (isOwn) buttons.push(iconButton('edit', 'Edit', () => actions.edit(message)));
  if (isOwn && isGroup(message.recipient)) buttons.push(iconButton('checks', 'Who has read it', () => void showReaders(element, message, actions)));
  const question = isGroup(message.recipient) ? 'Delete for all?' : 'Delete for both?';
  const underWay = element.querySelector<HTMLElement>('.actions [aria-busy]');
  const remove = underWay ?? (mayRemove ? confirmedButton('trash', ['Delete', question, 'Deleting…'], () => actions.remove(message)) : null);
  return [el('div', { class: 'beside' }, el('div', { class: 'actions' }, ...buttons, remove))];
}

/** Shows who has read a message, until it is drawn anew. */
async function showReaders(element: HTMLElement, message: Message, actions: MessageActions): Promise<void> {
  const text = await actions.readers(message);
  element.querySelector('.readers')?.replaceChildren(text);
}

const delay = (reason: string): HTMLElement => el('p', { class: 'failure', role: 'status' }, `Not sent yet, but tried again. ${reason}`);

function failure(draft: Draft, actions: MessageActions): HTMLElement {
  return el('div', { class: 'failure', role: 'alert' },
    el('span', {}, 'Not sent. ', draft.reason),
    el('span', {}, el('button', { type: 'button', class: 'link', on: { click: () => actions.retry(draft) } }, 'Try again'), ' ',
      el('button', { type: 'button', class: 'link', on: { click: () => actions.discard(draft) } }, 'Discard')));
}
