import type { Message, UpdateConversationRequest } from 'message-service-client';

import { answered, explain } from '../answers.ts';
import { api } from '../api.ts';
import { announce, el, icon, iconButton, isDrawn, once, reconcile, report, set, type Icon } from '../dom.ts';
import { format, router, type Route } from '../route.ts';
import { isGroup, peerOf } from '../store/address.ts';
import { isMuted } from '../store/line.ts';
import { mailboxOf, type Mailbox } from '../store/mailbox.ts';
import { Search } from '../store/search.ts';
import { beginning, type Thread } from '../store/thread.ts';
import { memberCount } from '../text.ts';
import { connectionState } from './connection-state.ts';
import { drawConversation, drawFound } from './inbox-line.ts';
import { MessageThread } from './message-thread.ts';
import { nameField } from './name-field.ts';
import { avatar } from './user-avatar.ts';

type Place = Extract<Route, { screen: 'inbox' }>;

/** Whether the conversation is beside the list; the same width is in inbox.css. */
const isWide = matchMedia('(min-width: 720px)');

/** For how many milliseconds a conversation is muted. */
const muteFor = 8 * 3_600_000;

/** The debounce of the search field, in milliseconds. */
const pause = 150;

/** The inbox of any user: conversations, their messages, and search. */
export class InboxScreen extends HTMLElement {
  #place: Place | undefined;
  #mailbox!: Mailbox;
  /** The search whose results are listed: the last that has been answered. */
  #search: Search | undefined;
  /** Why no more conversations could be loaded. */
  #failure = '';
  #timer = 0;
  #leave = new AbortController();
  /** Aborted when another user's inbox is opened. */
  #user = new AbortController();
  /** Aborted when another conversation is opened. */
  #opened = new AbortController();
  #searching = new AbortController();

  readonly #title = el('div', { class: 'who' });
  readonly #state = el('span');
  readonly #scope = el('button', { type: 'button', class: 'scope', on: { click: () => this.#searchIn(undefined) } });
  readonly #field = el('input', { type: 'search', placeholder: 'Search what was said', autocomplete: 'off', maxlength: 128, on: { input: () => this.#typed()} });
  readonly #showHidden = el('button', { type: 'button', class: 'button', on: { click: () => this.#go({ hidden: this.#place?.hidden !== true, peer: undefined, at: undefined, q: undefined }) } }, icon('archive'), 'Hidden');
  readonly #caption = el('p', { class: 'caption' }, 'Hidden until their next message');
  readonly #list = el('ol', { class: 'entries' });
  readonly #more = el('button', { type: 'button', class: 'button more', on: { click: once(() => this.#loadMore()) } }, 'Older');
  readonly #note = el('p');
  readonly #write = el('a', { class: 'button primary' }, 'Write a message in Chat');
  readonly #empty = el('div', { class: 'note' }, this.#note, this.#write);
  readonly #invitation = el('p', { class: 'note' });
  readonly #bar = el('header', { class: 'thread-bar' });
  readonly #name = el('h2');
  #mute!: HTMLElement;
  #hide!: HTMLElement;
  readonly #thread = el('section', { class: 'thread' });
  #messages: MessageThread | undefined;

