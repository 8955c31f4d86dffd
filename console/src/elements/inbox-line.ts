import type { Message } from 'message-service-client';

import { el, icon, isDrawn } from '../dom.ts';
import { excerptParts, marked } from '../marked.ts';
import { isMuted, type Line } from '../store/line.ts';
import { count } from '../store/unread.ts';
import { excerpt, fullTime, shortTime } from '../text.ts';
import { badge } from './badge.ts';
import { avatar } from './user-avatar.ts';

/** Draws a conversation as a line of an inbox; `name` is what the peer is called. */
export function drawConversation(line: Line, name: string, isOpen: boolean, open: () => void, existing: HTMLElement | undefined): HTMLElement {
  return drawEntry(line.peer, name, line.lastMessage, isOpen, count(line.unread), isMuted(line), open, existing);
}

/** Draws a result of a search as a line of an inbox. */
export function drawFound(peer: string, name: string, message: Message, isOpen: boolean, open: () => void, existing: HTMLElement | undefined): HTMLElement {
  return drawEntry(peer, name, message, isOpen, 0, false, open, existing);
}

function drawEntry(peer: string, name: string, message: Message | undefined, isOpen: boolean, unread: number, isMute: boolean, open: () => void, existing: HTMLElement | undefined): HTMLElement {
  const item = existing ?? el('li');
  if (isDrawn(item, name, message, isOpen, unread, isMute)) return item;
  const time = message && new Date(message.sentAt);
  item.replaceChildren(el('button', { type: 'button', class: ['entry', unread > 0 && 'unread', isMute && 'muted'].filter(Boolean).join(' '), 'aria-current': isOpen ? 'true' : false, on: { click: open } },
    avatar(peer),
    el('bdi', { class: 'peer' }, name),
    el('span', { class: 'when' }, isMute && el('span', { class: 'mute', title: 'Muted' }, icon('bell-off'), el('span', { class: 'visually-hidden' }, 'Muted')),
      time && el('time', { datetime: message.sentAt, title: fullTime(time) }, shortTime(time))),
    el('span', { class: 'excerpt' }, ...message ? [message.sender === peer ? null : el('span', {}, `${message.sender}: `), el('bdi', {}, ...excerptOf(message))] : ['No messages yet']),
    badge(unread)));
  return item;
}

/** The beginning of the text, or the words that were searched for and what is around them. */
function excerptOf({ text, highlights }: Message): (string | HTMLElement)[] {
  return highlights ? marked(excerptParts(text, highlights, 160)) : [excerpt(text, 160)];
}
