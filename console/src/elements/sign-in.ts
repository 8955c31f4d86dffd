import { el, icon, once } from '../dom.ts';
import { router, userOf } from '../route.ts';
import { session } from '../session.ts';

/** Asks for a credential while the session does. */
export class SignIn extends HTMLElement {
  readonly #field = el('input', { id: 'credential', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'credential-about credential-refused' });
  readonly #refused = el('p', { id: 'credential-refused', class: 'refused', role: 'alert', hidden: true });
  readonly #enter = once<SubmitEvent>(() => this.#signIn());
  readonly #dialog = el('dialog', { class: 'dialog sign-in', 'aria-labelledby': 'sign-in-title', on: { close: () => session.isAsking && session.ask(false) } },
    el('form', { on: { submit: (event) => { event.preventDefault(); this.#enter(event); } } },
      el('h2', { id: 'sign-in-title' }, 'Sign in'),
      el('p', { id: 'credential-about' }, 'This server answers only with a credential. With a service key the console shows all users, with the token of a user only theirs.'),
      el('label', { for: 'credential' }, 'Service key or user token'),
      this.#field, this.#refused,
      el('details', {}, el('summary', {}, 'How to get one'),
        el('p', {}, 'On the server’s machine:'),
        el('pre', { tabindex: 0 }, el('code', {}, '# a service key\nmessage-service key create console \\\n  --scope messages:read \\\n  --scope messages:write \\\n  --scope groups:write \\\n  --scope tokens:create\n\n# or a user token\nmessage-service token alice'))),
      el('div', { class: 'buttons' },
        el('span', {}, 'Only this page keeps it, until it is reloaded.'),
        el('button', { type: 'button', class: 'button', on: { click: () => this.#dialog.close() } }, 'Not now'),
        el('button', { type: 'submit', class: 'button primary' }, icon('key'), 'Sign in'))));

  connectedCallback(): void {
    this.replaceChildren(this.#dialog);
    session.listen(() => this.#draw(), new AbortController().signal);
    this.#draw();
  }

  #draw(): void {
    this.#refused.textContent = session.reason;
    this.#refused.hidden = session.reason === '';
    if (session.isAsking && !this.#dialog.open) this.#dialog.showModal();
    if (!session.isAsking && this.#dialog.open) this.#dialog.close();
  }

  async #signIn(): Promise<void> {
    await session.signIn(this.#field.value.trim(), userOf(router.current));
    if (session.isAsking) this.#field.select();
    else this.#field.value = '';
  }
}

customElements.define('sign-in', SignIn);
