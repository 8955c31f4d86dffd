import type { Membership, Role } from 'message-service-client';

import { answered, explain } from '../answers.ts';
import { api } from '../api.ts';
import { announce, el, icon, isDrawn, once, reconcile } from '../dom.ts';
import { roles, type Groups } from '../store/groups.ts';
import { memberCount } from '../text.ts';
import { confirmedButton } from './confirmed-button.ts';
import { nameField } from './name-field.ts';
import { avatar } from './user-avatar.ts';

/** Why somebody was not added. */
const outcomes: Readonly<Record<string, string>> = {
  'already-member': 'is a member already', blocked: 'has blocked this user', 'too-many-groups': 'is in too many groups', 'group-full': 'is one too many: the group is full', 'being-erased': 'is being erased',
};

/** A group as one of its members sees it: its name, who is in it, and what this member may change. */
export class GroupPanel extends HTMLElement {
  user = '';
  address = '';
  groups!: Groups;

  readonly #head = el('div', { class: 'group-head' });
  readonly #list = el('ul', { class: 'members', 'aria-label': 'Members' });
  readonly #field = el('input', { 'aria-label': 'Who is to be added', placeholder: 'Add a user', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', maxlength: 128, required: true });
  readonly #addMembers = once<SubmitEvent>(() => this.#addMember());
  readonly #add = el('form', { class: 'add', on: { submit: (event) => { event.preventDefault(); this.#addMembers(event); } } }, this.#field, el('button', { type: 'submit', class: 'button' }, icon('add'), 'Add'));
  readonly #end = el('div', { class: 'buttons' });
  readonly #problem = el('p', { class: 'problem', role: 'alert', hidden: true });

  connectedCallback(): void {
    this.replaceChildren(this.#head, this.#list, this.#add, this.#problem, this.#end);
    void this.groups.open(this.address);
    this.draw();
  }

  draw(): void {
    const { groups, address } = this;
    const group = groups.get(address);
    const mayChange = groups.isAtLeast('admin', address);
    this.hidden = group === undefined;
    if (!group || !this.isConnected) return;
    const count = memberCount(groups.memberCount(address));
    if (!isDrawn(this.#head, group, count, mayChange)) {
      this.#head.replaceChildren(
        mayChange ? nameField(group.name, 'Name of the group', (name) => void this.#try(() => this.#rename(name))) : el('bdi', { class: 'name' }, group.name),
        el('span', { class: 'about' }, el('code', {}, address), `, ${count}`));
    }
    reconcile(this.#list, groups.members(address), ({ user }) => user, (member, existing) => this.#drawMember(member, existing));
    this.#add.hidden = !mayChange;
    const isOwner = groups.isAtLeast('owner', address);
    if (isDrawn(this.#end, isOwner)) return;
    this.#end.replaceChildren(
      confirmedButton('leave', ['Leave', 'Leave the group?', 'Leaving…'], () => this.#remove(this.user), { isLabelled: true }),
      isOwner ? confirmedButton('trash', ['Delete', 'Delete the group for all?', 'Deleting…'], () => this.#try(() => this.#delete()), { isLabelled: true }) : '');
  }

  #drawMember({ user, role }: Membership, existing: HTMLElement | undefined): HTMLElement {
    const { groups, address } = this;
    const item = existing ?? el('li');
    const maySetRole = groups.isAtLeast('owner', address) && user !== this.user;
    const mayRemove = user !== this.user && groups.isAtLeast(role === 'member' ? 'admin' : 'owner', address);
    if (isDrawn(item, role, maySetRole, mayRemove)) return item;
    item.replaceChildren(
      avatar(user), el('span', { class: 'peer' }, user),
      maySetRole ? this.#roleSelect(user, role) : el('span', { class: 'role' }, role),
      mayRemove ? confirmedButton('close', [`Remove ${user}`, 'Remove?', 'Removing…'], () => this.#remove(user)) : '');
    return item;
  }

  #roleSelect(user: string, role: Role): HTMLElement {
    const select: HTMLSelectElement = el('select', {
      'aria-label': `Role of ${user}`,
      on: { change: once(() => this.#try(() => this.#setRole(user, select.value as Role)).then((done) => { if (!done) select.value = role; })) },
    }, ...roles.map((name) => el('option', { selected: name === role }, name)));
    return select;
  }

  async #rename(name: string): Promise<void> {
    this.groups.put(await answered(api(this.user).PATCH('/v1/groups/{groupId}', { params: { path: { groupId: this.address } }, body: { name } })));
  }

  async #setRole(userId: string, role: Role): Promise<void> {
    await answered(api(this.user).PUT('/v1/groups/{groupId}/members/{userId}', { params: { path: { groupId: this.address, userId } }, body: { role } }));
    announce(`${userId} is now ${role}`);
  }

  async #addMember(): Promise<void> {
    const user = this.#field.value.trim();
    await this.#try(async () => {
      const { members } = await answered(api(this.user).POST('/v1/groups/{groupId}/members', { params: { path: { groupId: this.address } }, body: { users: [user] } }));
      const outcome = members[0]?.outcome ?? '';
      if (outcome !== 'added') return this.#say(`${user} ${outcomes[outcome] ?? 'was not added'}.`);
      this.#field.value = '';
      announce(`${user} was added`);
    }, [user]);
  }

  async #remove(userId: string): Promise<void> {
    await this.#try(async () => {
      await answered<unknown>(api(this.user).DELETE('/v1/groups/{groupId}/members/{userId}', { params: { path: { groupId: this.address, userId } } }));
      announce(userId === this.user ? `${userId} has left the group` : `${userId} was removed`);
    });
  }

  async #delete(): Promise<void> {
    await answered<unknown>(api(this.user).DELETE('/v1/groups/{groupId}', { params: { path: { groupId: this.address } } }));
  }

  /** Makes a request, and shows why it was refused. Returns whether it was answered as hoped. */
  async #try(work: () => Promise<void>, entries?: readonly string[]): Promise<boolean> {
    this.#say('');
    try {
      await work();
      return true;
    } catch (error) {
      this.#say(explain(error, entries));
      return false;
    }
  }

  #say(problem: string): void {
    this.#problem.textContent = problem;
    this.#problem.hidden = problem === '';
  }
}

customElements.define('group-panel', GroupPanel);
