import type { Message } from 'message-service-client';

/** A message that somebody has written here, until the service has said what became of it. */
export interface Draft {
  /** The idempotency key: however often it is sent, one message is made. */
  readonly key: string;
  readonly sender: string;
  readonly recipient: string;
  readonly text: string;
  readonly replyTo: string | undefined;
  readonly at: number;
  /** The newest message there was then; the one that is made of this is newer. */
  readonly after: string;
  state: 'sending' | 'failed';
  /** Why it failed. */
  reason?: string;
  /** Whether it may do to try again without anybody's help. */
  mayRepeat?: boolean;
}

/** What stands in a thread: a message, or what is to become one. */
export interface Entry {
  /** Stays the same while a draft becomes a message. */
  readonly key: string;
  readonly message?: Message;
  readonly draft?: Draft;
}

/**
 * Puts drafts behind the messages, each of them once: the feed may bring a message before the
 * answer does to the request that sent it. `sent` has the keys of drafts by the ids of the
 * messages they became, as the answers say. For the others a message counts as theirs that is
 * the same, and newer than they are.
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
