import type { Message } from 'message-service-client';

import { answered, explain } from '../answers.ts';
import { api } from '../api.ts';
import { announce, el, icon, iconButton, isDrawn, once, reconcile, report, set } from '../dom.ts';
import { session } from '../session.ts';
import { isGroup } from '../store/address.ts';
import { mailboxOf, type Mailbox } from '../store/mailbox.ts';
import { outbox } from '../store/outbox.ts';
import { excerpt, listed } from '../text.ts';
import { badge } from './badge.ts';
import { connectionState } from './connection-state.ts';
import { GroupPanel } from './group-panel.ts';
import { MessageComposer, type Purpose } from './message-composer.ts';
import type { MessageActions } from './message-item.ts';
import { MessageThread } from './message-thread.ts';
import { nameField } from './name-field.ts';
import { drawTyping } from './typing-line.ts';
import { avatar } from './user-avatar.ts';

/** Whether to focus fields unasked: on a small screen that would open the keyboard. */
export const takesFocus = matchMedia('(min-width: 720px)');

/** How many conversations are listed; the inbox lists all. */
const maxPeers = 12;

/** How many pixels at the end of their row fade out. */
const fade = 20;

/** Unsent texts by user and peer, kept while another conversation is shown, or another screen. */
const unsent = new Map<string, string>();

/** Forgets the unsent texts: somebody else may sit here now. */
export const forgetUnsent = (): void => unsent.clear();

/** One side of the chat: a user's conversations, the open one, and its composer. */
export class ChatPane extends HTMLElement {
  user = '';
  peer = '';
  /** The users of the other sides, always listed as peers. */
  others: readonly string[] = [];
  onRename: (user: string) => void = () => undefined;
  onPeer: (peer: string) => void = () => undefined;
  onRemove: () => void = () => undefined;
  /** Called when this side gets the focus or a click: it becomes the active side, which marks messages as read. */
  onActive: () => void = () => undefined;
  /** Called with the number of unread messages. */
  onUnread: (unread: number) => void = () => undefined;
  isActive = false;

  #mailbox!: Mailbox;
  #thread!: MessageThread;
  #composer!: MessageComposer;
  readonly #peers = el('ul', { class: 'peers' });
  readonly #new = iconButton('add', 'Write to somebody else', () => this.#askPeer());
  readonly #header = el('header');
  readonly #typing = el('p', { class: 'typing' });
  /** Of the group that is open. */
  #group: GroupPanel | undefined;
  readonly #banner = el('div', { class: 'banner', hidden: true });
  readonly #remove = iconButton('close', 'Remove this user', () => this.onRemove());
  readonly #about = iconButton('people', 'Members', () => this.#showGroup(this.#group?.isConnected !== true));
  #block!: HTMLElement;
  #leave = new AbortController();
  #wasLive = false;
  /** Whether a peer's name was just typed, so that the focus goes to the composer. */
  #isPeerTyped = false;

