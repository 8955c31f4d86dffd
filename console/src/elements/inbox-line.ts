import type { Message } from 'message-service-client';

import { el, isDrawn } from '../dom.ts';
import { excerptParts, marked } from '../marked.ts';
import type { Line } from '../store/inbox.ts';
import { count } from '../store/unread.ts';
import { excerpt, fullTime, shortTime } from '../text.ts';
import { badge } from './badge.ts';
import { avatar } from './user-avatar.ts';

/** Draws a conversation as a line of an inbox. */
export function drawConversation(line: Line, isOpen: boolean, open: () => void, existing: HTMLElement | undefined): HTMLElement {
  const unread = count(line.unread);
  return drawEntry(line.peer, line.lastMessage, isOpen, unread, open, existing);
}

/** Draws a result of a search as a line of an inbox. */
export function drawFound(user: string, message: Message, isOpen: boolean, open: () => void, existing: HTMLElement | undefined): HTMLElement {
  return drawEntry(message.sender === user ? message.recipient : message.sender, message, isOpen, 0, open, existing);
}

function drawEntry(peer: string, message: Message | undefined, isOpen: boolean, unread: number, open: () => void, existing: HTMLElement | undefined): HTMLElement {
  const item = existing ?? el('li');
  if (isDrawn(item, message, isOpen, unread)) return item;
  item.replaceChildren(el('button', { type: 'button', class: unread > 0 ? 'entry unread' : 'entry', 'aria-current': isOpen ? 'true' : false, on: { click: open } },
    avatar(peer),
    el('span', { class: 'peer' }, peer),
    ...(message ? [timeOf(message), excerptOf(peer, message)] : []),
    badge(unread)));
  return item;
}

function timeOf(message: Message): HTMLElement {
  const time = new Date(message.sentAt);
  return el('time', { datetime: message.sentAt, title: fullTime(time) }, shortTime(time));
}

/** The beginning of the text, or the words that were searched for and what is around them. */
function excerptOf(peer: string, { sender, text, highlights }: Message): HTMLElement {
  const parts = highlights ? marked(excerptParts(text, highlights, 160)) : [excerpt(text, 160)];
  return el('span', { class: 'excerpt' }, sender === peer ? null : el('span', {}, `${sender}: `), el('bdi', {}, ...parts));
}
