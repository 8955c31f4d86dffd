import type { Highlight, Message, MessagePage } from 'message-service-client';

import { answered, explain, isTemporary } from '../answers.ts';
import { api } from '../api.ts';
import { Emitter } from '../emitter.ts';

const pageSize = 20;

/** A list of the service that is searched. */
interface Source {
  readonly page: (query: Query) => Promise<MessagePage>;
  messages: Message[];
  /** The cursor of the next page: above all ids before the first page, and none after the last. */
  next: string | undefined;
}

/** The parameters of a search in any list. */
interface Query {
  readonly q: string;
  readonly highlight: true;
  readonly limit: number;
  readonly before?: string;
}

const aboveAll = '~';

/**
 * The messages with some words that a user received or sent, or of their conversation with a peer,
 * newest first. Of all messages the service searches either those received or those sent; the
 * results are merged as far as both have been loaded.
 */
export class Search extends Emitter {
  /** Why the last page could not be loaded. */
  failure = '';
  #isRefused = false;
  readonly #words: string;
  readonly #signal: AbortSignal;
  readonly #sources: Source[];

  constructor(user: string, peer: string | undefined, words: string, signal: AbortSignal) {
    super();
    this.#words = words;
    this.#signal = signal;
    const pages = peer === undefined
      ? (['recipient', 'sender'] as const).map((side) => (query: Query) => answered(api(user).GET('/v1/messages', { params: { query: { [side]: user, ...query } }, signal })))
      : [(query: Query) => answered(api(user).GET('/v1/users/{userId}/conversations/{peerId}/messages', { params: { path: { userId: user, peerId: peer }, query }, signal }))];
    this.#sources = pages.map((page) => ({ page, messages: [], next: aboveAll }));
    void this.more();
  }

  get hasMore(): boolean {
    return !this.#isRefused && this.#sources.some(({ next }) => next !== undefined);
  }

  get messages(): Message[] {
    // Messages below the end of a list with more pages are held back: its next page may have newer ones.
    const known = this.#end();
    const all = new Map(this.#sources.flatMap(({ messages }) => messages).map((message) => [message.id, message]));
    return [...all.values()].filter(({ id }) => id >= known).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Where the words are in a message, unless it was not found or has been edited since. */
  highlights({ id, text }: Message): readonly Highlight[] {
    const found = this.#sources.flatMap(({ messages }) => messages).find((message) => message.id === id);
    return found?.text === text ? found.highlights ?? [] : [];
  }

  /** Loads more: a page may be empty though it is not the last. */
  async more(): Promise<void> {
    const before = this.messages.length;
    this.failure = '';
    try {
      while (this.hasMore && this.messages.length === before) await this.#pages();
    } catch (error) {
      this.failure = explain(error);
      this.#isRefused = !isTemporary(error);
    }
    if (!this.#signal.aborted) this.emit();
  }

  /** Loads a page of each list that holds back messages of the other. */
  async #pages(): Promise<void> {
    const end = this.#end();
    await Promise.all(this.#sources.filter(({ next }) => next === end).map(async (source) => {
      const query = { q: this.#words, highlight: true, limit: pageSize } as const;
      const page = await source.page(end === aboveAll ? query : { ...query, before: end });
      source.messages.push(...page.messages);
      source.next = page.next;
    }));
  }

  /** Down to where all lists are known; an empty text if they are known to their ends. */
  #end(): string {
    return this.#sources.map(({ next }) => next ?? '').sort().at(-1) ?? '';
  }
}
