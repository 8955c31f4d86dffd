/**
 * How the tabs of a browser follow one feed over one connection.
 *
 * Who they are. Each loop over `followChanges` takes part, in whichever tab. Those belong
 * together that would make the same request: a name is made of the address, which contains
 * service and user, and of a SHA-256 hash of all headers, the credential among them. It is
 * computed again when a connection was lost, so that who has got another credential changes over.
 *
 * What they tell. One of them leads (see tabs.ts). It has the connection and tells of each
 * event: a change, and the cursor before it. That is a fact whoever tells it: "behind `from`
 * the next change is this one". A follower has a cursor of its own, and three cases:
 *
 *  - it is at or behind the change's cursor already: it has had it, and skips it;
 *  - it is at `from` or between the two: it takes the change, since there is nothing in between;
 *  - it is before `from`: it has missed something, and first reads pages until it is there.
 *
 * A mailbox is only ever added to at its end, so a fact does not become wrong when it comes
 * late. That is why nothing is missed and nothing comes twice even while two believe they lead,
 * while messages between tabs are lost, and whenever somebody joins, sleeps or takes over:
 * who leads decides only who has the connection.
 *
 * What they cannot hear. With its state the leader tells how far it is, every few seconds;
 * who has heard of less reads pages. So does who begins with a cursor, who does not keep up,
 * and at a new connection who is further than that: a service whose data was restored
 * from a backup refuses such a cursor.
 *
 * Who leaves. A tab that is frozen or put aside by "back" leaves as long as that lasts. One that
 * stops without a word (a debugger, a sleeping process) is noticed and replaced; when it goes on
 * it finds its lock gone, stands down and catches up.
 */
import { followAlone, nextAttempt, usualRetry } from './alone.js';
import { Absence } from './absence.js';
import type { Change, FollowOptions } from './changes.js';
import { Lost, readPage } from './connection.js';
import type { MessageService } from './index.js';
import { ProblemError, type Problem } from './problem.js';
import { pause } from './retry.js';
import { Tabs } from './tabs.js';

/** How many changes wait for a loop that does not keep up; then it reads pages. */
const mostWaiting = 256;

interface ChangeNote { from: string; change: Change }
/** The connection of the leader, by an id of its own, and how far the leader is; or why there is none. */
interface StateNote { connection: string; at: string | undefined; lost?: { reason: string; problem: Problem | undefined; wait: number } }
type Note = ChangeNote | StateNote;

/** The clients whose requests are made by the global `fetch`, which adds no credential that is not seen here. */
export const plainClients = new WeakSet<MessageService>();

/** Reports whether a loop shares its connection with those of other tabs: whether it may, and can. */
export function shares(api: MessageService, share = plainClients.has(api)): boolean {
  const { location, navigator, BroadcastChannel, crypto, origin }: Partial<typeof globalThis> = globalThis;
  return share && location !== undefined && origin !== 'null' &&
    navigator?.locks !== undefined && BroadcastChannel !== undefined && crypto?.subtle !== undefined;
}

/** Follows the changes of a user over the connection of whichever tab leads. */
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

  #cursor: string | undefined; // nothing up to it is still to come
  #goal = ''; // how far others have been
  #behind: boolean; // there may be changes that nobody tells of
  #waiting: ChangeNote[] = [];
  #state: StateNote | undefined;
  #told = ''; // of which connection the caller was told last
  #failures = 0; // attempts in a row to read a page
  #refused: { error: unknown } | undefined; // what the service answered for good

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
        hear: (note) => this.#hear(note),
        state: () => this.#state,
      });
      this.#tabs = tabs;
      await tabs.joined;
      while (!this.#over && !tabs.closed) yield* this.#step(tabs);
    }
  }

  /** Does the next thing: tells of the connection, reads a page, yields a change, or waits for one of them. */
  async *#step(tabs: Tabs<Note>): AsyncGenerator<Change, void, undefined> {
    if (this.#cursor === undefined && !tabs.leads) return yield* this.#readPage();
    if (this.#state && this.#state.connection !== this.#told) return await this.#tell(this.#state);
    const next = this.#waiting[0];
    const cursor = this.#cursor ?? '';
    if (this.#behind || this.#goal > cursor) yield* this.#readPage();
    else if (next && next.from > cursor) this.#goal = next.from;
    else if (next) {
      this.#waiting.shift();
      if (next.change.cursor <= cursor) return;
      this.#cursor = next.change.cursor;
      yield next.change;
    } else if (this.#refused) throw this.#refused.error;
    else await new Promise<void>((resolve) => { this.#wake = resolve; });
  }

  async #tell({ connection, at, lost }: StateNote): Promise<void> {
    this.#told = connection;
    const { onReady, onRetry } = this.#options;
    if (lost) return void await onRetry?.(lost.problem ? new ProblemError(lost.problem) : new Error(lost.reason), lost.wait);
    if (at === undefined) return;
    this.#cursor ??= at;
    if (at < this.#cursor) this.#behind = true;
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
    // At the end of the feed it has all that anybody had when the page was asked for.
    this.#cursor = newest(page.next, page.hasMore ? '' : goal);
  }

  /** Does what needs the service until it succeeds; undefined if the loop ends before. */
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
        const wait = nextAttempt({ retry: usualRetry, failures: this.#failures++ }, error.retryAfter);
        this.#told = ''; // of the next success it is to be told
        await onRetry?.(error.cause, wait);
        await pause(wait, signal);
      }
    }
    return undefined;
  }

  #hear(note: Note): void {
    if ('change' in note) {
      if (this.#waiting.push(note) > mostWaiting) {
        this.#waiting = [];
        this.#behind = true;
      }
    } else {
      this.#state = note;
      const last = this.#waiting.at(-1)?.change.cursor ?? this.#cursor;
      if (note.at !== undefined && last !== undefined && note.at > last) this.#goal = newest(note.at, this.#goal);
    }
    this.#wake();
  }

  /** Has the connection, and tells all what it brings; it goes on where others have been, or begins now. */
  async #lead(tabs: Tabs<Note>, name: string, signal: AbortSignal): Promise<void> {
    let at = newest(this.#goal, this.#behind ? '' : this.#cursor) || undefined;
    let reconnects = false;
    const tell = (note: Note): void => {
      tabs.tell(note);
      if (!signal.aborted) this.#hear(note);
    };
    try {
      const changes = followAlone(this.#api, this.#userId, {
        after: at,
        signal,
        onReady: async (cursor) => {
          if (reconnects && await nameOf(this.#api, this.#userId) !== name) return this.#leave();
          at = cursor;
          tell({ connection: crypto.randomUUID(), at });
        },
        onRetry: (reason, wait) => {
          reconnects = true;
          const problem = reason instanceof ProblemError ? reason.problem : undefined;
          tell({ connection: crypto.randomUUID(), at, lost: { reason: reasonOf(reason), problem, wait } });
        },
      }, () => tabs.beat()); // timers are slowed in hidden tabs, what comes from the network is not
      for await (const change of changes) {
        tell({ from: at ?? change.cursor, change });
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

/** The name of those who make the same request, from what would be sent. */
async function nameOf(api: MessageService, userId: string): Promise<string> {
  const { url, headers } = await requestOf(api, userId).catch((error: unknown) => { throw new Lost(error); });
  const sorted = JSON.stringify([...headers].sort());
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sorted)));
  return `message-service-client 1 ${url} ${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
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
