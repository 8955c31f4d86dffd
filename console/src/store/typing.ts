/** For how many milliseconds somebody counts as typing after they were heard of. Clocks may differ, so that the page does not use the time that the service gives. */
const lasts = 6000;

/** Who is typing to a user. */
export class Typists {
  readonly #user: string;
  readonly #changed: () => void;
  readonly #heard = new Map<string, Map<string, ReturnType<typeof setTimeout>>>(); // by peer and user, until when

  constructor(user: string, changed: () => void) {
    this.#user = user;
    this.#changed = changed;
  }

  /** The users who are typing to a peer. */
  users(peer: string): string[] {
    return [...this.#heard.get(peer)?.keys() ?? []];
  }

  /** Notes that a user is typing. */
  heard(peer: string, user: string): void {
    if (user === this.#user) return;
    const users = this.#heard.get(peer) ?? new Map<string, ReturnType<typeof setTimeout>>();
    this.#heard.set(peer, users);
    clearTimeout(users.get(user));
    users.set(user, setTimeout(() => this.ended(peer, user), lasts));
    this.#changed();
  }

  /** Notes that a user is no longer typing, as when their message has come. */
  ended(peer: string, user: string): void {
    const users = this.#heard.get(peer);
    clearTimeout(users?.get(user));
    if (users?.delete(user)) this.#changed();
  }
}
