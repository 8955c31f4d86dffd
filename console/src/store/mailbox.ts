import { followChanges, ProblemError, type Change, type Membership, type Message, type Typing } from 'message-service-client';

import { answered, explain, isTemporary } from '../answers.ts';
import { api, background } from '../api.ts';
import { Emitter } from '../emitter.ts';
import { session } from '../session.ts';
import { isGroup, peerOf } from './address.ts';
import { Groups } from './groups.ts';
import { Inbox } from './inbox.ts';
import { Thread } from './thread.ts';
import { Typists } from './typing.ts';

/** The conversations, threads and blocks of a user, kept up to date by the user's feed. */
export class Mailbox extends Emitter {
  readonly user: string;
  status: 'connecting' | 'live' | 'waiting' | 'refused' = 'connecting';
  /** Why there is no connection. */
  reason = '';
  isLoaded = false;
  /** The conversations. */
  readonly inbox: Inbox;
  readonly groups: Groups;
  /** Who is typing. */
  readonly typing: Typists;
  readonly blocked = new Set<string>();
  /** Called for each new message of a peer, but not for those loaded at the start. */
  onArrival: (message: Message) => void = () => undefined;
  readonly #threads = new Map<string, Thread>();
  #excerpt: Thread | undefined;
  readonly #stop = new AbortController();

  constructor(user: string) {
    super();
    this.user = user;
    this.inbox = new Inbox(user, () => this.emit());
    this.groups = new Groups(user, () => this.emit());
    this.typing = new Typists(user, () => this.emit());
    void this.#run(this.#stop.signal);
  }

  /** Closes the feed. */
  stop(): void {
    this.#stop.abort();
  }

  /** What a peer is called: the name of a group, or else the address itself. */
  nameOf(peer: string): string {
    return this.groups.get(peer)?.name ?? this.inbox.line(peer)?.group?.name ?? peer;
  }

  /** The thread with a peer, starting from its newest messages. */
  thread(peer: string): Thread {
    const existing = this.#threads.get(peer);
    if (existing) return existing;
    const thread = new Thread(this.user, peer);
    this.#threads.set(peer, thread);
    if (this.isLoaded) void this.#learnFrom(thread.load(), thread);
    return thread;
  }

  /** A part of the thread with a peer, around a message or at its end. It is kept up to date until the next call. */
  excerpt(peer: string, around: string | undefined): Thread {
    this.#excerpt = new Thread(this.user, peer, api);
    void this.#learnFrom(this.#excerpt.load(around), this.#excerpt);
    return this.#excerpt;
  }

  /** Notes that a peer was blocked or unblocked. */
  setBlocked(peer: string, isBlocked: boolean): void {
    if (isBlocked) this.blocked.add(peer);
    else this.blocked.delete(peer);
    this.emit();
  }

  /** Loads a page of older conversations, or of older ones that are hidden. */
  async loadMore(isHidden: boolean): Promise<void> {
    await this.inbox.more(isHidden);
    this.emit();
  }

