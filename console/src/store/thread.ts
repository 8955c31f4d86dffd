import type { Message, MessageService } from 'message-service-client';

import { answered, explain, isTemporary } from '../answers.ts';
import { background } from '../api.ts';
import { Emitter } from '../emitter.ts';

const pageSize = 40;
/** The most messages that a thread keeps, and so the page draws. */
const maxMessages = 400;
/** An id before that of every message. */
export const beginning = '00000000-0000-0000-0000-000000000000';

/** A contiguous part of the messages between two users, or of a group, which can be extended in both directions. */
export class Thread extends Emitter {
  readonly user: string;
  readonly peer: string;
  /** Oldest first. A message that is deleted while the thread is loaded stays, without a text. */
  messages: Message[] = [];
  state: 'loading' | 'ready' | 'failed' = 'loading';
  reason = '';
  hasOlder = false;
  hasNewer = false;
  /** The messages outside of the thread that replies refer to; null is one that was deleted. */
  readonly quoted = new Map<string, Message | null>();
  #busy: Promise<void> | undefined;
  /** What was applied during the load in flight, whose answer may be older. */
  readonly #applied = new Map<string, Message>();
  /** The load that failed for now, and is to be made again. */
  #unfinished: (() => Promise<void>) | undefined;
  readonly #client: (user: string) => MessageService;

  constructor(user: string, peer: string, client = background) {
    super();
    this.user = user;
    this.peer = peer;
    this.#client = client;
  }

  /** Loads the newest messages, or those around a message. */
  async load(around?: string): Promise<void> {
    while (this.#busy) await this.#busy; // another load in flight does not load these messages
    return this.#exclusively(async () => {
      if (around === undefined) {
        const page = await this.#page({});
        this.#replace([...page.messages].reverse(), page.hasMore, false);
        return;
      }
      const [older, newer, itself] = await Promise.all([
        this.#page({ before: around }), this.#page({ after: around }), around === beginning ? null : this.quote(around),
      ]);
      this.#replace([...older.messages.reverse(), ...itself ? [itself] : [], ...newer.messages.reverse()], older.hasMore, newer.hasMore);
    });
  }

  /** Loads what could not be loaded for now, as when there was no connection. */
  retry(): Promise<void> {
    return this.#unfinished ? this.#exclusively(this.#unfinished) : Promise.resolve();
  }

  /** Forgets all of it: the user may no longer see it. */
  close(reason: string): void {
    this.#forget({ state: 'failed', reason });
  }

  /** Loads the newest messages in place of all that is known: the user may no longer see what was there. */
  restart(): Promise<void> {
    this.#forget({ state: 'loading', reason: '' });
    return this.load();
  }

  #forget(left: Pick<Thread, 'state' | 'reason'>): void {
    const forget = (): void => {
      Object.assign(this, { messages: [], hasOlder: false, hasNewer: false, ...left });
      this.quoted.clear();
      this.#unfinished = undefined;
      this.emit();
    };
    forget();
    void this.#busy?.then(forget); // what is loaded meanwhile is forgotten, too
  }

  /** Loads a page of older messages. */
  older(): Promise<void> {
    const first = this.messages[0];
    if (!first || !this.hasOlder) return Promise.resolve();
    return this.#exclusively(async () => {
      const page = await this.#page({ before: first.id });
      const messages = [...page.messages.reverse(), ...this.messages];
      // Beyond the limit the newest are dropped; scrolling down loads them again.
      this.#replace(messages.slice(0, maxMessages), page.hasMore, this.hasNewer || messages.length > maxMessages);
    });
  }

  /** Loads a page of newer messages. */
  newer(): Promise<void> {
    const last = this.messages.at(-1);
    if (!last || !this.hasNewer) return Promise.resolve();
    return this.#exclusively(async () => {
      const page = await this.#page({ after: last.id });
      this.#replace([...this.messages, ...page.messages.reverse()], this.hasOlder, page.hasMore);
    });
  }

  /** Applies a message that is new, edited or deleted. */
  apply(message: Message): void {
    if (this.#busy) this.#applied.set(message.id, message);
    if (this.quoted.has(message.id)) this.quoted.set(message.id, message.deletedAt ? null : message);
    const place = this.messages.findIndex(({ id }) => id >= message.id);
    const isHere = place >= 0 && this.messages[place]?.id === message.id;
    if (isHere) this.messages[place] = message;
    else if (message.deletedAt || (place < 0 ? this.hasNewer : place === 0 && this.hasOlder)) return;
    else this.messages.splice(place < 0 ? this.messages.length : place, 0, message);
    this.emit();
  }

  /** Drops the oldest messages beyond the limit, when the newest are in view; scrolling up loads them again. */
  trim(): void {
    if (this.messages.length <= maxMessages) return;
    this.messages = this.messages.slice(-maxMessages / 2);
    this.hasOlder = true;
  }

  /** Finds the message that a reply refers to; null if it was deleted. */
  async quote(id: string): Promise<Message | null> {
    const known = this.messages.find((message) => message.id === id) ?? this.quoted.get(id);
    if (known !== undefined) return known;
    const { data } = await background(this.user).GET('/v1/messages/{messageId}', { params: { path: { messageId: id } } });
    this.quoted.set(id, data ?? null);
    this.emit();
    return data ?? null;
  }

  #page(query: { before?: string; after?: string }) {
    const path = { userId: this.user, peerId: this.peer };
    return answered(this.#client(this.user).GET('/v1/users/{userId}/conversations/{peerId}/messages', { params: { path, query: { ...query, limit: pageSize } } }));
  }

  #replace(messages: Message[], hasOlder: boolean, hasNewer: boolean): void {
    // Messages that the feed delivered during the request are kept.
    const last = messages.at(-1)?.id ?? '';
    const since = hasNewer ? [] : this.messages.filter(({ id }) => id > last);
    this.messages = [...messages.map((message) => this.#applied.get(message.id) ?? message), ...since];
    this.hasOlder = hasOlder;
    this.hasNewer = hasNewer;
  }

  /** Runs one load at a time; a call during a load gets that load's promise. */
  #exclusively(work: () => Promise<void>): Promise<void> {
    this.#busy ??= work().then(
      () => {
        this.state = 'ready';
        this.#unfinished = undefined;
      },
      (error: unknown) => {
        if (this.messages.length === 0) this.state = 'failed';
        this.reason = explain(error);
        this.#unfinished = this.state === 'failed' && isTemporary(error) ? work : undefined;
      },
    ).finally(() => {
      this.#busy = undefined;
      this.#applied.clear();
      this.emit();
    });
    return this.#busy;
  }
}
