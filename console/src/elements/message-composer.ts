import type { Message } from 'message-service-client';

import { el, icon, iconButton, report } from '../dom.ts';
import { limits } from '../store/limits.ts';
import { excerpt } from '../text.ts';

/** What the composer writes: a new message, a reply, or an edit. */
export type Purpose = { readonly kind: 'new' } | { readonly kind: 'reply' | 'edit'; readonly message: Message };

/** The number of characters left is shown from here down. */
const showLeftFrom = 200;

/** The field for writing a message. Enter sends, Shift+Enter makes a new line, Escape leaves a reply or an edit. */
export class MessageComposer extends HTMLElement {
  user = '';
  /** Called with the text. An error is shown, and the text is back in the field, or if something else was written there meanwhile, a choice to have it back. */
  onSend: (text: string, purpose: Purpose) => Promise<void> = () => Promise.resolve();
  /** Called when the text of a message that is not sent yet changes. */
  onType: () => void = () => undefined;
  /** Returns the message to edit when the up arrow is pressed in an empty field. */
  lastOwn: () => Message | undefined = () => undefined;
  #to = '';
  #purpose: Purpose = { kind: 'new' };
  /** What was written when an edit began; it comes back when that is left. */
  #aside: { readonly text: string; readonly purpose: Purpose } = { text: '', purpose: { kind: 'new' } };
  #textMaxLength = Infinity; // until the limits are loaded

  readonly #field = el('textarea', { rows: 1, autocomplete: 'off', dir: 'auto' });
  readonly #button = el('button', { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send (Enter)' }, icon('send'));
  readonly #left = el('span', { class: 'left', 'aria-live': 'polite' });
  readonly #context = el('div', { class: 'context', hidden: true });
  readonly #problem = el('p', { class: 'problem', role: 'alert', hidden: true });

  connectedCallback(): void {
    if (this.childElementCount === 0) {
      this.#field.addEventListener('input', () => {
        this.#written();
        if (this.#purpose.kind !== 'edit' && !this.#button.disabled) this.onType();
      });
      this.#field.addEventListener('keydown', (event) => this.#pressed(event));
      const form = el('form', { on: { submit: (event) => { event.preventDefault(); void this.#send(); } } }, this.#field, this.#left, this.#button);
      this.append(this.#context, this.#problem, form);
    }
    this.#written();
  }

  /** To whom the messages go, by name. */
  set to(to: string) {
    if (to === this.#to) return;
    this.#to = to;
    this.#field.setAttribute('aria-label', `Message from ${this.user} to ${to}`);
    this.#field.placeholder = `Message ${to}`;
  }

  /** The text of a message that is not sent yet. */
  get text(): string { return this.#purpose.kind === 'edit' ? this.#aside.text : this.#field.value; }
  set text(text: string) {
    this.#field.value = text;
    this.#written();
  }

  override focus(): void {
    this.#field.focus();
  }

  /** Begins a new message, a reply or an edit. After an edit, what was written before goes on, as a reply if it was one. */
  begin(purpose: Purpose): void {
    const wasEdit = this.#purpose.kind === 'edit';
    if (purpose.kind === 'edit') {
      if (!wasEdit) this.#aside = { text: this.#field.value, purpose: this.#purpose };
      this.#field.value = purpose.message.text;
    } else if (wasEdit) {
      this.#field.value = this.#aside.text;
      if (purpose.kind === 'new') purpose = this.#aside.purpose;
    }
    this.#purpose = purpose;
    this.#context.hidden = purpose.kind === 'new';
    if (purpose.kind !== 'new') {
      const title = purpose.kind === 'edit' ? 'Editing' : `Reply to ${purpose.message.sender}`;
      this.#context.replaceChildren(icon(purpose.kind), el('b', {}, title), el('bdi', {}, excerpt(purpose.message.text)),
        iconButton('close', `Leave the ${purpose.kind}`, () => { this.begin({ kind: 'new' }); this.focus(); }));
    }
    this.#written();
    if (purpose.kind !== 'new') this.focus();
  }

  async #send(): Promise<void> {
    const text = this.#field.value;
    if (this.#button.disabled) return;
    const purpose = this.#purpose;
    if (!this.#problem.querySelector('button')) this.#say();
    const done = this.onSend(text, purpose);
    if (purpose.kind !== 'edit') this.#field.value = '';
    this.begin({ kind: 'new' });
    const next = this.#field.value;
    try {
      await done;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (!this.isConnected) return report(problem);
      const again = (): void => {
        this.begin(purpose);
        this.text = text;
      };
      const choice = (label: string, act: () => void): HTMLElement => el('button', { type: 'button', class: 'link', on: { click: () => { this.#say(); act(); } } }, label);
      const isFree = this.#purpose.kind !== 'edit' && this.#field.value === next;
      this.#say(problem, ...isFree ? [] : [choice('Edit again', again), choice('Discard', () => this.focus())]);
      if (isFree) again();
    }
  }

  /** Shows why an edit failed, with what can be done about it; without any of it, nothing. */
  #say(...parts: (string | HTMLElement)[]): void {
    this.#problem.replaceChildren(...parts);
    this.#problem.hidden = parts.length === 0;
  }

  #written(): void {
    const left = this.#textMaxLength - Array.from(this.#field.value).length;
    this.#left.textContent = left > showLeftFrom ? '' : left >= 0 ? `${left} left` : `${-left} too many`;
    this.#left.classList.toggle('over', left < 0);
    this.#button.disabled = left < 0 || this.#field.value.trim() === '';
    if (this.#textMaxLength === Infinity && this.#field.value !== '') void this.#learnLimit();
  }

  async #learnLimit(): Promise<void> {
    const known = await limits().catch(() => undefined); // unknown limits are checked only by the service, when the message is sent
    if (!known || this.#textMaxLength !== Infinity) return;
    this.#textMaxLength = known.textMaxLength;
    this.#written();
  }

  #pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void this.#send();
    } else if (event.key === 'Escape' && this.#purpose.kind !== 'new') {
      event.stopPropagation();
      this.begin({ kind: 'new' });
    } else if (event.key === 'ArrowUp' && this.#field.value === '') {
      const message = this.lastOwn();
      if (!message) return;
      event.preventDefault();
      this.begin({ kind: 'edit', message });
    }
  }
}

customElements.define('message-composer', MessageComposer);
