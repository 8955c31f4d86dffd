import type { Conversation, Message, ReadMarker, UpdateConversationRequest } from 'message-service-client';

import { answered } from '../answers.ts';
import { api, background } from '../api.ts';
import { count, counted, withMarker, withMessage, type Unread } from './unread.ts';

/** A line of an inbox. */
export interface Line extends Omit<Conversation, 'unreadCount'> {
  readonly unread: Unread;
}

/** Whether the user wants to hear nothing of a conversation for now. */
export const isMuted = ({ mutedUntil }: Line): boolean => mutedUntil !== undefined && Date.parse(mutedUntil) > Date.now();

/** The conversations of a user with users and groups. What it is told of the feed adjusts them; where that does not say enough, it asks the service. */
export class Inbox {
  hasMore = false;
  #next: string | undefined;
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

  /** The conversations, the one with the newest message first. */
  get lines(): Line[] {
    return [...this.#lines.values()].sort((a, b) => (a.position < b.position ? 1 : -1));
  }

  line(peer: string): Line | undefined {
    return this.#lines.get(peer);
  }

  /** How many messages are unread, of one peer, or of all that are not muted. */
  unread(peer?: string): number {
    const lines = [...this.#lines.values()].filter((line) => (peer === undefined ? !isMuted(line) : line.peer === peer));
    return lines.reduce((sum, { unread }) => sum + count(unread), 0);
  }

  /** Loads the newest conversations anew. */
  async load(): Promise<void> {
    this.#lines.clear();
    this.#next = undefined;
    await this.more();
  }

  /** Loads a page of conversations, the newest or those below the last page. */
  async more(client = background): Promise<void> {
    const query = { limit: 30, ...(this.#next === undefined ? {} : { before: this.#next }) };
    const page = await answered(client(this.#user).GET('/v1/users/{userId}/conversations', { params: { path: { userId: this.#user }, query } }));
    for (const conversation of page.conversations) this.#put(conversation);
    this.#next = page.next;
    this.hasMore = page.hasMore;
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

  /** Mutes a conversation until a time, or no longer, or hides it until its next message. */
  async edit(peerId: string, body: UpdateConversationRequest): Promise<void> {
    const path = { userId: this.#user, peerId };
    this.#take(peerId, await answered(api(this.#user).PATCH('/v1/users/{userId}/conversations/{peerId}', { params: { path }, body })));
  }

  /** Applies a message that is new, edited or deleted. */
  apply(peer: string, message: Message): void {
    const line = this.#lines.get(peer);
    const isDeleted = message.deletedAt !== undefined;
    if (!line) {
      if (!isDeleted) void this.refresh(peer);
      return;
    }
    const isOwn = message.sender === this.#user;
    const unread = isOwn ? line.unread : withMessage(line.unread, message.id, isDeleted);
    const isLast = message.id >= (line.lastMessage?.id ?? '');
    if (unread === undefined || (isLast && isDeleted)) {
      void this.refresh(peer);
      return;
    }
    this.#lines.set(peer, { ...line, unread, ...(isLast && { lastMessage: message, position: message.id }) });
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

  /** Takes a conversation as it is now: hidden ones and those that are no more have no line. */
  #take(peer: string, conversation: Conversation | undefined): void {
    if (conversation && !conversation.hidden) this.#put(conversation);
    else this.#lines.delete(peer);
    this.#changed();
  }

  #put({ unreadCount, ...conversation }: Conversation): void {
    const { peer, lastMessage, readMarker } = conversation;
    const unread = counted(unreadCount, lastMessage?.id ?? '', readMarker?.messageId, this.#lines.get(peer)?.unread);
    this.#lines.set(peer, { ...conversation, unread });
  }
}
