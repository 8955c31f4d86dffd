import { followChanges, ProblemError, type Change, type Conversation, type Message, type ReadMarker } from 'message-service-client';

import { answered, explain } from '../answers.ts';
import { api, background } from '../api.ts';
import { Emitter } from '../emitter.ts';
import { session } from '../session.ts';
import { Thread } from './thread.ts';
import { count, counted, withMarker, withMessage, type Unread } from './unread.ts';

/** A line of an inbox. */
export interface Line extends Omit<Conversation, 'unreadCount'> {
  readonly unread: Unread;
}

/** The conversations, threads and blocks of a user, kept up to date by the user's feed. */
export class Mailbox extends Emitter {
  readonly user: string;
  status: 'connecting' | 'live' | 'waiting' | 'refused' = 'connecting';
  /** Why there is no connection. */
  reason = '';
  isLoaded = false;
  hasMore = false;
  readonly blocked = new Set<string>();
  /** Called for each new message of a peer, but not for those loaded at the start. */
  onArrival: (message: Message) => void = () => undefined;
  readonly #lines = new Map<string, Line>();
  readonly #threads = new Map<string, Thread>();
  #excerpt: Thread | undefined;
  readonly #refreshing = new Map<string, Promise<void>>(); // by peer
  readonly #marking = new Map<string, string>(); // by peer, the message up to which a read marker was sent
  readonly #stop = new AbortController();

  constructor(user: string) {
    super();
    this.user = user;
    void this.#run(this.#stop.signal);
  }

  /** Closes the feed. */
  stop(): void {
    this.#stop.abort();
  }

  /** The conversations, the one with the newest message first. */
  get conversations(): Line[] {
    return [...this.#lines.values()].sort((a, b) => (a.lastMessage.id < b.lastMessage.id ? 1 : -1));
  }

  conversation(peer: string): Line | undefined {
    return this.#lines.get(peer);
  }

  /** How many messages are unread, of one peer or of all. */
  unread(peer?: string): number {
    const lines = peer === undefined ? [...this.#lines.values()] : [this.#lines.get(peer)];
    return lines.reduce((sum, line) => sum + (line ? count(line.unread) : 0), 0);
  }

  /** The thread with a peer, starting from its newest messages. */
  thread(peer: string): Thread {
    const existing = this.#threads.get(peer);
    if (existing) return existing;
    const thread = new Thread(this.user, peer);
    this.#threads.set(peer, thread);
    if (this.isLoaded) void thread.load();
    return thread;
  }

  /** A part of the thread with a peer, around a message or at its end. It is kept up to date until the next call. */
  excerpt(peer: string, around: string | undefined): Thread {
    this.#excerpt = new Thread(this.user, peer, api);
    void this.#excerpt.load(around);
    return this.#excerpt;
  }

  /** Marks the messages of a peer as read, up to the last one received. */
  async markRead(peer: string): Promise<void> {
    const line = this.#lines.get(peer);
    if (!line || count(line.unread) === 0 || (this.#marking.get(peer) ?? '') >= line.lastMessage.id) return;
    this.#marking.set(peer, line.lastMessage.id); // any answer, even a refusal, is final for this message
    const { data } = await background(this.user).PUT('/v1/users/{userId}/conversations/{peerId}/read-marker', {
      params: { path: { userId: this.user, peerId: peer } }, body: { messageId: line.lastMessage.id },
    }).catch(() => {
      this.#marking.delete(peer); // without an answer it is sent again
      return { data: undefined };
    });
    if (data) this.#applyMarker(data);
  }

  /** Notes that a peer was blocked or unblocked. */
  setBlocked(peer: string, isBlocked: boolean): void {
    if (isBlocked) this.blocked.add(peer);
    else this.blocked.delete(peer);
    this.emit();
  }

  /** Loads a page of older conversations. */
  async loadMore(): Promise<void> {
    const last = this.conversations.at(-1);
    if (last) await this.#list(last.lastMessage.id, api);
    this.emit();
  }

  /** Applies a message that is new, edited or deleted, from the feed or from an answer. */
  apply(message: Message): void {
    const peer = message.sender === this.user ? message.recipient : message.sender;
    this.#threads.get(peer)?.apply(message);
    if (this.#excerpt?.peer === peer) this.#excerpt.apply(message);
    this.#applyToLine(peer, message);
    this.emit();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const onReady = async (): Promise<void> => {
          if (!this.isLoaded) await this.#load();
          this.#setStatus('live');
        };
        const onRetry = (reason: unknown): void => this.#setStatus('waiting', explain(reason));
        for await (const change of followChanges(background(this.user), this.user, { signal, share: true, onReady, onRetry })) this.#applyChange(change);
        return;
      } catch (error) {
        if (signal.aborted) return;
        // The cursor may be of a store that was restored from a backup: load everything again.
        this.isLoaded = false;
        for (const thread of this.#threads.values()) thread.messages = [];
        const isFinal = error instanceof ProblemError && error.problem.status < 500 && !error.problem.type.endsWith(':cursor-ahead');
        this.#setStatus(isFinal ? 'refused' : 'waiting', explain(error));
        if (isFinal) return;
        await new Promise((resolve) => { setTimeout(resolve, 2000); });
      }
    }
  }

  #setStatus(status: Mailbox['status'], reason = ''): void {
    this.status = status;
    this.reason = reason;
    this.emit();
  }

  async #load(): Promise<void> {
    this.#lines.clear();
    const path = { userId: this.user };
    const [, blocks] = await Promise.all([
      this.#list(),
      answered(background(this.user).GET('/v1/users/{userId}/blocks', { params: { path } })),
      ...[...this.#threads.values()].map((thread) => thread.load()),
    ]);
    this.blocked.clear();
    for (const { peer } of blocks.blocks) this.blocked.add(peer);
    this.isLoaded = true;
  }

  async #list(before?: string, client = background): Promise<void> {
    const query = { limit: 30, ...(before === undefined ? {} : { before }) };
    const page = await answered(client(this.user).GET('/v1/users/{userId}/conversations', { params: { path: { userId: this.user }, query } }));
    for (const conversation of page.conversations) this.#put(conversation);
    this.hasMore = page.hasMore;
  }

  #put({ unreadCount, ...conversation }: Conversation): void {
    const before = this.#lines.get(conversation.peer)?.unread;
    const unread = counted(unreadCount, conversation.lastMessage.id, conversation.readMarker?.messageId, before);
    this.#lines.set(conversation.peer, { ...conversation, unread });
  }

  #applyChange({ message, readMarker, cursor }: Change): void {
    if (message) {
      if (message.sender !== this.user && message.id === cursor) this.onArrival(message);
      this.apply(message);
    }
    if (readMarker) this.#applyMarker(readMarker);
  }

