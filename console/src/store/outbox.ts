import type { Message } from 'message-service-client';

import { answered, api, explain, isTemporary } from '../api.ts';
import { Emitter } from '../emitter.ts';
import { randomKey } from './key.ts';
import type { Draft } from './timeline.ts';

/**
 * What was written here and is not yet known to be stored. A draft keeps its idempotency key
 * however often it is tried, so trying again cannot make a second message.
 */
class Outbox extends Emitter {
  #drafts: Draft[] = [];
  /** The keys of drafts by the ids of the messages they became. */
  readonly sent = new Map<string, string>();
  /** Sends of one user to another go one after the other, so that they arrive in order. */
  readonly #queues = new Map<string, Promise<void>>();

  /** The drafts of a user to a peer, in the order they were written. */
  drafts(sender: string, recipient: string): Draft[] {
    return this.#drafts.filter((draft) => draft.sender === sender && draft.recipient === recipient);
  }

  /** Sends a message, and tells `stored` what the service made of it. */
  send(message: Pick<Draft, 'sender' | 'recipient' | 'text' | 'replyTo' | 'after'>, stored: (message: Message) => void): void {
    const draft: Draft = { ...message, key: randomKey(), at: Date.now(), state: 'sending' };
    this.#drafts.push(draft);
    this.#try(draft, stored);
  }

  /** Tries again to send what has failed, under its key. */
  retry(draft: Draft, stored: (message: Message) => void): void {
    if (draft.state !== 'failed' || !this.#drafts.includes(draft)) return;
    draft.state = 'sending';
    this.#try(draft, stored);
  }

  discard(draft: Draft): void {
    this.#drafts = this.#drafts.filter((other) => other !== draft);
    this.changed();
  }

  #try(draft: Draft, stored: (message: Message) => void): void {
    const queue = JSON.stringify([draft.sender, draft.recipient]);
    const before = this.#queues.get(queue) ?? Promise.resolve();
    this.#queues.set(queue, before.then(() => this.#attempt(draft, stored)));
    this.changed();
  }

  async #attempt(draft: Draft, stored: (message: Message) => void): Promise<void> {
    const { key, sender, recipient, text, replyTo } = draft;
    try {
      const message = await answered(api.POST('/v1/messages', {
        params: { header: { 'Idempotency-Key': key } },
        body: { sender, recipient, text, ...(replyTo === undefined ? {} : { replyTo }) },
      }));
      this.sent.set(message.id, key);
      stored(message);
      this.discard(draft);
    } catch (error) {
      draft.state = 'failed';
      draft.reason = explain(error);
      draft.mayRepeat = isTemporary(error);
      this.changed();
    }
  }
}

export const outbox = new Outbox();
