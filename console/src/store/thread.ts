import type { Message, MessageService } from 'message-service-client';

import { answered, background, explain } from '../api.ts';
import { Emitter } from '../emitter.ts';

const pageSize = 40;
/** More than so many are not drawn all the time. */
const most = 400;
/** A place before every message. */
export const beginning = '00000000-0000-0000-0000-000000000000';

/** A part of what two users have written to each other, without gaps, which grows in both directions. */
export class Thread extends Emitter {
  readonly user: string;
  readonly peer: string;
  /** The oldest first; those that were deleted while we watched stay, without a text. */
  messages: Message[] = [];
  state: 'loading' | 'ready' | 'failed' = 'loading';
  reason = '';
  hasOlder = false;
  hasNewer = false;
  /** What replies refer to and is not in here; null is gone. */
  readonly quoted = new Map<string, Message | null>();
  #busy: Promise<void> | undefined;

  readonly #client: MessageService;

  constructor(user: string, peer: string, client = background) {
    super();
    this.user = user;
    this.peer = peer;
    this.#client = client;
  }

  /** Loads the newest messages, or those around a message. */
  async load(around?: string): Promise<void> {
    while (this.#busy) await this.#busy; // a page that is under way is not what is asked for here
    return this.#alone(async () => {
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

  /** Loads a page of what came before. */
  older(): Promise<void> {
    const first = this.messages[0];
    if (!first || !this.hasOlder) return Promise.resolve();
    return this.#alone(async () => {
      const page = await this.#page({ before: first.id });
      const messages = [...page.messages.reverse(), ...this.messages];
      // Who goes back far leaves the newest, far below, to be loaded again on the way down.
      this.#replace(messages.slice(0, most), page.hasMore, this.hasNewer || messages.length > most);
    });
  }

  /** Loads a page of what came after. */
  newer(): Promise<void> {
    const last = this.messages.at(-1);
    if (!last || !this.hasNewer) return Promise.resolve();
    return this.#alone(async () => {
      const page = await this.#page({ after: last.id });
      this.#replace([...this.messages, ...page.messages.reverse()], this.hasOlder, page.hasMore);
    });
  }

  /** A message is new, edited or deleted. */
  apply(message: Message): void {
    if (this.quoted.has(message.id)) this.quoted.set(message.id, message.deletedAt ? null : message);
    const place = this.messages.findIndex(({ id }) => id >= message.id);
    const isHere = place >= 0 && this.messages[place]?.id === message.id;
    if (isHere) this.messages[place] = message;
    else if (message.deletedAt || (place < 0 ? this.hasNewer : place === 0 && this.hasOlder)) return;
    else this.messages.splice(place < 0 ? this.messages.length : place, 0, message);
    this.changed();
  }

  /** Forgets the oldest messages when there are many and somebody is at the end; they are loaded again when somebody goes back to them. */
  trim(): void {
    if (this.messages.length <= most) return;
    this.messages = this.messages.slice(-most / 2);
    this.hasOlder = true;
  }

  /** Finds what a reply refers to. */
  async quote(id: string): Promise<Message | null> {
    const known = this.messages.find((message) => message.id === id) ?? this.quoted.get(id);
    if (known !== undefined) return known;
    const { data } = await background.GET('/v1/messages/{messageId}', { params: { path: { messageId: id } } });
    this.quoted.set(id, data ?? null);
    this.changed();
    return data ?? null;
  }

  #page(query: { before?: string; after?: string }) {
    const path = { userId: this.user, peerId: this.peer };
    return answered(this.#client.GET('/v1/users/{userId}/conversations/{peerId}/messages', { params: { path, query: { ...query, limit: pageSize } } }));
  }

  #replace(messages: Message[], hasOlder: boolean, hasNewer: boolean): void {
    // What the feed brought meanwhile is not forgotten.
    const last = messages.at(-1)?.id ?? '';
    const since = hasNewer ? [] : this.messages.filter(({ id }) => id > last);
    this.messages = [...messages, ...since];
    this.hasOlder = hasOlder;
    this.hasNewer = hasNewer;
  }

  /** Loads one thing at a time; whoever asks meanwhile gets that. */
  #alone(work: () => Promise<void>): Promise<void> {
    this.#busy ??= work().then(
      () => { this.state = 'ready'; },
      (error: unknown) => {
        if (this.messages.length === 0) this.state = 'failed';
        this.reason = explain(error);
      },
    ).finally(() => {
      this.#busy = undefined;
      this.changed();
    });
    return this.#busy;
  }
}