  #applyToLine(peer: string, message: Message): void {
    const line = this.#lines.get(peer);
    const isDeleted = message.deletedAt !== undefined;
    if (!line) {
      if (!isDeleted) void this.#refresh(peer);
      return;
    }
    const isOwn = message.sender === this.user;
    const unread = isOwn ? line.unread : withMessage(line.unread, message.id, isDeleted);
    const isLast = message.id >= line.lastMessage.id;
    if (unread === undefined || (isLast && isDeleted)) {
      void this.#refresh(peer);
      return;
    }
    this.#lines.set(peer, { ...line, unread, lastMessage: isLast ? message : line.lastMessage });
  }

  #applyMarker(marker: ReadMarker): void {
    const isOwn = marker.user === this.user;
    const peer = isOwn ? marker.peer : marker.user;
    const line = this.#lines.get(peer);
    if (!line) return;
    if (isOwn) {
      const unread = withMarker(line.unread, marker.messageId);
      if (unread) this.#lines.set(peer, { ...line, unread, readMarker: marker });
      else void this.#refresh(peer);
    }
    if (marker.peer === this.user && (line.peerReadMarker?.messageId ?? '') <= marker.messageId) {
      this.#lines.set(peer, { ...this.#lines.get(peer) ?? line, peerReadMarker: marker });
    }
    this.emit();
  }

  /** Requests a conversation again, where the feed does not tell its unread count or last message. */
  #refresh(peer: string): Promise<void> {
    // The request in flight may be too old for this call: the last call in line makes a new one.
    const next: Promise<void> = (this.#refreshing.get(peer) ?? Promise.resolve()).then(() => (this.#refreshing.get(peer) === next ? this.#fetchLine(peer) : undefined));
    this.#refreshing.set(peer, next);
    return next;
  }

  async #fetchLine(peer: string): Promise<void> {
    const { data, response } = await background(this.user).GET('/v1/users/{userId}/conversations/{peerId}', { params: { path: { userId: this.user, peerId: peer } } })
      .catch(() => ({ data: undefined, response: undefined }));
    if (data) this.#put(data);
    else if (response?.status === 404) this.#lines.delete(peer);
    this.emit();
  }
}

const mailboxes = new Map<string, { mailbox: Mailbox; users: number }>();

/** The mailbox of a user, until `signal` aborts. All callers share one for each user, until somebody else signs in. */
export function mailboxOf(user: string, signal: AbortSignal): Mailbox {
  const name = `${session.signIns} ${user}`;
  const shared = mailboxes.get(name) ?? { mailbox: new Mailbox(user), users: 0 };
  mailboxes.set(name, shared);
  shared.users++;
  signal.addEventListener('abort', () => {
    shared.users--;
    // It is stopped after a second, since the next screen may use it too.
    setTimeout(() => {
      if (shared.users > 0 || mailboxes.get(name) !== shared) return;
      mailboxes.delete(name);
      shared.mailbox.stop();
    }, 1000);
  }, { once: true });
  return shared.mailbox;
}
