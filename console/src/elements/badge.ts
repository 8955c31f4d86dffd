import { el } from '../dom.ts';

/** Shows how many messages are unread; hidden if none are. */
export function badge(unread: number): HTMLElement {
  return el('span', { class: 'badge', hidden: unread === 0 },
    el('span', { 'aria-hidden': 'true' }, unread >= 100 ? '99+' : unread),
    el('span', { class: 'visually-hidden' }, ` ${unread >= 100 ? '100 or more' : unread} unread`));
}
