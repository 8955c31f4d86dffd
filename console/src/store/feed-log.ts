import type { Change, Message } from 'message-service-client';

import { Emitter } from '../emitter.ts';

/** A change known from the answer to a send of this page, from the feed, or both. */
export interface Row {
  readonly cursor: string;
  readonly change: Omit<Change, 'cursor'>;
  /** How often the feed has delivered it. */
  deliveries: number;
  /** Whether the connection was cut when it was stored. */
  readonly whileCut: boolean;
}

/** How many changes are kept. */
const maxRows = 300;

/** Compares the messages that were stored with the changes that the feed delivered. */
export class FeedLog extends Emitter {
  readonly #rows = new Map<string, Row>();
  /** The cursor of the last delivered change. */
  cursor: string | undefined;
  /** How many changes the feed has delivered. */
  received = 0;
  /** How many of them had been delivered before. */
  repeated = 0;

  /** The changes, newest first. */
  get rows(): Row[] {
    return [...this.#rows.values()].sort((a, b) => (a.cursor < b.cursor ? 1 : -1));
  }

  /** How many stored changes are still to be delivered. */
  get waiting(): number {
    return this.#count((row) => row.cursor > (this.cursor ?? ''));
  }

  /** How many stored changes were skipped: a newer one was delivered, and cursors only grow. */
  get missed(): number {
    return this.#count((row) => row.cursor <= (this.cursor ?? ''));
  }

  /** Records a message that was stored; the cursor of a new message is its id. */
  stored(message: Message, whileCut: boolean): void {
    if (!this.#rows.has(message.id)) this.#put({ cursor: message.id, change: { type: 'message', message }, deliveries: 0, whileCut });
  }

  /** Records a change that the feed delivered. */
  delivered({ cursor, ...change }: Change): void {
    const before = this.#rows.get(cursor);
    this.received++;
    if (before && before.deliveries > 0) this.repeated++;
    this.#put({ cursor, change, deliveries: (before?.deliveries ?? 0) + 1, whileCut: before?.whileCut ?? false });
    if (cursor > (this.cursor ?? '')) this.cursor = cursor;
  }

  #put(row: Row): void {
    this.#rows.set(row.cursor, row);
    this.emit();
    if (this.#rows.size <= maxRows) return;
    const oldest = this.rows.at(-1);
    if (oldest) this.#rows.delete(oldest.cursor);
  }

  #count(holds: (row: Row) => boolean): number {
    return [...this.#rows.values()].filter((row) => row.deliveries === 0 && holds(row)).length;
  }
}