  connectedCallback(): void {
    this.#leave = new AbortController();
    const label = el('label', { class: 'search' }, icon('search'), el('span', { class: 'visually-hidden' }, 'Search'), this.#scope, this.#field);
    this.replaceChildren(
      el('h1', { class: 'visually-hidden' }, 'Inbox'), el('div', { class: 'toolbar' }, this.#title, this.#state, this.#showHidden, label),
      el('div', { class: 'sheet inbox' }, el('section', { class: 'entries-side', 'aria-label': 'Conversations' }, this.#caption, this.#empty, this.#list, this.#more), this.#thread));
    router.listen(() => this.#arrive(), this.#leave.signal);
    this.#arrive();
  }

  disconnectedCallback(): void {
    for (const part of [this.#leave, this.#user, this.#opened, this.#searching]) part.abort();
    clearTimeout(this.#timer); // a pending search must not change the route of another screen
  }

  #arrive(): void {
    const { current } = router;
    if (current.screen !== 'inbox') return;
    const before = this.#place;
    this.#place = current;
    if (before?.user !== current.user) this.#openUser(current);
    if (before?.user !== current.user || before.hidden !== current.hidden) this.#openList(current);
    if (before?.user !== current.user || before.q !== current.q || before.within !== current.within) this.#openSearch(current);
    if (before?.user !== current.user || before.peer !== current.peer || before.at !== current.at) this.#openThread(current);
    this.#draw();
  }

  #go(change: Partial<Place>, replace = false): void {
    if (this.#place) router.go({ ...this.#place, ...change }, { replace });
  }

  #openUser({ user }: Place): void {
    this.#user.abort();
    clearTimeout(this.#timer);
    this.#user = new AbortController();
    this.#search = undefined;
    this.#mailbox = mailboxOf(user, this.#user.signal);
    this.#mailbox.listen(() => this.#draw(), this.#user.signal);
    this.#title.replaceChildren(avatar(user), el('span', {}, 'Inbox of'), nameField(user, 'Whose inbox is shown', (name) => router.go({ screen: 'inbox', user: name })));
  }

  /** Loads the hidden conversations when they are listed for the first time. */
  #openList({ hidden }: Place): void {
    this.#failure = '';
    if (hidden && !this.#mailbox.inbox.pages(true).isLoaded) void this.#loadMore();
  }

  /** Searches. What was listed before stays until there is an answer, and an answer that comes after the next search is ignored. */
  #openSearch({ user, q = '', within }: Place): void {
    this.#searching.abort();
    this.#searching = new AbortController();
    const { signal } = this.#searching;
    if (q.trim()) {
      const search = new Search(user, within, q, signal); // with a space at the end, which ends a word
      search.listen(() => this.#show(search), signal);
    } else this.#show(undefined);
    this.#scope.hidden = within === undefined;
    const name = this.#mailbox.nameOf(within ?? '');
    this.#scope.replaceChildren(name, icon('close'));
    set(this.#scope, { 'aria-label': `Only with ${name}: search everywhere`, title: 'Search everywhere' });
    if (document.activeElement !== this.#field) this.#field.value = q;
  }

  #show(search: Search | undefined): void {
    this.#search = search;
    this.#draw();
    this.#messages?.draw();
  }

  /** Searches in one conversation only, or everywhere; on a small screen the results take the place of the conversation. */
  #searchIn(within: string | undefined): void {
    this.#go(isWide.matches ? { within } : { within, peer: undefined, at: undefined });
    this.#field.focus();
  }

  #typed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#go({ q: this.#field.value || undefined }, true), pause);
  }

  #openThread({ user, peer, at }: Place): void {
    const focused = document.activeElement;
    this.#opened.abort();
    this.#opened = new AbortController();
    this.classList.toggle('reading', peer !== undefined);
    if (peer === undefined) {
      this.#messages = undefined;
      // Where only one of them is shown, the focus goes with it.
      if (!isWide.matches && this.#thread.contains(focused)) this.#list.querySelector<HTMLElement>('[aria-current]')?.focus();
      this.#thread.replaceChildren(this.#invitation);
      return;
    }
    const thread = Object.assign(new MessageThread(), {
      mailbox: this.#mailbox, thread: this.#mailbox.excerpt(peer, at), found: at === beginning ? undefined : at, invitation: isGroup(peer) ? 'Nobody has written anything here.' : `${user} and ${peer} have written nothing to each other.`,
      highlights: (message: Message) => this.#search?.highlights(message) ?? [],
    });
    if (at) thread.dataset['found'] = at;
    if (at === beginning) thread.startsAtTop();
    this.#mute = iconButton('bell', 'Mute', once(() => this.#edit((peer) => ({ mutedUntil: this.#isMuted(peer) ? null : new Date(Date.now() + muteFor).toISOString() }))));
    this.#hide = iconButton('archive', 'Hide', once(() => this.#edit((peer) => ({ hidden: !this.#isHidden(peer) }))));
    this.#bar.replaceChildren(
      iconButton('back', 'Back to the conversations', () => this.#go({ peer: undefined, at: undefined }), { class: 'icon-button back' }),
      avatar(peer), this.#name,
      iconButton('search', isGroup(peer) ? 'Search what was written here' : `Search what ${user} and ${peer} wrote`, () => this.#searchIn(peer)), this.#mute, this.#hide,
      el('div', { class: 'buttons' },
        el('button', { type: 'button', class: 'button read', on: { click: once(() => this.#markRead(peer)) } }, icon('checks'), 'Mark as read'),
        el('button', { type: 'button', class: 'button', on: { click: () => this.#go({ at: beginning }) } }, 'First'),
        el('button', { type: 'button', class: 'button', on: { click: () => (at ? this.#go({ at: undefined }) : thread.toEnd()) } }, 'Last'),
        el('a', { class: 'button', href: format({ screen: 'chat', sides: isGroup(peer) ? [{ user, peer }] : [{ user }, { user: peer }] }) }, 'Answer')));
    if (isGroup(peer)) void this.#mailbox.groups.open(peer);
    thread.thread.listen(() => this.#draw(), this.#opened.signal);
    this.#thread.replaceChildren(this.#bar, thread);
    if (!isWide.matches && this.#list.contains(focused)) this.#bar.querySelector<HTMLElement>('.back')?.focus();
    this.#messages = thread;
  }

  /** Opens the newest conversation if there is room beside the list and none is chosen. It is not marked as read. */
  #openFirst({ peer, hidden, q }: Place): void {
    const [first] = this.#mailbox.inbox.lines(hidden);
    if (first && peer === undefined && !q && this.#mailbox.isLoaded && isWide.matches) this.#go({ peer: first.peer }, true);
  }

  async #markRead(peer: string): Promise<void> {
    const last = this.#mailbox.inbox.line(peer)?.lastMessage;
    if (!last) return;
    const params = { path: { userId: this.#mailbox.user, peerId: peer } };
    try {
      await answered(api(this.#mailbox.user).PUT('/v1/users/{userId}/conversations/{peerId}/read-marker', { params, body: { messageId: last.id } }));
      announce('Marked as read');
    } catch (error) {
      report(explain(error));
    }
  }

  #isMuted(peer: string): boolean {
    const line = this.#mailbox.inbox.line(peer);
    return line !== undefined && isMuted(line);
  }

  #isHidden(peer: string): boolean {
    return this.#mailbox.inbox.line(peer)?.hidden === true;
  }

  /** Mutes or hides the open conversation, or no longer. One that is brought back stays open, in the other list. */
  async #edit(change: (peer: string) => UpdateConversationRequest): Promise<void> {
    const { user, peer } = this.#place ?? {};
    if (peer === undefined) return;
    const wasHidden = this.#isHidden(peer);
    try {
      await this.#mailbox.inbox.edit(peer, change(peer));
      if (!this.isConnected || this.#place?.user !== user || this.#place?.peer !== peer) return; // who has gone on meanwhile stays there
      const isHidden = this.#isHidden(peer);
      if (isHidden === wasHidden) return;
      announce(isHidden ? 'Hidden until the next message' : 'Back in the inbox');
      this.#go(isHidden ? { peer: undefined, at: undefined } : { hidden: false });
      if (isHidden) this.#showHidden.focus(); // the button that had the focus left with the conversation
    } catch (error) {
      report(explain(error));
    }
  }

  async #loadMore(): Promise<void> {
    if (this.#search) return this.#search.more();
    this.#failure = await this.#mailbox.loadMore(this.#place?.hidden === true).then(() => '', explain);
    this.#draw();
  }

  #draw(): void {
    const place = this.#place;
    if (!place) return;
    this.#openFirst(place);
    this.#state.replaceChildren(connectionState(this.#mailbox));
    const nameOf = (peer: string): string => this.#mailbox.nameOf(peer);
    const open = (peer: string, at?: string) => (): void => this.#go({ peer, at, within: place.within === peer ? peer : undefined });
    if (this.#search) {
      reconcile(this.#list, this.#search.messages, ({ id }) => id, (message, existing) => (
        drawFound(peerOf(place.user, message), nameOf(peerOf(place.user, message)), message, message.id === place.at, open(peerOf(place.user, message), message.id), existing)));
    } else {
      reconcile(this.#list, this.#mailbox.inbox.lines(place.hidden), ({ peer }) => peer, (line, existing) => drawConversation(line, nameOf(line.peer), line.peer === place.peer, open(line.peer), existing));
    }
    this.#invitation.textContent = this.#search ? 'Choose a message.' : 'Choose a conversation.';
    this.#showHidden.setAttribute('aria-pressed', String(place.hidden === true));
    this.#caption.hidden = !place.hidden || this.#search !== undefined || this.#mailbox.inbox.lines(true).length === 0;
    this.#more.textContent = (this.#search ? this.#search.failure : this.#failure) ? 'Try again' : 'Older';
    this.#more.hidden = !(this.#search ? this.#search.hasMore : this.#failure || this.#mailbox.inbox.pages(place.hidden).hasMore);
    this.#note.textContent = this.#whyEmpty();
    this.#empty.hidden = this.#note.textContent === '';
    this.#write.hidden = !this.#isBlank;
    this.#write.href = format({ screen: 'chat', sides: [{ user: place.user }, { user: place.user === 'alice' ? 'bob' : 'alice' }] });
    this.classList.toggle('nothing', this.#list.childElementCount === 0 && place.peer === undefined);
    if (place.peer !== undefined && this.#messages) this.#drawBar(place.peer, this.#messages.thread);
    const unread = place.peer === undefined ? 0 : this.#mailbox.inbox.unread(place.peer);
    const read = this.#bar.querySelector<HTMLElement>('.read');
    if (unread === 0 && read?.contains(document.activeElement)) this.#bar.querySelector<HTMLElement>('.read + .button')?.focus(); // it has no more use
    read?.toggleAttribute('hidden', unread === 0);
  }

  /** Draws what the open conversation is called, how many a group has, and whether it is muted or hidden. */
  #drawBar(peer: string, { state }: Thread): void {
    this.#bar.classList.toggle('ended', isGroup(peer) && state === 'failed');
    const count = memberCount(this.#mailbox.groups.memberCount(peer));
    const [isMute, isHidden] = [this.#isMuted(peer), this.#isHidden(peer)];
    if (isDrawn(this.#mute, this.#mailbox.nameOf(peer), count, isMute, isHidden)) return;
    relabel(this.#mute, isMute ? 'Unmute' : 'Mute for 8 hours', isMute ? 'bell-off' : 'bell');
    relabel(this.#hide, isHidden ? 'Bring back to the inbox' : 'Hide until the next message', isHidden ? 'unarchive' : 'archive');
    this.#name.replaceChildren(el('bdi', {}, this.#mailbox.nameOf(peer)), ' ', el('span', {}, count));
    this.#thread.setAttribute('aria-label', `Conversation with ${this.#mailbox.nameOf(peer)}`);
  }

  /** Whether the list would show the conversations that are not hidden, and there are none. */
  get #isBlank(): boolean {
    const { isLoaded, inbox } = this.#mailbox;
    return isLoaded && !this.#search && !this.#failure && !this.#place?.hidden && inbox.lines().length === 0;
  }

  /** Why the list is empty; an empty text if it is not. */
  #whyEmpty(): string {
    const { user, status, reason, isLoaded, inbox } = this.#mailbox;
    if (status === 'refused' || (status === 'waiting' && !isLoaded)) return reason;
    if (this.#search) {
      const what = this.#place?.within === undefined ? `${user} sent or received` : `${user} and ${this.#place.within} wrote`;
      const hint = /(^|\s)\p{L}$/u.test(this.#place?.q ?? '') ? ' The last word may be a beginning, from two letters on.' : '';
      return this.#search.failure || (this.#search.messages.length === 0 ? `Nothing that ${what} has all of these words.${hint}` : '');
    }
    if (this.#failure) return this.#failure;
    if (this.#place?.hidden) return inbox.lines(true).length === 0 && inbox.pages(true).isLoaded ? `${user} has hidden no conversation.` : '';
    return this.#isBlank ? `The inbox of ${user} is empty. What ${user} sends and receives appears here.` : '';
  }
}

function relabel(button: HTMLElement, label: string, name: Icon): void {
  set(button, { 'aria-label': label, title: label });
  button.replaceChildren(icon(name));
}

customElements.define('inbox-screen', InboxScreen);
