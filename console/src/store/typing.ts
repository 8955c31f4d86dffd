import { background } from '../api.ts';

/** For how many milliseconds somebody counts as typing after they were heard of. Clocks may differ, so that the page does not use the time that the service gives. */
const lasts = 6000;
/** The least milliseconds between two signals to the same peer. */
const pause = 3000;

/** Who is typing to a user, and the signals that this user is typing. */
export class Typists {
  readonly #user: string;
  readonly #changed: () => void;
  readonly #heard = new Map<string, Map<string, ReturnType<typeof setTimeout>>>(); // by peer and user, until when
  readonly #signalled = new Map<string, number>(); // by peer, when

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

  /** Signals to a peer that this user is typing. Whether that arrives does not matter. */
  signal(peer: string): void {
    const now = performance.now();
    if (now - (this.#signalled.get(peer) ?? -pause) < pause) return;
    this.#signalled.set(peer, now);
    background(this.#user).POST('/v1/users/{userId}/conversations/{peerId}/typing', { params: { path: { userId: this.#user, peerId: peer } } }).catch(() => undefined);
  }
}
