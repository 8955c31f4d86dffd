import type { Message } from 'message-service-client';

import { answered, api, explain } from '../api.ts';
import { Emitter } from '../emitter.ts';

const pageSize = 20;

/** One direction of a search: what a user received, or sent. */
interface Half {
  readonly side: 'recipient' | 'sender';
  messages: Message[];
  hasMore: boolean;
}

/**
 * What a user received or sent that has some words, the newest first. The service searches
 * either; the two are merged as far as both are known.
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
    // Behind the end of one half there may be some that are newer than those of the other.
    const known = this.#halves.map(({ hasMore, messages }) => (hasMore ? messages.at(-1)?.id ?? '~' : '')).sort().at(-1) ?? '';
    const all = new Map(this.#halves.flatMap(({ messages }) => messages).map((message) => [message.id, message]));
    return [...all.values()].filter(({ id }) => id >= known).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Loads another page. */
  async more(): Promise<void> {
    try {
      await Promise.all(this.#behind().map((half) => this.#page(half)));
      this.state = 'ready';
    } catch (error) {
      this.state = 'failed';
      this.reason = explain(error);
    }
    this.changed();
  }

  /** The halves whose end keeps others from being shown. */
  #behind(): Half[] {
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
