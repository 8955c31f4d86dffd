import type { Conversation, Message, ReadMarker, UpdateConversationRequest } from 'message-service-client';

import { answered } from '../answers.ts';
import { api, background } from '../api.ts';
import { afterMessage, isListed, lineOf, unreadIn, type Line } from './line.ts';
import { count, withMarker } from './unread.ts';

/** How far a list of conversations is loaded. */
interface Pages {
  isLoaded: boolean;
  hasMore: boolean;
  next?: string | undefined;
}

/** The conversations of a user with users and groups. What it is told of the feed adjusts them; where that does not say enough, it asks the service. */
export class Inbox {
  readonly #shown: Pages = { isLoaded: false, hasMore: false };
  readonly #hidden: Pages = { isLoaded: false, hasMore: false };
  readonly #user: string;
  readonly #changed: () => void;
  readonly #lines = new Map<string, Line>();
  readonly #refreshing = new Map<string, Promise<void>>(); // by peer
  readonly #marking = new Map<string, string>(); // by peer, the message up to which a read marker was sent

  /** `changed` is called when a line has changed after an answer of the service. */
  constructor(user: string, changed: () => void) {
    this.#user = user;
    this.#changed = changed;
  }

  /** The conversations that are not hidden, or those that are, the one with the newest message first. */
  lines(isHidden = false): Line[] {
    return [...this.#lines.values()].filter(({ hidden }) => hidden === isHidden).sort((a, b) => (a.position < b.position ? 1 : -1));
  }

  /** How far they are loaded. */
  pages(isHidden = false): Readonly<Pages> {
    return isHidden ? this.#hidden : this.#shown;
  }

  line(peer: string): Line | undefined {
    return this.#lines.get(peer);
  }

  /** How many messages are unread, of one peer, or of all that are neither muted nor hidden. */
  unread(peer?: string): number {
    if (peer === undefined) return unreadIn([...this.#lines.values()]);
    const line = this.#lines.get(peer);
    return line ? count(line.unread) : 0;
  }

  /** Loads the newest conversations anew, and the hidden ones if they were loaded. */
  async load(): Promise<void> {
    this.#lines.clear();
    this.#shown.next = this.#hidden.next = undefined;
    await Promise.all([this.more(false, background), ...this.#hidden.isLoaded ? [this.more(true, background)] : []]);
  }

  /** Loads a page of the conversations that are not hidden, or of those that are: the newest, or those below the last page. */
  async more(isHidden = false, client = api): Promise<void> {
    const pages = isHidden ? this.#hidden : this.#shown;
    const query = { limit: 30, ...(isHidden && { hidden: true }), ...(pages.next !== undefined && { before: pages.next }) };
    const page = await answered(client(this.#user).GET('/v1/users/{userId}/conversations', { params: { path: { userId: this.#user }, query } }));
    for (const conversation of page.conversations) this.#put(conversation);
    Object.assign(pages, { isLoaded: true, hasMore: page.hasMore, next: page.next } satisfies Pages);
  }

  /** Marks the messages of a peer as read, up to the last one received. */
  async markRead(peer: string): Promise<void> {
    const line = this.#lines.get(peer);
    const last = line?.lastMessage?.id;
    if (!line || last === undefined || count(line.unread) === 0 || (this.#marking.get(peer) ?? '') >= last) return;
    this.#marking.set(peer, last); // any answer, even a refusal, is final for this message
    const { data } = await background(this.#user).PUT('/v1/users/{userId}/conversations/{peerId}/read-marker', {
      params: { path: { userId: this.#user, peerId: peer } }, body: { messageId: last },
    }).catch(() => {
      this.#marking.delete(peer); // without an answer it is sent again
      return { data: undefined };
    });
    if (data) this.applyMarker(data);
    this.#changed();
  }

  /** Mutes a conversation until a time, or no longer, or hides it until its next message, or no longer. */
  async edit(peerId: string, body: UpdateConversationRequest): Promise<void> {
    const path = { userId: this.#user, peerId };
    this.#take(peerId, await answered(api(this.#user).PATCH('/v1/users/{userId}/conversations/{peerId}', { params: { path }, body })));
  }

  /** Applies a message that is new, edited or deleted. */
  apply(peer: string, message: Message): void {
    const line = this.#lines.get(peer);
    if (!line && message.deletedAt !== undefined) return;
    const after = line && afterMessage(line, message, this.#user);
    if (after) this.#lines.set(peer, after);
    else void this.refresh(peer);
  }

  /** Applies a read marker, of this user or of a peer. */
  applyMarker(marker: ReadMarker): void {
    const isOwn = marker.user === this.#user;
    const peer = isOwn ? marker.peer : marker.user;
    const line = this.#lines.get(peer);
    if (!line) return;
    if (isOwn) {
      const unread = withMarker(line.unread, marker.messageId);
      if (unread) this.#lines.set(peer, { ...line, unread, readMarker: marker });
      else void this.refresh(peer);
    }
    if (marker.peer === this.#user && (line.peerReadMarker?.messageId ?? '') <= marker.messageId) {
      this.#lines.set(peer, { ...this.#lines.get(peer) ?? line, peerReadMarker: marker });
    }
  }

  /** Removes the line of a group that the user has left. */
  remove(peer: string): void {
    this.#lines.delete(peer);
  }

  /** Requests a conversation again, where the feed does not tell its unread count or last message. */
  refresh(peer: string): Promise<void> {
    // The request in flight may be too old for this call: the last call in line makes a new one.
    const next: Promise<void> = (this.#refreshing.get(peer) ?? Promise.resolve()).then(() => (this.#refreshing.get(peer) === next ? this.#fetch(peer) : undefined));
    this.#refreshing.set(peer, next);
    return next;
  }

  async #fetch(peer: string): Promise<void> {
    const { data, response } = await background(this.#user).GET('/v1/users/{userId}/conversations/{peerId}', { params: { path: { userId: this.#user, peerId: peer } } })
      .catch(() => ({ data: undefined, response: undefined }));
    if (data || response?.status === 404) this.#take(peer, data);
  }

  /** Takes a conversation as it is now: one that is no more, or in no list, has no line. */
  #take(peer: string, conversation: Conversation | undefined): void {
    if (conversation && isListed(conversation)) this.#put(conversation);
    else this.#lines.delete(peer);
    this.#changed();
  }

  #put(conversation: Conversation): void {
    this.#lines.set(conversation.peer, lineOf(conversation, this.#lines.get(conversation.peer)));
  }
}
