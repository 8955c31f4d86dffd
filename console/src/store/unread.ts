/**
 * How many messages of a peer a user has not read. The service counts; from then on the feed
 * says what to add and take away. What it cannot say, the service is asked again.
 *
 * Ids sort in the order in which messages appear, so one id says where a count was taken: it
 * holds for all that is not newer.
 */
export interface Unread {
  /** What the service counted. */
  readonly counted: number;
  /** The newest message when it did. */
  readonly upTo: string;
  /** The unread messages that have come since. */
  readonly since: ReadonlySet<string>;
  /** The last message the user has read. */
  readonly marker: string;
}

/** Begins with what the service counted. */
export function counted(count: number, upTo: string, marker = '', before?: Unread): Unread {
  const since = new Set([...before?.since ?? []].filter((id) => id > upTo && id > marker));
  return { counted: count, upTo, since, marker };
}

/** How many there are; 100 stands for 100 or more. */
export const count = (unread: Unread): number => Math.min(100, unread.counted + unread.since.size);

/** A message of the peer is new, edited or deleted. Returns undefined if only the service knows the count. */
export function withMessage(unread: Unread, id: string, isDeleted: boolean): Unread | undefined {
  if (id <= unread.marker) return unread;
  if (id <= unread.upTo) return isDeleted && unread.counted > 0 ? undefined : unread;
  const since = new Set(unread.since);
  if (isDeleted) since.delete(id);
  else since.add(id);
  return { ...unread, since };
}

/** The user has read up to a message. Returns undefined if only the service knows the count. */
export function withMarker(unread: Unread, marker: string): Unread | undefined {
  if (marker <= unread.marker) return unread;
  if (marker < unread.upTo && unread.counted > 0) return undefined;
  return { ...unread, counted: 0, marker, since: new Set([...unread.since].filter((id) => id > marker)) };
}
