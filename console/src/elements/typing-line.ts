import { el, isDrawn } from '../dom.ts';
import { listed } from '../text.ts';

/** Shows who is typing; empty if nobody is. */
export function drawTyping(line: HTMLElement, users: readonly string[]): void {
  if (isDrawn(line, users)) return;
  line.replaceChildren(...(users.length > 0 ? [el('span', { class: 'typists' }, `${listed(users)} ${users.length > 1 ? 'are' : 'is'} typing…`)] : []));
}
