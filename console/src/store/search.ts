import type { Highlight, Message, MessagePage } from 'message-service-client';

import { answered, explain, isTemporary } from '../answers.ts';
import { api } from '../api.ts';
import { Emitter } from '../emitter.ts';

const pageSize = 20;

/** The messages with some words that a user can see, in all conversations or in one, newest first. */
export class Search extends Emitter {
  messages: Message[] = [];
  hasMore = true;
  /** Why the last page could not be loaded. */
  failure = '';
  readonly #user: string;
  readonly #peer: string | undefined;
  readonly #words: string;
  readonly #signal: AbortSignal;
  #next: string | undefined;

  constructor(user: string, peer: string | undefined, words: string, signal: AbortSignal) {
    super();
    this.#user = user;
    this.#peer = peer;
    this.#words = words;
    this.#signal = signal;
    void this.more();
  }

  /** Where the words are in a message, unless it was not found or has been edited since. */
  highlights({ id, text }: Message): readonly Highlight[] {
    const found = this.messages.find((message) => message.id === id);
    return found?.text === text ? found.highlights ?? [] : [];
  }

  /** Loads more: a page may be empty though it is not the last. */
  async more(): Promise<void> {
    const before = this.messages.length;
    this.failure = '';
    try {
      while (this.hasMore && this.messages.length === before) {
        const page = await this.#page();
        this.messages.push(...page.messages);
        this.#next = page.next;
        this.hasMore = page.hasMore;
      }
    } catch (error) {
      this.failure = explain(error);
      this.hasMore &&= isTemporary(error);
    }
    if (!this.#signal.aborted) this.emit();
  }

  #page(): Promise<MessagePage> {
    const [userId, signal] = [this.#user, this.#signal];
    const query = { q: this.#words, highlight: true, limit: pageSize, ...(this.#next === undefined ? {} : { before: this.#next }) } as const;
    return this.#peer === undefined
      ? answered(api(userId).GET('/v1/users/{userId}/messages', { params: { path: { userId }, query }, signal }))
      : answered(api(userId).GET('/v1/users/{userId}/conversations/{peerId}/messages', { params: { path: { userId, peerId: this.#peer }, query }, signal }));
  }
}
