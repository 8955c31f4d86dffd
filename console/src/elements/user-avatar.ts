import { el } from '../dom.ts';

/** The number of colours, which are in the style sheet. */
const hues = 8;

/** A circle with the first letter of a user, in a colour that depends only on the user id. */
export function avatar(user: string): HTMLElement {
  let hash = 0;
  for (const character of user) hash = (hash * 31 + character.charCodeAt(0)) % 9973;
  const letter = (/[A-Za-z0-9]/.exec(user)?.[0] ?? '?').toUpperCase();
  return el('span', { class: `avatar hue-${hash % hues}`, 'aria-hidden': 'true' }, letter);
}
