import type { Change, Message } from 'message-service-client';

import { Emitter } from '../emitter.ts';

/** A change, as far as it is known here: from the answer to what this page sent, from the feed, or both. */
export interface Row {
  readonly cursor: string;
  readonly change: Omit<Change, 'cursor'>;
  /** How often the feed has brought it. */
  deliveries: number;
  /** Whether the connection was cut when it was stored. */
  readonly waited: boolean;
}

/** As many as anybody looks back at. */
const kept = 300;

/** Keeps account of what was stored and what the feed brought, to compare them. */
export class FeedLog extends Emitter {
  readonly #rows = new Map<string, Row>();
  /** The cursor of the last change that was dealt with. */
  cursor: string | undefined;
  /** How many changes the feed has brought. */
  received = 0;
  /** How many of them had come before. */
  repeated = 0;

  /** The newest first. */
  get rows(): Row[] {
    return [...this.#rows.values()].sort((a, b) => (a.cursor < b.cursor ? 1 : -1));
  }

  /** What is stored and has yet to come. */
  get waiting(): number {
    return this.#count((row) => row.cursor > (this.cursor ?? ''));
  }

  /** What never came although something newer did: cursors only grow. */
  get missed(): number {
    return this.#count((row) => row.cursor <= (this.cursor ?? ''));
  }

  /** A message was stored, as the answer says; the cursor of a new message is its id. */
  stored(message: Message, waited: boolean): void {
    if (!this.#rows.has(message.id)) this.#put({ cursor: message.id, change: { type: 'message', message }, deliveries: 0, waited });
  }

  /** The feed brought a change. */
  delivered({ cursor, ...change }: Change): void {
    const before = this.#rows.get(cursor);
    this.received++;
    if (before && before.deliveries > 0) this.repeated++;
    this.#put({ cursor, change, deliveries: (before?.deliveries ?? 0) + 1, waited: before?.waited ?? false });
    if (cursor > (this.cursor ?? '')) this.cursor = cursor;
  }

  #put(row: Row): void {
    this.#rows.set(row.cursor, row);
    this.changed();
    if (this.#rows.size <= kept) return;
    const oldest = this.rows.at(-1);
    if (oldest) this.#rows.delete(oldest.cursor);
  }

  #count(holds: (row: Row) => boolean): number {
    return [...this.#rows.values()].filter((row) => row.deliveries === 0 && holds(row)).length;
  }
}
