import type { Highlight } from 'message-service-client';

import { el } from './dom.ts';

/** From this column on, the first word is not at the beginning of an excerpt. */
const nearBeginning = 24;
/** How many columns before the first word an excerpt then begins. */
const lead = 16;
/** What is as wide as two letters. */
const wide = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u30FF\uFF01-\uFF60]/u;

/** A part of a text, and whether it is a word of a search. */
export interface Part {
  readonly text: string;
  readonly isWord: boolean;
}

/** Divides a text into words and what is between them. Highlights count code points, as arrays made of strings do. */
export function parts(text: string, highlights: readonly Highlight[], from = 0, to = Infinity): Part[] {
  const points = Array.from(text);
  const part = (start: number, end: number, isWord: boolean): Part => ({ text: points.slice(Math.max(start, from), Math.min(end, to)).join(''), isWord });
  let last = 0;
  const list = highlights.flatMap(({ start, end }) => {
    const before = part(last, start, false);
    last = end;
    return [before, part(start, end, true)];
  });
  return [...list, part(last, points.length, false)].filter((p) => p.text !== '');
}

/** The part of a text around its first word, as a line. */
export function excerptParts(text: string, highlights: readonly Highlight[], length: number): Part[] {
  const points = Array.from(text);
  const first = highlights[0]?.start ?? 0;
  let from = 0;
  if (backFrom(points, first, nearBeginning) > 0) {
    from = backFrom(points, first, lead);
    const space = points.indexOf(' ', from);
    if (space >= 0 && space < backFrom(points, first, lead / 2)) from = space + 1;
  }
  const cut = (isCut: boolean): Part[] => (isCut ? [{ text: '…', isWord: false }] : []);
  return [...cut(from > 0), ...parts(text, highlights, from, from + length), ...cut(from + length < points.length)];
}

/** Where the code points begin that fill at most so many columns before another one. */
function backFrom(points: readonly string[], end: number, columns: number): number {
  let start = end;
  for (let left = columns; start > 0; start--) {
    left -= wide.test(points[start - 1] ?? '') ? 2 : 1;
    if (left < 0) break;
  }
  return start;
}

/** Draws the words of a search as marks. */
export function marked(list: readonly Part[]): (string | HTMLElement)[] {
  return list.map(({ text, isWord }) => (isWord ? el('mark', {}, text) : text));
}
