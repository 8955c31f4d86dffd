import type { Message } from 'message-service-client';

import { answered, api, explain } from '../api.ts';
import { Emitter } from '../emitter.ts';

const pageSize = 20;

/** One half of a search: the messages a user received, or those they sent. */
interface Half {
  readonly side: 'recipient' | 'sender';
  messages: Message[];
  hasMore: boolean;
}

/**
 * The messages with some words that a user received or sent, newest first. The service searches
 * one of the two at a time; the results are merged as far as both have been loaded.
 */
export class Search extends Emitter {
  readonly user: string;
  readonly words: string;
  state: 'loading' | 'ready' | 'failed' = 'loading';
  reason = '';
  readonly #halves: Half[] = [{ side: 'recipient', messages: [], hasMore: true }, { side: 'sender', messages: [], hasMore: true }];

  constructor(user: string, words: string) {
    super();
    this.user = user;
    this.words = words;
    void this.more();
  }

  get hasMore(): boolean {
    return this.#halves.some(({ hasMore }) => hasMore);
  }

  get messages(): Message[] {
    // Messages older than the end of a half with more pages are held back: that half's next page may have newer ones.
    const known = this.#halves.map(({ hasMore, messages }) => (hasMore ? messages.at(-1)?.id ?? '~' : '')).sort().at(-1) ?? '';
    const all = new Map(this.#halves.flatMap(({ messages }) => messages).map((message) => [message.id, message]));
    return [...all.values()].filter(({ id }) => id >= known).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Loads another page. */
  async more(): Promise<void> {
    try {
      await Promise.all(this.#holdingBack().map((half) => this.#page(half)));
      this.state = 'ready';
    } catch (error) {
      this.state = 'failed';
      this.reason = explain(error);
    }
    this.emit();
  }

  /** The halves whose end holds back messages of the other half. */
  #holdingBack(): Half[] {
    const open = this.#halves.filter(({ hasMore }) => hasMore);
    const ends = open.map(({ messages }) => messages.at(-1)?.id ?? '~');
    const newest = [...ends].sort().at(-1);
    return open.filter((_, i) => ends[i] === newest);
  }

  async #page(half: Half): Promise<void> {
    const before = half.messages.at(-1)?.id;
    const query = { [half.side]: this.user, q: this.words, limit: pageSize, ...(before === undefined ? {} : { before }) };
    const page = await answered(api.GET('/v1/messages', { params: { query } }));
    half.messages.push(...page.messages);
    half.hasMore = page.hasMore;
  }
}
