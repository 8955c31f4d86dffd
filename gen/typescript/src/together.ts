/**
 * How the loops over one feed, in all tabs of a browser, share one connection.
 *
 * Groups. Loops that would make the same request form a group. Its name is the URL, which has
 * the service and the user in it, and a SHA-256 hash of all headers, with the credential. A loop
 * computes the name again after each lost connection: if its credential is a new one it moves
 * to another group. The name has no token of a source: it is another one in each tab. There each
 * loop shows that it may follow this user by a request of its own with its own token: when it
 * begins, and after each lost connection, which is how a stream whose token has ended looks.
 *
 * Notes. One loop of the group leads (see tabs.ts): it has the connection, and sends each change
 * to the others with the cursor before it, `from`. A note states a fact of the feed: the next
 * change after `from` is this one. A follower compares it with its own cursor:
 *
 *  - not before the change's cursor: the follower has the change, and skips it;
 *  - at `from` or between the two: it takes the change, since there is none in between;
 *  - before `from`: it has missed changes, and first reads pages up to `from`.
 *
 * A feed only grows at its end, so a late note is still true. Therefore no change is missed and
 * none comes twice, even while two loops believe they lead, while notes are lost, and when a
 * loop joins, sleeps or takes over: leading only decides which loop has the connection.
 *
 * Lost notes. The leader's heartbeat carries its cursor; a follower that is behind it reads
 * pages. So does a loop that begins with a cursor, and one that cannot keep up. A loop that is
 * ahead of a new connection reads a page too, so that the service can refuse its cursor: the
 * service's data was restored from a backup.
 *
 * Leaving. A tab that is frozen or in the back/forward cache leaves the group meanwhile. One that
 * stops without notice (a debugger, a sleeping process) is missed and replaced; when it wakes it
 * finds its lock stolen, stops leading and catches up.
 */
import { defaultRetry, followAlone, nextAttempt } from './alone.js';
import { Absence } from './absence.js';
import type { Change, FollowOptions, Typing } from './changes.js';
import { Lost, readPage } from './connection.js';
import type { MessageService } from './index.js';
import { ProblemError, type Problem } from './problem.js';
import { pause } from './retry.js';
import { Tabs } from './tabs.js';
import type { Tokens } from './token.js';

/** How many changes are queued for a slow loop; beyond that they are dropped and it reads pages. */
const queueLimit = 256;

interface ChangeNote { from: string; change: Change }
/** The id of the leader's connection and the leader's cursor; `lost` says why there is no connection. */
interface StateNote { connection: string; at: string | undefined; lost?: { reason: string; problem: Problem | undefined; wait: number } }
interface TypingNote { typing: Typing }
type Note = ChangeNote | StateNote | TypingNote;

/** The clients that use the global `fetch`: no credential is added to their requests that the group's name does not cover. */
export const plainClients = new WeakSet<MessageService>();

/** The tokens of the clients that have some. */
export const tokensOf = new WeakMap<MessageService, Tokens>();

/** Reports whether a loop shares its connection with other tabs: whether it is allowed to, and the browser can. */
export function shares(api: MessageService, share = plainClients.has(api)): boolean {
  const { location, navigator, BroadcastChannel, crypto, origin }: Partial<typeof globalThis> = globalThis;
  return share && location !== undefined && origin !== 'null' &&
    navigator?.locks !== undefined && BroadcastChannel !== undefined && crypto?.subtle !== undefined;
}

/** Follows the changes of a user over the connection of the tab that leads. */
export async function* followTogether(
  api: MessageService,
  userId: string,
  options: FollowOptions,
): AsyncGenerator<Change, void, undefined> {
  const follower = new Follower(api, userId, options);
  try {
    yield* follower.changes();
  } finally {
    follower.close();
  }
}

class Follower {
  readonly #api: MessageService;
  readonly #userId: string;
  readonly #options: FollowOptions;
  readonly #absence = new Absence(() => this.#leave());
  #tabs: Tabs<Note> | undefined;
  #wake = (): void => undefined;

  #cursor: string | undefined; // every change up to it has been yielded or was before the loop began
  #goal = ''; // the furthest cursor known to exist
  #behind: boolean; // there may be changes that no note will bring
  #queue: ChangeNote[] = [];
  #state: StateNote | undefined;
  #reported = ''; // the connection that the caller was last notified of
  #failures = 0; // failed attempts in a row to read a page
  #refused: { error: unknown } | undefined; // an error that another attempt would not change

  constructor(api: MessageService, userId: string, options: FollowOptions) {
    this.#api = api;
    this.#userId = userId;
    this.#options = options;
    this.#cursor = options.after?.toLowerCase();
    this.#behind = options.after !== undefined;
    options.signal?.addEventListener('abort', this.close);
  }

  readonly close = (): void => {
    this.#options.signal?.removeEventListener('abort', this.close);
    this.#absence.close();
    this.#leave();
  };

