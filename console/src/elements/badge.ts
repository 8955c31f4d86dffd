import { el } from '../dom.ts';

/** How many are unread; nothing where there are none. */
export function badge(unread: number): HTMLElement {
  return el('span', { class: 'badge', hidden: unread === 0 },
    el('span', { 'aria-hidden': 'true' }, unread >= 100 ? '99+' : unread),
    el('span', { class: 'unseen' }, ` ${unread >= 100 ? '100 or more' : unread} unread`));
}
