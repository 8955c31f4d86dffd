import type { Highlight, Message } from 'message-service-client';

import { el, icon, reconcile } from '../dom.ts';
import { isGroup } from '../store/address.ts';
import type { Mailbox } from '../store/mailbox.ts';
import { outbox } from '../store/outbox.ts';
import type { Thread } from '../store/thread.ts';
import { timeline } from '../store/timeline.ts';
import { day } from '../text.ts';
import { drawMessage, type Item, type MessageActions } from './message-item.ts';
import { moveAmongMessages } from './message-keys.ts';

/** A line between messages: a day, or the start of unread messages. */
type Line = { readonly key: string; readonly label: string; readonly kind: 'day' | 'new' };

/** Messages of one user within these milliseconds are drawn as a group. */
const groupWithin = 5 * 60_000;
/** Nearer than these pixels to either end, more messages are loaded. */
const loadWithin = 240;
/** Nearer than these pixels to the end, the thread counts as scrolled to it. */
const endWithin = 48;

/** The messages between two users, or in a group, as one of them sees them. */
export class MessageThread extends HTMLElement {
  mailbox!: Mailbox;
  thread!: Thread;
  actions: MessageActions | undefined;
  /** The text to show if there are no messages. */
  invitation = '';
  /** The message of a search result, to scroll to. */
  found: string | undefined;
  /** Where the words of a search are in the text of a message. */
  highlights: (message: Message) => readonly Highlight[] = () => [];
  /** Called when the end comes into view, and at new messages while it is. */
  onEnd: () => void = () => undefined;

  readonly #list = el('ol', { class: 'messages' });
  readonly #scroller = el('div', { class: 'scroller' }, this.#list);
  readonly #jump = el('button', { type: 'button', class: 'jump', hidden: true, on: { click: () => this.toEnd() } }, icon('down'), 'Newest');
  #isAtEnd = true;
  #top = 0;
  /** The message below the "New" line: the first unread when the thread was opened or last left. */
  #newFrom = '';
  #leave = new AbortController();

