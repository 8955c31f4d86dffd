import type { Message } from 'message-service-client';

/** A message that is written but not known to be stored. */
export interface Draft {
  /** The idempotency key, the same for all attempts. */
  readonly key: string;
  readonly sender: string;
  readonly recipient: string;
  readonly text: string;
  readonly replyTo: string | undefined;
  readonly at: number;
  /** The newest message when it was written; the message made of it is newer. */
  readonly after: string;
  state: 'sending' | 'failed';
  /** Why it failed, or has not been sent so far. */
  reason?: string;
  /** Whether to retry without the user once there is a connection. */
  mayRetry?: boolean;
}

/** An entry of a thread: a message or a draft. */
export interface Entry {
  /** Stays the same while a draft becomes a message. */
  readonly key: string;
  readonly message?: Message;
  readonly draft?: Draft;
}

/**
 * Appends the drafts to the messages and shows none twice: the feed may deliver a message before
 * the answer to its send arrives. `sent` has the keys of answered drafts by the ids of their
 * messages. A draft without an answer is matched with a message of the same content that is newer
 * than the draft.
 */
export function timeline(messages: readonly Message[], drafts: readonly Draft[], sent: ReadonlyMap<string, string>): Entry[] {
  const keys = new Map<string, string>();
  const stored = new Set(sent.values());
  const open = drafts.filter((draft) => !stored.has(draft.key));
  const entries: Entry[] = messages.map((message) => {
    let key = sent.get(message.id);
    if (key === undefined) {
      const draft = open.find((d) => !keys.has(d.key) && isMadeOf(message, d));
      key = draft?.key;
    }
    if (key === undefined) return { key: message.id, message };
    keys.set(key, message.id);
    return { key, message };
  });
  return [...entries, ...open.filter((draft) => !keys.has(draft.key)).map((draft) => ({ key: draft.key, draft }))];
}

function isMadeOf(message: Message, draft: Draft): boolean {
  return message.id > draft.after && message.sender === draft.sender && message.recipient === draft.recipient
    && message.text === draft.text && message.replyTo === draft.replyTo;
}
