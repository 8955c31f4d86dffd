import type { Message } from 'message-service-client';

import { el, icon, iconButton, isDrawn, type Icon } from '../dom.ts';
import type { Draft, Entry } from '../store/timeline.ts';
import { excerpt, fullTime, isEmoji, timeOfDay } from '../text.ts';

/** What can be done with a message. */
export interface MessageActions {
  reply(message: Message): void;
  edit(message: Message): void;
  remove(message: Message): void;
  retry(draft: Draft): void;
  discard(draft: Draft): void;
}

/** An entry of a thread, as a user sees it. */
export interface Item extends Entry {
  readonly isOwn: boolean;
  /** Whether it is the first of several by the same user. */
  readonly isFirst: boolean;
  /** Whether the peer has read it. */
  readonly isSeen: boolean;
  /** What it replies to; null is gone, undefined not yet known. */
  readonly quoted?: Message | null | undefined;
  readonly isFound: boolean;
}

/** Draws an entry into its element, unless that shows it already. */
export function drawMessage(item: Item, actions: MessageActions | undefined, existing: HTMLElement | undefined): HTMLElement {
  const element = existing ?? el('li', { class: 'message', tabindex: -1 });
  const { message, draft, isOwn, isFirst, isSeen, quoted, isFound } = item;
  if (isDrawn(element, message, draft?.state, draft?.reason, isOwn, isFirst, isSeen, quoted === undefined, quoted, isFound)) return element;
  element.className = ['message', isOwn ? 'own' : 'theirs', isFirst && 'first', draft && !message && draft.state, message?.deletedAt && 'deleted',
    isFound && 'found'].filter(Boolean).join(' ');
  if (message) element.dataset['id'] = message.id;
  const hadFocus = element.contains(document.activeElement); // of a button that goes, as at a deletion
  element.replaceChildren(
    el('div', { class: 'bubble' }, item.message?.replyTo || draft?.replyTo ? quote(quoted) : null, body(message, draft), foot(item)),
    ...(actions ? [toolbar(item, actions)] : []),
    ...(draft && !message && draft.state === 'failed' && actions ? [failure(draft, actions)] : []),
  );
  if (hadFocus) element.focus({ preventScroll: true });
  return element;
}

function body(message: Message | undefined, draft: Draft | undefined): HTMLElement {
  if (message?.deletedAt) return el('p', { class: 'text' }, 'This message was deleted.');
  const text = message?.text ?? draft?.text ?? '';
  return el('p', { class: isEmoji(text) ? 'text emoji' : 'text', dir: 'auto' }, text);
}

function quote(quoted: Message | null | undefined): HTMLElement {
  if (!quoted || quoted.deletedAt) return el('p', { class: 'quote' }, quoted === undefined ? '…' : 'A message that was deleted');
  return el('p', { class: 'quote' }, el('b', {}, quoted.sender), ' ', el('bdi', {}, excerpt(quoted.text)));
}

/** When it was sent, whether it was edited, and how far an own message has come. */
function foot({ message, draft, isOwn, isSeen }: Item): HTMLElement {
  const time = new Date(message?.sentAt ?? draft?.at ?? 0);
  const [mark, name]: [Icon, string] = message ? isSeen ? ['checks', 'Seen'] : ['check', 'Sent'] : draft?.state === 'failed' ? ['warning', 'Not sent'] : ['clock', 'Sending'];
  return el('p', { class: 'foot' },
    message?.editedAt && !message.deletedAt ? el('span', { title: fullTime(new Date(message.editedAt)) }, 'edited') : null,
    el('time', { datetime: time.toISOString(), title: fullTime(time) }, timeOfDay(time)),
    isOwn && !message?.deletedAt ? el('span', { class: isSeen ? 'mark seen' : 'mark', title: name }, icon(mark), el('span', { class: 'unseen' }, name)) : null);
}

function toolbar({ message, isOwn }: Item, actions: MessageActions): HTMLElement {
  const buttons: HTMLElement[] = [];
  if (message && !message.deletedAt) {
    buttons.push(iconButton('reply', 'Reply', () => actions.reply(message)));
    if (isOwn) buttons.push(iconButton('edit', 'Edit', () => actions.edit(message)), confirmed('trash', 'Delete', 'Delete for both?', () => actions.remove(message)));
  }
  return el('div', { class: 'actions' }, ...buttons);
}

/** A button that asks before it does something. */
function confirmed(name: Icon, label: string, question: string, onClick: () => void): HTMLElement {
  const button = iconButton(name, label, () => {
    if (button.classList.contains('asking')) return onClick();
    button.classList.add('asking');
    button.setAttribute('aria-label', question);
    button.append(question);
  });
  button.addEventListener('blur', () => {
    button.classList.remove('asking');
    button.setAttribute('aria-label', label);
    button.replaceChildren(icon(name));
  });
  return button;
}

function failure(draft: Draft, actions: MessageActions): HTMLElement {
  return el('div', { class: 'failure', role: 'alert' },
    el('span', {}, 'Not sent. ', draft.reason ?? ''),
    el('span', {}, el('button', { type: 'button', class: 'link', on: { click: () => actions.retry(draft) } }, 'Try again'), ' ',
      el('button', { type: 'button', class: 'link', on: { click: () => actions.discard(draft) } }, 'Discard')));
}