  connectedCallback(): void {
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', this.user);
    if (this.#isClosed) return this.#explainClosed();
    this.#mailbox = mailboxOf(this.user, signal);
    this.#mailbox.onArrival = (message) => {
      const where = isGroup(message.recipient) ? ` in ${this.#mailbox.nameOf(message.recipient)}` : '';
      announce(`${this.user} has a message from ${message.sender}${where}: ${excerpt(message.text)}`);
    };
    set(this.#remove, { 'aria-label': `Remove ${this.user}`, title: `Remove ${this.user}` });
    this.#header.replaceChildren(
      avatar(this.user), nameField(this.user, `Name of this user, ${this.user}`, this.onRename), el('span', { class: 'total' }), el('span', { class: 'connection' }), this.#remove);
    this.#open();
    for (const type of ['focusin', 'pointerdown']) this.addEventListener(type, () => this.onActive(), { signal });
    addEventListener('online', () => this.#sendAgain(), { signal });
    document.addEventListener('visibilitychange', () => this.#read(), { signal });
    this.#mailbox.listen(() => this.#draw(), signal);
  }

  disconnectedCallback(): void {
    this.#keepUnsent();
    this.#leave.abort();
  }

  override focus(): void {
    if (!this.#isClosed) this.#composer.focus();
  }

  /** Shows the conversation with another peer. */
  show(peer: string, others: readonly string[], isRemovable: boolean): void {
    const isOther = peer !== this.peer;
    const hasFocus = this.#isPeerTyped || this.contains(document.activeElement);
    this.#isPeerTyped = false;
    if (isOther && this.isConnected && !this.#isClosed) this.#keepUnsent();
    this.others = others;
    this.peer = peer;
    this.#remove.hidden = !isRemovable;
    if (!this.isConnected || this.#isClosed) return; // connectedCallback draws it
    if (!isOther) return this.#draw();
    this.#open();
    if (hasFocus && takesFocus.matches) this.focus();
  }

  setActive(isActive: boolean): void {
    const wasActive = this.isActive;
    this.isActive = isActive;
    this.classList.toggle('active', isActive);
    if (this.#isClosed) return;
    if (wasActive && !isActive) this.#thread.forgetNew();
    this.#read();
  }

  get #conversation(): string {
    return JSON.stringify([this.user, this.peer]);
  }

  /** Keeps what is written here, unless this side was closed. */
  #keepUnsent(): void {
    if (this.#composer) unsent.set(this.#conversation, this.#composer.text);
  }

  /** Whether this is another user than the only one of the session. */
  get #isClosed(): boolean {
    return !session.actsAs(this.user);
  }

  #explainClosed(): void {
    this.replaceChildren(
      el('header', {}, avatar(this.user), el('span', { class: 'name' }, this.user)),
      el('p', { class: 'closed' }, icon('key'), `You are signed in with the token of ${session.user}. What ${this.user} sees is shown only to ${this.user}, or with a service key.`));
  }

  #open(): void {
    this.#thread = new MessageThread();
    const invitation = isGroup(this.peer) ? 'Nothing yet. What the members write stands here.' : `Nothing yet. What ${this.user} and ${this.peer} write to each other stands here.`;
    Object.assign(this.#thread, { mailbox: this.#mailbox, thread: this.#mailbox.thread(this.peer), actions: this.#actions, invitation, onEnd: () => this.#read() });
    this.#composer = new MessageComposer();
    Object.assign(this.#composer, {
      user: this.user, onSend: (text: string, purpose: Purpose) => this.#send(text, purpose), lastOwn: () => this.#lastOwn(), onType: () => this.#mailbox.typing.signal(this.peer),
    });
    this.#group = isGroup(this.peer) ? Object.assign(new GroupPanel(), { user: this.user, address: this.peer, groups: this.#mailbox.groups }) : undefined;
    if (this.#group) void this.#mailbox.groups.open(this.peer);
    this.#block = iconButton('ban', 'Block', once(() => this.#setBlocked(!this.#mailbox.blocked.has(this.peer))));
    const peers = el('nav', { 'aria-label': `Conversations of ${this.user}` }, this.#peers, this.#new, this.#group ? this.#about : this.#block);
    this.#about.setAttribute('aria-expanded', 'false');
    this.replaceChildren(this.#header, peers, this.#banner, this.#thread, this.#typing, this.#composer);
    this.#composer.text = unsent.get(this.#conversation) ?? '';
    this.#draw();
  }

  /** Scrolls the row of conversations, and nothing around it, as far as it takes to see the open one. */
  #showChosen(): void {
    const chosen = this.#peers.querySelector<HTMLElement>('[aria-current]');
    if (chosen) this.#peers.scrollLeft = chosen.offsetLeft + chosen.offsetWidth + fade - this.#peers.offsetLeft - this.#peers.clientWidth;
  }

  /** Shows or hides the members of the open group. */
  #showGroup(isShown: boolean): void {
    if (isShown && this.#group) this.#banner.before(this.#group);
    else this.#group?.remove();
    this.#about.setAttribute('aria-expanded', String(isShown));
  }

  #draw(): void {
    const mailbox = this.#mailbox;
    if (mailbox.status === 'live' && !this.#wasLive) this.#sendAgain();
    this.#wasLive = mailbox.status === 'live';
    this.#header.querySelector('.total')?.replaceChildren(badge(mailbox.inbox.unread()));
    this.onUnread(mailbox.inbox.unread());
    this.#header.querySelector('.connection')?.replaceChildren(connectionState(mailbox));
    const peers = new Set([...this.others, this.peer, ...mailbox.groups.addresses, ...mailbox.inbox.lines().slice(0, maxPeers).map(({ peer }) => peer)]);
    reconcile(this.#peers, [...peers], (peer) => peer, (peer, existing) => this.#drawPeer(peer, existing));
    const name = mailbox.nameOf(this.peer);
    if (name !== this.#composer.to) this.#showChosen(); // a longer name needs more room
    this.#composer.to = name;
    this.#composer.hidden = this.#about.hidden = isGroup(this.peer) && mailbox.thread(this.peer).state === 'failed';
    this.#group?.draw();
    this.#drawBlock();
    this.#drawBanner();
    drawTyping(this.#typing, mailbox.typing.users(this.peer));
    this.#read();
  }

  #drawPeer(peer: string, existing: HTMLElement | undefined): HTMLElement {
    const unread = this.#mailbox.inbox.unread(peer);
    const name = this.#mailbox.nameOf(peer);
    const item = existing ?? el('li');
    if (isDrawn(item, unread, name, peer === this.peer)) return item;
    item.replaceChildren(el('button', { type: 'button', 'aria-current': peer === this.peer ? 'true' : false, on: { click: () => this.onPeer(peer) } }, avatar(peer), el('bdi', { class: 'peer' }, name), badge(unread)));
    return item;
  }

  /** Shows a field for the name of a peer who is not in the list. */
  #askPeer(): void {
    const field = nameField('', 'Write to', (peer) => {
      this.#isPeerTyped = true;
      this.onPeer(peer);
    });
    field.placeholder = 'Name';
    field.addEventListener('blur', () => field.replaceWith(this.#new));
    field.addEventListener('keydown', ({ key }) => { if (key === 'Escape') this.#new.focus(); });
    this.#new.replaceWith(field);
    field.focus();
  }

  #drawBlock(): void {
    const isBlocked = this.#mailbox.blocked.has(this.peer);
    const label = `${isBlocked ? 'Unblock' : 'Block'} ${this.peer}`;
    set(this.#block, { 'aria-label': label, title: label, class: isBlocked ? 'icon-button block on' : 'icon-button block' });
  }

  #drawBanner(): void {
    const { status, reason, blocked, isLoaded } = this.#mailbox;
    const isRefused = status === 'refused' || (status === 'waiting' && !isLoaded); // else there is something to see meanwhile
    const isBlocked = blocked.has(this.peer);
    this.#banner.hidden = !isRefused && !isBlocked;
    this.#banner.classList.toggle('error', isRefused);
    if (isDrawn(this.#banner, isRefused && reason, isBlocked, this.peer)) return;
    if (isRefused) this.#banner.replaceChildren(reason);
    else if (isBlocked) {
      this.#banner.replaceChildren(`${this.user} has blocked ${this.peer}: nothing from ${this.peer} arrives.`,
        el('button', { type: 'button', class: 'link', on: { click: once(() => this.#setBlocked(false)) } }, 'Unblock'));
    }
  }

  async #setBlocked(isBlocked: boolean): Promise<void> {
    const options = { params: { path: { userId: this.user, peerId: this.peer } } };
    const path = '/v1/users/{userId}/blocks/{peerId}';
    try {
      await answered<unknown>(isBlocked ? api(this.user).PUT(path, options) : api(this.user).DELETE(path, options));
      this.#mailbox.setBlocked(this.peer, isBlocked);
      announce(`${this.user} has ${isBlocked ? 'blocked' : 'unblocked'} ${this.peer}`);
    } catch (error) {
      report(explain(error));
    }
  }

  /** Marks the conversation as read if its end is in view in the active side of a visible page. */
  #read(): void {
    if (this.isActive && document.visibilityState === 'visible' && this.#thread.isAtEnd && this.#mailbox.status === 'live') void this.#mailbox.inbox.markRead(this.peer);
  }

  #lastOwn(): Message | undefined {
    return this.#mailbox.thread(this.peer).messages.findLast((message) => message.sender === this.user && !message.deletedAt);
  }

  readonly #stored = (message: Message): void => this.#mailbox.apply(message);

  async #send(text: string, purpose: Purpose): Promise<void> {
    if (purpose.kind === 'edit') {
      const params = { path: { messageId: purpose.message.id } };
      try {
        this.#stored(await answered(api(this.user).PATCH('/v1/messages/{messageId}', { params, body: { text } })));
      } catch (error) {
        throw new Error(`Not changed. ${explain(error)}`, { cause: error });
      }
      return;
    }
    const after = this.#mailbox.thread(this.peer).messages.at(-1)?.id ?? '';
    outbox.send({ sender: this.user, recipient: this.peer, text, after, replyTo: purpose.kind === 'reply' ? purpose.message.id : undefined }, this.#stored);
    this.#thread.toEnd();
  }

  /** Retries drafts that failed temporarily, now that there is a connection. */
  #sendAgain(): void {
    for (const draft of outbox.drafts(this.user, this.peer)) if (draft.mayRetry) outbox.retry(draft, this.#stored);
  }

  readonly #actions: MessageActions = {
    reply: (message) => this.#composer.begin({ kind: 'reply', message }),
    edit: (message) => this.#composer.begin({ kind: 'edit', message }),
    remove: (message) => answered<unknown>(api(this.user).DELETE('/v1/messages/{messageId}', { params: { path: { messageId: message.id } } })).then(
      () => this.#stored({ id: message.id, sender: message.sender, recipient: message.recipient, sentAt: message.sentAt, text: '', deletedAt: new Date().toISOString() }),
      (error: unknown) => report(`Not deleted. ${explain(error)}`)),
    readers: (message) => answered(api(this.user).GET('/v1/messages/{messageId}/readers', { params: { path: { messageId: message.id } } })).then(
      ({ users, count }) => `read by ${count === 0 ? 'nobody yet' : listed(users, count)}`, explain),
    retry: (draft) => outbox.retry(draft, this.#stored),
    discard: (draft) => outbox.discard(draft),
  };
}

customElements.define('chat-pane', ChatPane);
