import type { Message } from 'message-service-client';

import { answered, explain, isTemporary } from '../answers.ts';
import { attempts } from '../api.ts';
import { Emitter } from '../emitter.ts';
import { randomKey } from './key.ts';
import type { Draft } from './timeline.ts';

/**
 * Drafts: messages that are not known to be stored yet. A draft keeps its idempotency key across
 * attempts, so a retry cannot make a second message.
 */
class Outbox extends Emitter {
  #drafts: Draft[] = [];
  /** The keys of drafts by the ids of the messages they became. */
  readonly sent = new Map<string, string>();
  /** The last send from a user to a peer: each one waits for it, so that they are stored in order. */
  readonly #queues = new Map<string, Promise<void>>();

  /** The drafts of a user to a peer, in the order they were written. */
  drafts(sender: string, recipient: string): Draft[] {
    return this.#drafts.filter((draft) => draft.sender === sender && draft.recipient === recipient);
  }

  /** Sends a message, and calls `stored` with the message that the service has stored. */
  send(message: Pick<Draft, 'sender' | 'recipient' | 'text' | 'replyTo' | 'after'>, stored: (message: Message) => void): void {
    const draft: Draft = { ...message, key: randomKey(), at: Date.now(), state: 'sending' };
    this.#drafts.push(draft);
    this.#try(draft, stored);
  }

  /** Sends a failed draft again, with the same key. */
  retry(draft: Draft, stored: (message: Message) => void): void {
    if (draft.state !== 'failed' || !this.#drafts.includes(draft)) return;
    draft.state = 'sending';
    this.#try(draft, stored);
  }

  discard(draft: Draft): void {
    this.#drafts = this.#drafts.filter((other) => other !== draft);
    this.emit();
  }

  #try(draft: Draft, stored: (message: Message) => void): void {
    const queue = JSON.stringify([draft.sender, draft.recipient]);
    const before = this.#queues.get(queue) ?? Promise.resolve();
    this.#queues.set(queue, before.then(() => this.#attempt(draft, stored)));
    this.emit();
  }

  async #attempt(draft: Draft, stored: (message: Message) => void): Promise<void> {
    const { key, sender, recipient, text, replyTo } = draft;
    const wait = (reason: string): void => {
      draft.reason = reason;
      this.emit();
    };
    delete draft.reason;
    try {
      const message = await answered(attempts(sender, wait).POST('/v1/messages', {
        params: { header: { 'Idempotency-Key': key } },
        body: { sender, recipient, text, ...(replyTo === undefined ? {} : { replyTo }) },
      }));
      this.sent.set(message.id, key);
      stored(message);
      this.discard(draft);
    } catch (error) {
      draft.state = 'failed';
      draft.reason = explain(error);
      draft.mayRetry = isTemporary(error);
      this.emit();
    }
  }
}

export const outbox = new Outbox();
