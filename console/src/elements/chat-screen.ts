import { el, icon, reconcile } from '../dom.ts';
import { router, type Route, type Side } from '../route.ts';
import { badge } from './badge.ts';
import { ChatPane, takesFocus } from './chat-pane.ts';
import { GroupDialog } from './group-dialog.ts';
import { session } from '../session.ts';
import { outbox } from '../store/outbox.ts';
import { avatar } from './user-avatar.ts';

/** Over HTTP/1.1 browsers allow six connections to a server, and each side uses one for its feed. */
const maxSides = 4;
const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
const welcomed = 'console.welcomed';

/** Several users side by side, each as on their own device. */
export class ChatScreen extends HTMLElement {
  #sides: readonly Side[] = [];
  #active = 0;
  readonly #hint = el('p', { class: 'hint' });
  readonly #add = el('button', { type: 'button', class: 'button', on: { click: () => this.#addSide() } }, icon('add'), 'Add a user');
  readonly #make = el('button', { type: 'button', class: 'button', on: { click: () => this.#dialog.open(this.#sides.map(({ user }) => user)) } }, icon('gather'), 'Make a group');
  readonly #dialog = Object.assign(new GroupDialog(), { onMade: (address: string, members: readonly string[]) => this.#openGroup(address, members) });
  /** Selects the side to show where only one fits. */
  readonly #switcher = el('div', { class: 'switcher', role: 'group', 'aria-label': 'Whose side is shown' });
  readonly #panes = el('div', { class: 'panes' });
  #leave = new AbortController();

  connectedCallback(): void {
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    this.replaceChildren(el('h1', { class: 'visually-hidden' }, 'Chat'), el('div', { class: 'toolbar' }, this.#hint, this.#switcher, this.#make, this.#add), this.#panes, this.#dialog);
    router.listen(() => this.#follow(), signal);
    outbox.listen(() => this.#welcome(), signal);
    this.#follow();
    this.#welcome();
    if (takesFocus.matches) this.#pane(0)?.focus();
  }

  disconnectedCallback(): void {
    this.#leave.abort();
  }

  #pane(place: number): ChatPane | undefined {
    return [...this.#panes.querySelectorAll<ChatPane>('chat-pane')][place];
  }

  #follow(): void {
    const { current } = router;
    if (current.screen !== 'chat') return;
    this.#sides = current.sides.slice(0, maxSides);
    this.#active = Math.min(this.#active, this.#sides.length - 1);
    this.#add.hidden = this.#sides.length >= maxSides || session.user !== undefined;
    this.#panes.style.setProperty('--sides', String(this.#sides.length));
    const sides = this.#sides.map((side, place) => ({ ...side, place }));
    reconcile(this.#panes, sides, ({ user, place }) => `${place} ${user}`, ({ user, place }, existing) => {
      const peer = this.#peerOf(place);
      const others = this.#sides.map((side) => side.user).filter((other) => other !== user);
      const pane = existing instanceof ChatPane ? existing : this.#makePane(place, user);
      pane.show(peer, others, this.#sides.length > 2);
      return pane;
    });
    this.#draw();
    this.#activate(this.#active);
  }

  #makePane(place: number, user: string): ChatPane {
    return Object.assign(new ChatPane(), {
      user,
      onRename: (name: string) => this.#change(this.#sides.map((side, i) => (i === place ? { user: name } : side.peer === user ? { ...side, peer: undefined } : side))),
      onPeer: (name: string) => this.#change(this.#sides.map((side, i) => (i === place ? { user, peer: name === this.#nextTo(place) ? undefined : name } : side))),
      onRemove: () => this.#change(this.#sides.filter((_, i) => i !== place)),
      onActive: () => this.#activate(place),
      onUnread: (unread: number) => this.#switcher.children[place]?.querySelector('.badge')?.replaceWith(badge(unread)),
    });
  }

  /** The peer of a side: the chosen one, or else the user of the next side. */
  #peerOf(place: number): string {
    return this.#sides[place]?.peer ?? this.#nextTo(place);
  }

  #nextTo(place: number): string {
    return this.#sides[(place + 1) % this.#sides.length]?.user ?? '';
  }

  #change(sides: readonly Side[]): void {
    router.go({ screen: 'chat', sides } satisfies Route);
  }

  #addSide(): void {
    const taken = new Set(this.#sides.map(({ user }) => user));
    const user = names.find((name) => !taken.has(name)) ?? `user-${this.#sides.length + 1}`;
    // The sides there are keep their peers.
    this.#change([...this.#sides.map(({ user: name }, place) => ({ user: name, peer: this.#peerOf(place) })), { user, peer: this.#sides[0]?.user }]);
    this.#activate(this.#sides.length);
  }

  /** Opens a group on the sides of its members. */
  #openGroup(address: string, members: readonly string[]): void {
    this.#change(this.#sides.map((side) => (members.includes(side.user) ? { user: side.user, peer: address } : side)));
    this.#pane(this.#active)?.focus();
  }

  /** Makes a side the active one, which marks arriving messages as read. */
  #activate(place: number): void {
    this.#active = place;
    this.#panes.querySelectorAll<ChatPane>('chat-pane').forEach((pane, i) => pane.setActive(i === place));
    this.#draw();
  }

  #draw(): void {
    const sides = this.#sides.map((side, place) => ({ ...side, place }));
    reconcile(this.#switcher, sides, ({ user, place }) => `${place} ${user}`, ({ user, place }, existing) => {
      const button = existing ?? this.#makeSwitch(user, place);
      button.setAttribute('aria-pressed', String(place === this.#active));
      return button;
    });
  }

  #makeSwitch(user: string, place: number): HTMLElement {
    return el('button', { type: 'button', on: { click: () => this.#activate(place) } }, avatar(user), el('span', { class: 'peer' }, user), badge(0));
  }

  /** Shows an invitation until the first message was ever sent, and an explanation from then on. */
  #welcome(): void {
    if (outbox.sent.size > 0) remember(welcomed);
    const [first, second] = this.#sides;
    const isNew = !remembered(welcomed);
    this.#hint.classList.toggle('invitation', isNew);
    this.#hint.textContent = isNew && first ? `Type as ${first.user}; ${second?.user ?? 'the other'} sees it.` : 'Each side follows its own feed, and reads what arrives when you work in it.';
  }
}

function remembered(name: string): boolean {
  try {
    return localStorage.getItem(name) !== null;
  } catch {
    return false;
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(name, 'yes');
  } catch {
    // localStorage may be disabled.
  }
}

customElements.define('chat-screen', ChatScreen);
