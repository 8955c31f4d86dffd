/** Formats times, sizes and texts. */

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const clockWithSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const dayInYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const fullDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const shortFullDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

export const timeOfDay = (time: Date): string => clock.format(time);
export const exactTimeOfDay = (time: Date): string => clockWithSeconds.format(time);
export const fullTime = (time: Date): string => full.format(time);

const daysAgo = (time: Date): number => Math.round((new Date().setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / 86_400_000);

/** The label of a day, for the line between two days. */
export function day(time: Date): string {
  const ago = daysAgo(time);
  if (ago === 0) return 'Today';
  if (ago === 1) return 'Yesterday';
  return time.getFullYear() === new Date().getFullYear() ? dayInYear.format(time) : fullDay.format(time);
}

/** A short time for lists: the time of day if it is today, else the day, with the year if that is another one. */
export function shortTime(time: Date): string {
  if (daysAgo(time) === 0) return clock.format(time);
  return time.getFullYear() === new Date().getFullYear() ? shortDay.format(time) : shortFullDay.format(time);
}

/** The time in an id, which is a UUID of version 7. */
export const timeOf = (id: string): Date => new Date(parseInt(id.replace('-', '').slice(0, 12), 16));

const plain = new Intl.NumberFormat();

export const number = (value: number): string => plain.format(value);

/** How many members a group has, in words; nothing while that is not known. */
export const memberCount = (count: number | undefined): string => (count === undefined ? '' : `${number(count)} ${count === 1 ? 'member' : 'members'}`);

const largeUnits = ['bytes', 'KiB', 'MiB', 'GiB'];

/** A size in bytes, in the largest unit that gives a whole number. */
export function bytes(value: number): string {
  let unit = 0;
  while (value >= 1024 && value % 1024 === 0 && unit < largeUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${number(value)} ${largeUnits[unit]}`;
}

/** A duration in its two largest units. */
export function duration(seconds: number): string {
  const parts = [[Math.floor(seconds / 86_400), 'd'], [Math.floor(seconds / 3600) % 24, 'h'], [Math.floor(seconds / 60) % 60, 'min'], [Math.floor(seconds) % 60, 's']] as const;
  const first = parts.findIndex(([value]) => value > 0);
  return parts.slice(first, first + 2).filter(([value]) => value > 0).map(([value, unit]) => `${value} ${unit}`).join(' ') || '0 s';
}

const lists = new Intl.ListFormat('en-GB', { type: 'conjunction' });

/** Names in a sentence: at most three of them, and of how many others. `count` is how many there are, if these are not all. */
export function listed(names: readonly string[], count = names.length): string {
  const shown = count > 3 ? names.slice(0, 2) : names;
  return lists.format(count > shown.length ? [...shown, `${number(count - shown.length)} more`] : shown);
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Whether a text consists of one to three emoji. */
export function isEmoji(text: string): boolean {
  if (text.length > 40 || !/^[\p{Extended_Pictographic}\p{Emoji_Component}\s]+$/u.test(text) || !/\p{Extended_Pictographic}/u.test(text)) return false;
  return [...graphemes.segment(text.replace(/\s/g, ''))].length <= 3;
}

/** The beginning of a text on one line, for quotes and announcements. */
export function excerpt(text: string, length = 120): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > length ? `${Array.from(line).slice(0, length).join('')}…` : line;
}

/** What a JSON Pointer into a request names: one of these entries, if it ends with its place in a list, or else a member. */
export function named(pointer: string, entries: readonly string[]): string {
  return entries[Number(/\/(\d+)$/.exec(pointer)?.[1])] ?? pointer.slice(1);
}