  #leave(): void {
    this.#tabs?.close();
    this.#wake();
  }

  get #over(): boolean { return this.#options.signal?.aborted ?? false; }

  async *changes(): AsyncGenerator<Change, void, undefined> {
    while (!this.#over) {
      await this.#absence.over;
      const name = await this.#attempt(() => nameOf(this.#api, this.#userId));
      if (name === undefined) return;
      if (this.#absence.lasts) continue;
      const tabs: Tabs<Note> = new Tabs<Note>(name, {
        lead: (signal) => this.#lead(tabs, name, signal),
        receive: (note) => this.#receive(note),
        state: () => this.#state,
      });
      this.#tabs = tabs;
      await tabs.joined;
      while (!this.#over && !tabs.closed) yield* this.#step(tabs);
    }
  }

  /** Takes one step: reports a connection, reads a page, yields a change, or waits until there is something to do. */
  async *#step(tabs: Tabs<Note>): AsyncGenerator<Change, void, undefined> {
    if (this.#cursor === undefined && !tabs.leads) return yield* this.#readPage();
    if (this.#state && this.#state.connection !== this.#reported) return await this.#report(this.#state, tabs.leads);
    const next = this.#queue[0];
    const cursor = this.#cursor ?? '';
    if (this.#behind || this.#goal > cursor) yield* this.#readPage();
    else if (next && next.from > cursor) this.#goal = next.from;
    else if (next) {
      this.#queue.shift();
      if (next.change.cursor <= cursor) return;
      this.#cursor = next.change.cursor;
      yield next.change;
    } else if (this.#refused) throw this.#refused.error;
    else await new Promise<void>((resolve) => { this.#wake = resolve; });
  }

  async #report({ connection, at, lost }: StateNote, leads: boolean): Promise<void> {
    const isFirst = this.#reported === '';
    this.#reported = connection;
    const { onReady, onRetry } = this.#options;
    if (lost) return void await onRetry?.(lost.problem ? new ProblemError(lost.problem) : new Error(lost.reason), lost.wait);
    if (at === undefined) return;
    this.#cursor ??= at;
    if (at < this.#cursor || !leads && !isFirst && tokensOf.get(this.#api)?.renewable) this.#behind = true;
    await onReady?.(this.#cursor);
  }

  async *#readPage(): AsyncGenerator<Change, void, undefined> {
    const goal = this.#goal;
    const page = await this.#attempt(() => readPage(this.#api, this.#userId, this.#cursor, this.#options.signal));
    if (!page) return;
    for (const change of page.changes) {
      this.#cursor = change.cursor;
      yield change;
      if (this.#over) return;
    }
    this.#behind = page.hasMore;
    // A last page includes everything that was known to exist when it was requested.
    this.#cursor = newest(page.next, page.hasMore ? '' : goal);
  }

  /** Retries an action until it succeeds; returns undefined if the loop ends first. */
  async #attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    const { signal, onRetry } = this.#options;
    while (!this.#over) {
      try {
        const result = await action();
        this.#failures = 0;
        return result;
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        if (this.#over) return undefined;
        const wait = nextAttempt({ retry: defaultRetry, failures: this.#failures++ }, error.retryAfter);
        this.#reported = ''; // so that the connection is reported again after this failure
        await onRetry?.(error.cause, wait);
        await pause(wait, signal);
      }
    }
    return undefined;
  }

  #receive(note: Note): void {
    if ('typing' in note) return void this.#options.onTyping?.(note.typing); // at once: it does not wait for the loop
    if ('change' in note) {
      if (this.#queue.push(note) > queueLimit) {
        this.#queue = [];
        this.#behind = true;
      }
    } else {
      this.#state = note;
      const last = this.#queue.at(-1)?.change.cursor ?? this.#cursor;
      if (note.at !== undefined && last !== undefined && note.at > last) this.#goal = newest(note.at, this.#goal);
    }
    this.#wake();
  }

  /** Holds the connection and sends its events to all; it resumes where the group has been, or starts from now. */
  async #lead(tabs: Tabs<Note>, name: string, signal: AbortSignal): Promise<void> {
    let at = newest(this.#goal, this.#behind ? '' : this.#cursor) || undefined;
    let reconnects = false;
    const send = (note: Note): void => {
      tabs.send(note);
      if (!signal.aborted) this.#receive(note);
    };
    try {
      const changes = followAlone(this.#api, this.#userId, {
        after: at,
        signal,
        onReady: async (cursor) => {
          if (reconnects && await nameOf(this.#api, this.#userId) !== name) return this.#leave();
          at = cursor;
          send({ connection: crypto.randomUUID(), at });
        },
        onRetry: (reason, wait) => {
          reconnects = true;
          const problem = reason instanceof ProblemError ? reason.problem : undefined;
          send({ connection: crypto.randomUUID(), at, lost: { reason: reasonOf(reason), problem, wait } });
        },
        onTyping: (typing) => send({ typing }),
      }, () => tabs.beat()); // browsers throttle the timers of hidden tabs, but not network events
      for await (const change of changes) {
        send({ from: at ?? change.cursor, change });
        at = change.cursor;
        if (this.#state) this.#state = { ...this.#state, at };
      }
    } catch (error) {
      this.#refused = { error };
      this.#wake();
    }
  }
}

function newest(a: string, b: string | undefined): string {
  return b !== undefined && b > a ? b : a;
}

function reasonOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** The name of the group of loops that make the same request, from the request itself. */
async function nameOf(api: MessageService, userId: string): Promise<string> {
  const { url, headers } = await requestOf(api, userId).catch((error: unknown) => { throw new Lost(error); });
  const sorted = JSON.stringify([...headers, ['token', tokensOf.get(api)?.group]].sort());
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sorted)));
  return `message-service-client 2 ${url} ${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

async function requestOf(api: MessageService, userId: string): Promise<Request> {
  let request: Request | undefined;
  await api.GET('/v1/users/{userId}/changes', {
    params: { path: { userId } },
    fetch: (made) => {
      request = made;
      return Promise.resolve(new Response(null, { status: 204 }));
    },
  });
  if (!request) throw new Error('A middleware answers in place of the service.');
  return request;
}
