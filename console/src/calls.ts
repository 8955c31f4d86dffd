import { Emitter } from './emitter.ts';

/** A request that this page made, and its result. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Whether it follows an action of the user; otherwise the page made it by itself. */
  readonly byUser: boolean;
  readonly began: number;
  /** How often it was made: a request that fails again as it did before is not listed again. */
  times: number;
  status?: number;
  /** Milliseconds until the answer began. */
  took?: number;
  answer?: string;
  failure?: string;
  isStream?: boolean;
}

/** How many requests are kept. */
const maxCalls = 60;

/** The latest requests of this page, newest first. */
class Calls extends Emitter {
  readonly list: Call[] = [];
  /** The call that the user has selected in the list. */
  selected: Call | undefined;
  #next = 1;
  #screenSince = 0;

  /** The call to show: the selected one, else the user's last on this screen, else the first of this screen. */
  get shown(): Call | undefined {
    const here = this.list.filter((call) => call.began >= this.#screenSince);
    return this.selected ?? here.find((call) => call.byUser) ?? here.at(-1) ?? this.list.find((call) => call.byUser) ?? this.list[0];
  }

  /** Another screen is shown: calls of the screens before no longer come first. */
  startScreen(): void {
    this.#screenSince = performance.now();
    this.selected = undefined;
    this.emit();
  }

  /** Forgets all of them, as when somebody else signs in. */
  clear(): void {
    this.list.length = 0;
    this.select(undefined);
  }

  select(call: Call | undefined): void {
    this.selected = call;
    this.emit();
  }

  /** Makes a request and records it. */
  async fetch(request: Request, byUser: boolean): Promise<Response> {
    const call: Call = {
      id: this.#next++,
      method: request.method,
      url: new URL(request.url),
      headers: Object.fromEntries([...request.headers].filter(([name]) => name !== 'authorization')),
      body: request.method === 'GET' ? undefined : await request.clone().text() || undefined,
      byUser,
      began: performance.now(),
      times: 1,
    };
    this.list.unshift(call);
    this.list.length = Math.min(this.list.length, maxCalls);
    if (byUser) this.selected = undefined;
    this.emit();
    try {
      const response = await fetch(request);
      call.status = response.status;
      call.isStream = response.headers.get('Content-Type')?.startsWith('text/event-stream') ?? false;
      if (!call.isStream) void this.#keepAnswer(call, response.clone());
      return response;
    } catch (error) {
      call.failure = request.signal.aborted ? 'Cancelled' : 'No answer';
      throw error;
    } finally {
      call.took = performance.now() - call.began;
      this.#fold(call);
      this.emit();
    }
  }

  /** Counts a request that has failed in the line of the same one before it, if that failed in the same way. */
  #fold(call: Call): void {
    if (!this.list.includes(call)) return; // it is too long ago, or of before the last sign in
    const before = this.list.find((other) => other !== call && isSame(other, call));
    if (!before || !hasFailed(call) || before.failure !== call.failure || before.status !== call.status) return;
    before.times++;
    this.list.splice(this.list.indexOf(call), 1);
    if (this.selected === call) this.selected = before;
  }

  async #keepAnswer(call: Call, response: Response): Promise<void> {
    const text = await response.text().catch(() => '');
    call.answer = text.replace(/"token":"[^"]*"/, '"token":"…"'); // that of createToken is a credential
    this.emit();
  }
}

const isSame = (one: Call, other: Call): boolean => one.method === other.method && one.url.href === other.url.href && one.body === other.body && one.byUser === other.byUser;

/** Whether a request was refused or not answered. */
export const hasFailed = ({ failure, status = 0 }: Call): boolean => failure !== undefined || status >= 400;

export const calls = new Calls();
