/**
 * How often the leader says that it is there. A follower that hears nothing for `doubtful`
 * milliseconds asks for it, and after `silent` takes the lead: then the leader is frozen, or
 * its tab hangs. Each looks every `beat` milliseconds, or every minute while a browser slows the
 * timers of hidden tabs; a question is answered at once even there.
 */
const beat = 5000;
const silent = 20_000;
const doubtful = silent - beat;

const question = 'Who leads?';

/** What a tab does among the others. */
export interface Part<Note> {
  /** Leads until the signal aborts. When it returns before, the tab has left for good. */
  lead: (signal: AbortSignal) => Promise<void>;
  /** Hears what the leader tells. */
  hear: (note: Note) => void;
  /** What the leader says of itself now and then, and when it is asked. */
  state: () => Note | undefined;
}

/**
 * Those in one browser that hold the same name: one leads, the others hear what it tells.
 * The leader holds a Web Lock, so that the next one leads as soon as it leaves or its tab is
 * closed; what it tells goes over a BroadcastChannel. Both have the name.
 */
export class Tabs<Note> {
  /** Resolves when it is known who leads. */
  readonly joined: Promise<void>;
  readonly #name: string;
  readonly #part: Part<Note>;
  readonly #channel: BroadcastChannel;
  readonly #timer: ReturnType<typeof setInterval>;
  #known = (): void => undefined;
  #term: AbortController | undefined; // while it leads
  #candidature = new AbortController(); // while it waits for the lock
  #told = 0;
  #heard = performance.now();
  #asked = false;
  #closed = false;

  constructor(name: string, part: Part<Note>) {
    this.#name = name;
    this.#part = part;
    this.joined = new Promise((resolve) => { this.#known = resolve; });
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    this.#timer = setInterval(() => this.#look(), beat);
    void this.#compete({ ifAvailable: true });
  }

  /** Whether this one leads. */
  get leads(): boolean { return this.#term !== undefined; }
  get closed(): boolean { return this.#closed; }

  /** Tells the others, as the leader. */
  tell(note: Note | undefined): void {
    if (note === undefined || !this.#term || this.#closed) return;
    this.#told = performance.now();
    this.#channel.postMessage(note);
  }

  /** Tells the others of the leader's state if it has told them nothing for a while. */
  beat(): void {
    if (performance.now() - this.#told >= beat / 2) this.tell(this.#part.state());
  }

  close(): void {
    this.#closed = true;
    this.#known();
    clearInterval(this.#timer);
    this.#channel.close();
    this.#candidature.abort();
    this.#term?.abort();
  }

  #receive(data: unknown): void {
    if (data === question) this.tell(this.#part.state());
    // What is still under way from an earlier leader is of no use to this one.
    else if (!this.#term) {
      this.#heard = performance.now();
      this.#asked = false;
      this.#part.hear(data as Note);
    }
  }

  #look(): void {
    if (this.#term) return this.beat();
    // It may have been asleep itself, with what it was told still to be heard; so it asks first.
    const quiet = performance.now() - this.#heard;
    if (quiet >= silent && this.#asked) {
      this.#asked = false;
      this.#candidature.abort();
      void this.#compete({ steal: true });
    } else if (quiet >= doubtful) this.#ask();
  }

  #ask(): void {
    this.#asked = true;
    this.#channel.postMessage(question);
  }

  /** Waits for the lock, leads while it has it, and waits again when another has taken it. */
  async #compete(options: LockOptions): Promise<void> {
    const term = new AbortController();
    let hasLed = false;
    try {
      await navigator.locks.request(this.#name, options, async (lock) => {
        if (!lock || this.#closed) return;
        this.#term = term;
        this.#known();
        await this.#part.lead(term.signal);
        hasLed = true;
      });
    } catch {
      // Another has taken the lock, or this one no longer waits for it.
    }
    term.abort();
    if (this.#term === term) this.#term = undefined;
    if (hasLed || this.#closed || options.signal?.aborted) return;
    this.#known();
    this.#heard = performance.now();
    this.#ask();
    this.#candidature = new AbortController();
    void this.#compete({ signal: this.#candidature.signal });
  }
}