  /** Applies a message that is new, edited or deleted, from the feed or from an answer. */
  apply(message: Message): void {
    const peer = peerOf(this.user, message);
    this.#threads.get(peer)?.apply(message);
    if (this.#excerpt?.peer === peer) this.#excerpt.apply(message);
    this.inbox.apply(peer, message);
    this.emit();
  }

  /** The threads that are shown, or were. */
  get #open(): Thread[] {
    return [...this.#threads.values(), ...this.#excerpt ? [this.#excerpt] : []];
  }

  /** Once a thread is loaded, asks for its conversation if that is in no page of the lists so far, since it is hidden, or old. */
  async #learnFrom(loading: Promise<void>, thread: Thread): Promise<void> {
    await loading;
    const { peer, state, messages } = thread;
    const exists = messages.length > 0 || (isGroup(peer) && state === 'ready');
    if (exists && this.isLoaded && !this.inbox.line(peer)) void this.inbox.refresh(peer);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const onReady = async (): Promise<void> => {
          if (!this.isLoaded) await this.#load();
          for (const thread of this.#open) void this.#learnFrom(thread.retry(), thread);
          this.#setStatus('live');
        };
        const onRetry = (reason: unknown): void => this.#setStatus('waiting', explain(reason));
        const onTyping = ({ peer, user }: Typing): void => this.typing.heard(peer, user);
        for await (const change of followChanges(background(this.user), this.user, { signal, share: true, onReady, onRetry, onTyping })) this.#applyChange(change);
        return;
      } catch (error) {
        if (signal.aborted) return;
        // The cursor may be of a store that was restored from a backup: load everything again.
        this.isLoaded = false;
        this.groups.forget();
        for (const thread of this.#threads.values()) thread.messages = [];
        const isFinal = error instanceof ProblemError && !isTemporary(error) && !error.problem.type.endsWith(':cursor-ahead');
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
    const path = { userId: this.user };
    const [, blocks] = await Promise.all([
      this.inbox.load(),
      answered(background(this.user).GET('/v1/users/{userId}/blocks', { params: { path } })),
      ...[...this.#threads.values()].map((thread) => thread.load()),
    ]);
    this.blocked.clear();
    for (const { peer } of blocks.blocks) this.blocked.add(peer);
    this.isLoaded = true;
  }

  #applyChange({ message, readMarker, group, membership, cursor }: Change): void {
    if (message) {
      if (message.id === cursor) this.typing.ended(peerOf(this.user, message), message.sender);
      if (message.sender !== this.user && message.id === cursor) this.onArrival(message);
      this.apply(message);
    }
    if (readMarker) this.inbox.applyMarker(readMarker);
    if (group?.deletedAt) this.#leave(group.address, 'This group was deleted.');
    else if (group) this.groups.put(group);
    if (membership) this.#applyMembership(membership);
    this.emit();
  }

  #applyMembership(membership: Membership): void {
    const { group, user, state, since } = membership;
    if (user === this.user && state !== 'active') return this.#leave(group, `${user} is no longer in this group.`);
    const known = this.groups.members(group).find((member) => member.user === this.user);
    const isJoining = user === this.user && known?.since !== since; // with another role there is nothing more to see
    if (isJoining && known) this.groups.forget(group); // of what happened in it meanwhile, who has joined again is not told
    this.groups.apply(membership);
    if (!isJoining) return;
    void this.groups.open(group);
    void this.inbox.refresh(group);
    for (const thread of this.#threadsOf(group)) void thread.restart(); // who has joined again may no longer see what was before
  }

  /** The threads of a group that are loaded, or were refused. */
  #threadsOf(group: string): Thread[] {
    return [this.#threads.get(group), this.#excerpt].filter((thread): thread is Thread => thread?.peer === group);
  }

  /** Forgets a group that the user is no longer in. */
  #leave(group: string, reason: string): void {
    this.groups.forget(group);
    this.inbox.remove(group);
    for (const thread of this.#threadsOf(group)) thread.close(reason);
  }
}

const mailboxes = new Map<string, { mailbox: Mailbox; users: number }>();

/** The mailbox of a user, until `signal` aborts. All callers share one for each user, until somebody else signs in. */
export function mailboxOf(user: string, signal: AbortSignal): Mailbox {
  const { signIns } = session;
  const name = `${signIns} ${user}`;
  const shared = mailboxes.get(name) ?? { mailbox: new Mailbox(user), users: 0 };
  mailboxes.set(name, shared);
  shared.users++;
  const stop = (): void => {
    if (shared.users > 0 || mailboxes.get(name) !== shared) return;
    mailboxes.delete(name);
    shared.mailbox.stop();
  };
  signal.addEventListener('abort', () => {
    shared.users--;
    // It is stopped after a second, since the next screen may use it too, but not with the credential of another one.
    if (session.signIns === signIns) setTimeout(stop, 1000);
    else stop();
  }, { once: true });
  return shared.mailbox;
}
