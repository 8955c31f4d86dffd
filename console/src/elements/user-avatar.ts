import { el, icon } from '../dom.ts';
import { isGroup } from '../store/address.ts';

/** The number of colours, which are in the style sheet. */
const hues = 8;

/** The class of a colour that depends only on the address. */
export function hueOf(address: string): string {
  let hash = 0;
  for (const character of address) hash = (hash * 31 + character.charCodeAt(0)) % 9973;
  return `hue-${hash % hues}`;
}

/** A circle with the first letter of a user, or a square with people for a group. */
export function avatar(address: string): HTMLElement {
  if (isGroup(address)) return el('span', { class: `avatar group ${hueOf(address)}`, 'aria-hidden': 'true' }, icon('people'));
  const letter = (/[A-Za-z0-9]/.exec(address)?.[0] ?? '?').toUpperCase();
  return el('span', { class: `avatar ${hueOf(address)}`, 'aria-hidden': 'true' }, letter);
}
