import { el, isDrawn } from '../dom.ts';

const names = new Intl.ListFormat('en', { type: 'conjunction' });
/** More users than these are not named. */
const named = 2;

/** Shows who is typing; empty if nobody is.  */
export function drawTyping(line: HTMLElement, users: readonly string[]): void {
  if (isDrawn(line, users)) return;
  const who = users.length > named ? [...users.slice(0, named), `${users.length - named} more`] : users;
  line.replaceChildren(...(who.length > 0 ? [el('span', { class: 'who' }, `${names.format(who)} ${users.length > 1 ? 'are' : 'is'} typing…`)] : []));
}
