import { answered, explain } from '../answers.ts';
import { api, service } from '../api.ts';
import { el, icon, once } from '../dom.ts';
import { session } from '../session.ts';
import { addressFor } from '../store/address.ts';

/** Asks for what a group needs, and makes it. */
export class GroupDialog extends HTMLElement {
  /** Called with the address of the group that was made, and its members. */
  onMade: (address: string, members: readonly string[]) => void = () => undefined;
  /** Whether the address was typed, and no longer follows the name. */
  #isAddressTyped = false;
  readonly #name = field('group-name', { maxlength: 128, placeholder: 'Lunch club', on: { input: () => this.#followName() } });
  readonly #address = field('group-address', { maxlength: 129, pattern: '~.+', title: 'An address begins with ~, such as ~lunch-club', on: { input: () => { this.#isAddressTyped = true; } } });
  readonly #members = field('group-members', { 'aria-describedby': 'group-members-about' });
  readonly #history = el('input', { id: 'group-history', type: 'checkbox', checked: true });
  readonly #refused = el('p', { class: 'refused', role: 'alert', hidden: true });
  readonly #makeOnce = once<SubmitEvent>(() => this.#make());
  readonly #dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'group-title' },
    el('form', { on: { submit: (event) => { event.preventDefault(); this.#makeOnce(event); } } },
      el('h2', { id: 'group-title' }, 'Make a group'),
      el('label', { for: 'group-name' }, 'Name'), this.#name,
      el('label', { for: 'group-address' }, 'Address'), this.#address,
      el('label', { for: 'group-members' }, 'Members'), this.#members,
      el('p', { id: 'group-members-about' }, 'Separated by commas. The first one owns it.'),
      el('label', { class: 'choice' }, this.#history, 'Who joins later may read what was written before'),
      this.#refused,
      el('div', { class: 'buttons' },
        el('button', { type: 'button', class: 'button', on: { click: () => this.#dialog.close() } }, 'Not now'),
        el('button', { type: 'submit', class: 'button primary' }, icon('gather'), 'Make it'))));

  connectedCallback(): void {
    this.replaceChildren(this.#dialog);
  }

  /** Asks, with these users as its members. */
  open(members: readonly string[]): void {
    this.#members.value = members.join(', ');
    this.#name.value = '';
    this.#isAddressTyped = false;
    this.#followName();
    this.#refused.hidden = true;
    this.#dialog.showModal();
  }

  /** Makes an address of the name, until one is typed. */
  #followName(): void {
    if (!this.#isAddressTyped) this.#address.value = addressFor(this.#name.value);
  }

  async #make(): Promise<void> {
    const address = this.#address.value.trim();
    const [owner = '', ...others] = new Set(this.#members.value.split(',').map((name) => name.trim()).filter(Boolean));
    // With a key it is the service that makes groups, since users may only if it is set so.
    const maker = session.user === undefined ? service('action') : api(session.user);
    const path = { groupId: address };
    try {
      await answered(maker.PUT('/v1/groups/{groupId}', { params: { path }, body: { name: this.#name.value.trim(), owner, history: this.#history.checked ? 'all' : 'none' } }));
      const { members } = others.length > 0 ? await answered(maker.POST('/v1/groups/{groupId}/members', { params: { path }, body: { users: others } })) : { members: [] };
      this.#dialog.close();
      this.onMade(address, [owner, ...members.filter(({ outcome }) => outcome === 'added').map(({ user }) => user)]);
    } catch (error) {
      this.#refused.textContent = explain(error, others);
      this.#refused.hidden = false;
    }
  }
}

function field(id: string, more: Parameters<typeof el>[1]): HTMLInputElement {
  return el('input', { id, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', required: true, ...more });
}

customElements.define('group-dialog', GroupDialog);