  connectedCallback(): void {
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    const { user, peer } = this.thread;
    this.#list.setAttribute('aria-label', isGroup(peer) ? `Messages in ${this.mailbox.nameOf(peer)}` : `Messages of ${user} and ${peer}`);
    this.replaceChildren(this.#scroller, this.#jump);
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { signal, passive: true });
    this.#list.addEventListener('keydown', (event) => moveAmongMessages(event, this.#list), { signal });
    const sizes = new ResizeObserver(() => this.#isAtEnd && this.#scrollToEnd());
    sizes.observe(this.#scroller);
    sizes.observe(this.#list);
    signal.addEventListener('abort', () => sizes.disconnect());
    for (const store of [this.thread, this.mailbox, outbox]) store.listen(() => this.draw(), signal);
    this.draw();
  }

  disconnectedCallback(): void {
    this.#leave.abort();
  }

  /** Whether the newest message is in view. */
  get isAtEnd(): boolean {
    return this.#isAtEnd && !this.thread.hasNewer;
  }

  /** Scrolls to the newest message, and loads it if necessary. */
  toEnd(): void {
    this.#isAtEnd = true;
    if (this.thread.hasNewer) void this.thread.load();
    else this.#scrollToEnd();
  }

  #scrollToEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Begins at the oldest message rather than at the newest. */
  startsAtTop(): void {
    this.#isAtEnd = false;
  }

  /** Moves the "New" line: the next draw puts it above the first message that is unread then, if any. */
  forgetNew(): void {
    this.#newFrom = '';
  }

  draw(): void {
    const { thread } = this;
    if (this.#isAtEnd) thread.trim();
    const { scrollTop } = this.#scroller;
    const first = this.#list.querySelector<HTMLElement>('.message');
    const above = first?.offsetTop ?? 0;
    const items = this.#items();
    reconcile(this.#list, this.#lines(items), ({ key }) => key, (entry, existing) => ('kind' in entry ? drawLine(entry, existing) : drawMessage(entry, this.actions, existing)));
    this.classList.toggle('loading', thread.state === 'loading');
    this.#note(items.length);
    this.#makeReachable();
    if (this.found && this.#show(this.found)) this.found = undefined;
    else if (this.#isAtEnd) this.#scrollToEnd();
    else if (first?.isConnected && first.offsetTop !== above) this.#scroller.scrollTop = scrollTop + first.offsetTop - above;
    this.#scrolled();
  }

  #items(): Item[] {
    const { thread, mailbox } = this;
    const seen = mailbox.inbox.line(thread.peer)?.peerReadMarker?.messageId ?? '';
    const moderates = isGroup(thread.peer) && mailbox.groups.isAtLeast('admin', thread.peer);
    const entries = timeline(thread.messages, thread.hasNewer ? [] : outbox.drafts(thread.user, thread.peer), outbox.sent);
    let before = { sender: '', at: 0 };
    return entries.map((entry) => {
      const { message, draft } = entry;
      const sender = message?.sender ?? thread.user;
      const at = message ? Date.parse(message.sentAt) : draft?.at ?? 0;
      const isFirst = sender !== before.sender || at - before.at > groupWithin;
      before = { sender, at };
      return {
        ...entry, isFirst, isOwn: sender === thread.user, mayRemove: moderates || sender === thread.user, isSeen: message !== undefined && message.id <= seen,
        quoted: this.#quoted(message?.replyTo ?? draft?.replyTo), isFound: message !== undefined && message.id === this.dataset['found'],
        highlights: message ? this.highlights(message) : [],
      };
    });
  }

  #quoted(id: string | undefined) {
    if (id === undefined) return undefined;
    const known = this.thread.messages.find((message) => message.id === id) ?? this.thread.quoted.get(id);
    if (known === undefined) void this.thread.quote(id).catch(() => undefined);
    return known;
  }

  /** Inserts a line between days, and one before the first unread message. */
  #lines(items: Item[]): (Item | Line)[] {
    const unread = this.mailbox.inbox.line(this.thread.peer)?.unread;
    if (unread && this.mailbox.inbox.unread(this.thread.peer) > 0 && this.#newFrom === '') {
      this.#newFrom = items.find(({ message, isOwn }) => message && !isOwn && message.id > unread.marker)?.key ?? '';
    }
    let last = '';
    return items.flatMap((item) => {
      const lines: (Item | Line)[] = [];
      const label = day(new Date(item.message?.sentAt ?? item.draft?.at ?? 0));
      if (label !== last) lines.push({ kind: 'day', key: `day ${label}`, label });
      if (item.key === this.#newFrom) lines.push({ kind: 'new', key: 'new', label: 'New' });
      last = label;
      return [...lines, item];
    });
  }

  /** Shows why there are no messages. */
  #note(messages: number): void {
    const { thread } = this;
    const text = thread.state === 'failed' ? thread.reason : thread.state === 'ready' && messages === 0 ? this.invitation : '';
    const note = this.querySelector('.note');
    if (note?.textContent === text || (!note && !text)) return;
    note?.remove();
    if (text) this.#scroller.prepend(el('p', { class: 'note' }, text));
  }

  /** Makes one message reachable by the Tab key; the arrow keys move to the others. */
  #makeReachable(): void {
    const messages = [...this.#list.querySelectorAll<HTMLElement>('.message')];
    if (messages.some((message) => message.tabIndex === 0)) return;
    const last = messages.at(-1);
    if (last) last.tabIndex = 0;
  }

  #show(id: string): boolean {
    const message = this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (!message) return false;
    this.#isAtEnd = false;
    message.scrollIntoView({ block: 'center' });
    return true;
  }

  #scrolled(): void {
    if (this.thread.state === 'loading') return;
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const isNear = scrollHeight - scrollTop - clientHeight < endWithin;
    // Only scrolling up leaves the end; it may also move away by itself, as in a narrower window.
    this.#isAtEnd = isNear || (this.#isAtEnd && scrollTop >= this.#top);
    this.#top = scrollTop;
    this.#jump.hidden = this.isAtEnd;
    if (scrollTop < loadWithin) void this.thread.older();
    if (scrollHeight - scrollTop - clientHeight < loadWithin) void this.thread.newer();
    if (this.isAtEnd) this.onEnd();
  }
}

function drawLine({ kind, label }: Line, existing: HTMLElement | undefined): HTMLElement {
  return existing ?? el('li', { class: `line ${kind}` }, el('span', {}, label));
}

customElements.define('message-thread', MessageThread);
