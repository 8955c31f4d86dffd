/**
 * The unread count of a conversation. The service counts once; from then on changes of the feed
 * adjust the count. Where they cannot, the service counts again.
 *
 * Ids sort in the order of messages, so the id of the newest message says what a count covers:
 * that message and all older ones.
 */
export interface Unread {
  /** The count of the service. */
  readonly counted: number;
  /** The newest message that the count covers. */
  readonly upTo: string;
  /** The unread messages that have come since. */
  readonly since: ReadonlySet<string>;
  /** The last message the user has read. */
  readonly marker: string;
}

/** Starts from a count of the service; keeps messages that came after it. */
export function counted(count: number, upTo: string, marker = '', before?: Unread): Unread {
  const since = new Set([...before?.since ?? []].filter((id) => id > upTo && id > marker));
  return { counted: count, upTo, since, marker };
}

/** The number of unread messages; 100 stands for 100 or more. */
export const count = (unread: Unread): number => Math.min(100, unread.counted + unread.since.size);

/** Adjusts for a message of the peer that is new, edited or deleted. Returns undefined if only the service knows the count. */
export function withMessage(unread: Unread, id: string, isDeleted: boolean): Unread | undefined {
  if (id <= unread.marker) return unread;
  if (id <= unread.upTo) return isDeleted && unread.counted > 0 ? undefined : unread;
  const since = new Set(unread.since);
  if (isDeleted) since.delete(id);
  else since.add(id);
  return { ...unread, since };
}

/** Adjusts for a read marker of the user. Returns undefined if only the service knows the count. */
export function withMarker(unread: Unread, marker: string): Unread | undefined {
  if (marker <= unread.marker) return unread;
  if (marker < unread.upTo && unread.counted > 0) return undefined;
  return { ...unread, counted: 0, marker, since: new Set([...unread.since].filter((id) => id > marker)) };
}
