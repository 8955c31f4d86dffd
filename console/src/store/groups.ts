import type { Group, Membership, Role } from 'message-service-client';

import { answered } from '../answers.ts';
import { background } from '../api.ts';

/** The roles, the one that may do the most first. */
export const roles: readonly Role[] = ['owner', 'admin', 'member'];

/** What a user knows of groups: their names, and the members of those that were opened. What it is told of the feed keeps them up to date. */
export class Groups {
  readonly #user: string;
  readonly #changed: () => void;
  readonly #groups = new Map<string, Group>();
  readonly #members = new Map<string, Map<string, Membership>>(); // by group and user
  readonly #opening = new Map<string, Promise<void>>(); // by group
  /** How many changes of memberships there were. */
  #told = 0;

  constructor(user: string, changed: () => void) {
    this.#user = user;
    this.#changed = changed;
  }

  /** The groups that the user is known to be in. */
  get addresses(): string[] {
    return [...this.#groups.keys()];
  }

  get(address: string): Group | undefined {
    return this.#groups.get(address);
  }

  /** The members of a group that was opened: the owner, then the admins, then the others. */
  members(address: string): Membership[] {
    const members = [...this.#members.get(address)?.values() ?? []];
    return members.sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role) || (a.user < b.user ? -1 : 1));
  }

  /** How many members a group has: as many as are known once all of them are, since a change of a member does not say it. */
  memberCount(address: string): number | undefined {
    return this.#members.get(address)?.size ?? this.#groups.get(address)?.memberCount;
  }

  /** Whether the user has at least a role in a group that was opened. */
  isAtLeast(role: Role, address: string): boolean {
    const own = this.#members.get(address)?.get(this.#user);
    return own !== undefined && roles.indexOf(own.role) <= roles.indexOf(role);
  }

  /** Loads a group and its members, once. */
  open(address: string): Promise<void> {
    const opening = this.#opening.get(address) ?? this.#load(address).catch(() => { this.#opening.delete(address); });
    this.#opening.set(address, opening);
    return opening;
  }

  /** Notes a group as it is now. */
  put(group: Group): void {
    this.#groups.set(group.address, group);
    this.#changed();
  }

  /** Notes that somebody has joined a group, has another role in it, or is no longer in it. */
  apply(membership: Membership): void {
    this.#told++;
    const members = this.#members.get(membership.group);
    if (membership.state === 'active') members?.set(membership.user, membership);
    else members?.delete(membership.user);
    this.#changed();
  }

  /** Forgets a group that the user is no longer in, or all of them. */
  forget(address?: string): void {
    for (const known of [this.#groups, this.#members, this.#opening]) {
      if (address === undefined) known.clear();
      else known.delete(address);
    }
  }

  async #load(address: string): Promise<void> {
    const path = { groupId: address };
    this.put(await answered(background(this.#user).GET('/v1/groups/{groupId}', { params: { path } })));
    let told: number;
    do { // again if somebody has joined or left meanwhile
      told = this.#told;
      this.#members.set(address, await this.#loadMembers(address));
    } while (told !== this.#told);
    this.#changed();
  }

  async #loadMembers(address: string): Promise<Map<string, Membership>> {
    const members = new Map<string, Membership>();
    const path = { groupId: address };
    let after: string | undefined;
    do {
      const page = await answered(background(this.#user).GET('/v1/groups/{groupId}/members', { params: { path, query: after === undefined ? {} : { after } } }));
      for (const member of page.members) members.set(member.user, member);
      after = page.next;
    } while (after !== undefined);
    return members;
  }
}
