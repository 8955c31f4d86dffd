import { calls } from '../calls.ts';
import { el, icon, report } from '../dom.ts';
import { router, userOf, type Screen } from '../route.ts';
import { session } from '../session.ts';
import { account } from './account.ts';
import { forgetUnsent } from './chat-pane.ts';
import { ChatScreen } from './chat-screen.ts';
import { FeedScreen } from './feed-screen.ts';
import { InboxScreen } from './inbox-screen.ts';
import { RequestPanel } from './request-panel.ts';
import { ServiceScreen } from './service-screen.ts';
import { SignIn } from './sign-in.ts';
import { themeSwitch } from './theme-switch.ts';

const screens: { readonly [name in Screen]: { readonly title: string; readonly element: new () => HTMLElement } } = {
  chat: { title: 'Chat', element: ChatScreen },
  feed: { title: 'Feed', element: FeedScreen },
  inbox: { title: 'Inbox', element: InboxScreen },
  service: { title: 'Service', element: ServiceScreen },
};

/** The frame of the page: navigation, the current screen, and the panel with its requests. */
export class AppShell extends HTMLElement {
  readonly #links = new Map<Screen, HTMLAnchorElement>();
  readonly #main = el('main', { id: 'main' });
  #signIns = 0;

  connectedCallback(): void {
    const links = Object.entries(screens).map(([name, { title }]) => {
      const link = el('a', { href: `#/${name}` }, title);
      this.#links.set(name as Screen, link);
      return link;
    });
    this.replaceChildren(
      el('a', { class: 'skip', href: '#main', on: { click: (event) => { event.preventDefault(); this.#main.querySelector<HTMLElement>('textarea, input, button')?.focus(); } } }, 'Skip to the screen'),
      el('header', { class: 'top' },
        el('a', { class: 'brand', href: '#/chat' }, el('img', { src: 'icon.svg', alt: '', width: 24, height: 24 }), el('span', {}, 'Message Service')),
        el('nav', { class: 'screens', 'aria-label': 'Screens' }, ...links),
        el('div', { class: 'tools' }, el('a', { class: 'docs', href: '/docs/' }, icon('book'), el('span', {}, 'API docs')), themeSwitch(), account())),
      el('div', { class: 'notices' }, el('div', { id: 'waiting', role: 'status' }), el('div', { id: 'problem', role: 'alert' })),
      this.#main, new RequestPanel(), new SignIn(), el('div', { id: 'announcer', class: 'visually-hidden', 'aria-live': 'polite' }));
    const always = new AbortController();
    router.listen(() => this.#follow(), always.signal);
    session.listen(() => this.#signedIn(), always.signal);
    this.#follow();
  }

  /** Signs in with a credential from the URL, which it is taken out of. */
  #signIn(): boolean {
    const { credential } = router;
    if (credential === undefined) return false;
    router.credential = undefined;
    void session.signIn(credential, userOf(router.current));
    return true;
  }

  /** Shows the screen anew for another credential. */
  #signedIn(): void {
    if (session.isTrying || (session.signIns === this.#signIns && this.#main.firstElementChild)) return;
    this.#signIns = session.signIns;
    this.#main.replaceChildren();
    if (this.#signIns > 1) { // what was written, and answered to another credential
      calls.clear();
      forgetUnsent();
    }
    router.showOnly(session.user);
  }

  #follow(): void {
    if (this.#signIn()) return;
    const { screen } = router.current;
    const shown = screens[screen];
    for (const [name, link] of this.#links) {
      link.href = router.link(name);
      if (name === screen) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    document.title = `${shown.title} · Message Service`;
    report('');
    if (this.#main.firstElementChild instanceof shown.element) return;
    calls.startScreen();
    this.#main.replaceChildren(new shown.element());
  }
}

customElements.define('app-shell', AppShell);
