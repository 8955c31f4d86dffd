/**
 * The leader sends a heartbeat every `heartbeat` milliseconds. A follower that has received
 * nothing for `pingAfter` milliseconds pings it, and after `deadAfter` takes over: the leader is
 * frozen, or its tab hangs. Followers check every `heartbeat` milliseconds, but only every minute
 * in a hidden tab, whose timers browsers throttle. A ping is answered at once even there.
 */
const heartbeat = 5000;
const deadAfter = 20_000;
const pingAfter = deadAfter - heartbeat;

const ping = 'Who leads?';

/** The callbacks of a tab. */
export interface Member<Note> {
  /** Leads until the signal aborts. If it returns before that, the tab has left for good. */
  lead: (signal: AbortSignal) => Promise<void>;
  /** Receives a note of the leader. */
  receive: (note: Note) => void;
  /** The leader's state: its heartbeat, and its answer to a ping. */
  state: () => Note | undefined;
}

/**
 * Leader election among the tabs of a browser that use the same name: one leads, the others
 * receive its notes. The leader holds a Web Lock of that name, so that the next tab leads as soon
 * as the leader leaves or is closed. Notes go over a BroadcastChannel of that name.
 */
export class Tabs<Note> {
  /** Resolves when this tab knows whether it leads. */
  readonly joined: Promise<void>;
  readonly #name: string;
  readonly #member: Member<Note>;
  readonly #channel: BroadcastChannel;
  readonly #timer: ReturnType<typeof setInterval>;
  #setJoined = (): void => undefined;
  #term: AbortController | undefined; // while it leads
  #candidature = new AbortController(); // while it waits for the lock
  #sentAt = 0;
  #receivedAt = performance.now();
  #pinged = false; // since it last received a note
  #closed = false;

  constructor(name: string, member: Member<Note>) {
    this.#name = name;
    this.#member = member;
    this.joined = new Promise((resolve) => { this.#setJoined = resolve; });
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    this.#timer = setInterval(() => this.#check(), heartbeat);
    void this.#compete({ ifAvailable: true });
  }

  /** Whether this tab leads. */
  get leads(): boolean { return this.#term !== undefined; }
  get closed(): boolean { return this.#closed; }

  /** Sends a note to the other tabs if this one leads. */
  send(note: Note | undefined): void {
    if (note === undefined || !this.#term || this.#closed) return;
    this.#sentAt = performance.now();
    this.#channel.postMessage(note);
  }

  /** Sends the leader's state, unless another note was sent within half a heartbeat. */
  beat(): void {
    if (performance.now() - this.#sentAt >= heartbeat / 2) this.send(this.#member.state());
  }

  close(): void {
    this.#closed = true;
    this.#setJoined();
    clearInterval(this.#timer);
    this.#channel.close();
    this.#candidature.abort();
    this.#term?.abort();
  }

  #receive(data: unknown): void {
    if (data === ping) this.send(this.#member.state());
    // A leader ignores late notes of the leader before it.
    else if (!this.#term) {
      this.#receivedAt = performance.now();
      this.#pinged = false;
      this.#member.receive(data as Note);
    }
  }

  #check(): void {
    if (this.#term) return this.beat();
    // This tab may itself have slept, with notes still queued: it never takes over before a ping.
    const silence = performance.now() - this.#receivedAt;
    if (silence >= deadAfter && this.#pinged) {
      this.#pinged = false;
      this.#candidature.abort();
      void this.#compete({ steal: true });
    } else if (silence >= pingAfter) this.#ping();
  }

  #ping(): void {
    this.#pinged = true;
    this.#channel.postMessage(ping);
  }

  /** Waits for the lock, leads while it holds it, and waits again if another tab steals it. */
  async #compete(options: LockOptions): Promise<void> {
    const term = new AbortController();
    let hasLed = false;
    try {
      await navigator.locks.request(this.#name, options, async (lock) => {
        if (!lock || this.#closed) return;
        this.#term = term;
        this.#setJoined();
        await this.#member.lead(term.signal);
        hasLed = true;
      });
    } catch {
      // Another tab has stolen the lock, or this one has stopped waiting for it.
    }
    term.abort();
    if (this.#term === term) this.#term = undefined;
    if (hasLed || this.#closed || options.signal?.aborted) return;
    this.#setJoined();
    this.#receivedAt = performance.now();
    this.#ping();
    this.#candidature = new AbortController();
    void this.#compete({ signal: this.#candidature.signal });
  }
}
