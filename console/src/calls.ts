import { Emitter } from './emitter.ts';

/** A request that this page made, and what came of it. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Whether somebody asked for it, rather than the page by itself. */
  readonly asked: boolean;
  readonly began: number;
  status?: number;
  /** How long it took until the answer began, in milliseconds. */
  took?: number;
  answer?: string;
  failure?: string;
  isStream?: boolean;
}

/** As many as anybody looks back at. */
const kept = 60;

/** The requests of this page, the newest first. */
class Calls extends Emitter {
  readonly list: Call[] = [];
  /** The one that somebody wants to see; without one it is the last that somebody asked for, or the first of a screen. */
  selected: Call | undefined;
  #next = 1;
  #turned = 0;

  /** The call to show. */
  get shown(): Call | undefined {
    const here = this.list.filter((call) => call.began >= this.#turned);
    return this.selected ?? here.find((call) => call.asked) ?? here.at(-1) ?? this.list.find((call) => call.asked) ?? this.list[0];
  }

  /** Another screen is shown: what was asked for on the one before is of the past. */
  turn(): void {
    this.#turned = performance.now();
    this.selected = undefined;
    this.changed();
  }

  select(call: Call | undefined): void {
    this.selected = call;
    this.changed();
  }

  /** Makes a request and keeps it. */
  async fetch(request: Request, asked: boolean): Promise<Response> {
    const call: Call = {
      id: this.#next++,
      method: request.method,
      url: new URL(request.url),
      headers: Object.fromEntries(request.headers),
      body: request.method === 'GET' ? undefined : await request.clone().text() || undefined,
      asked,
      began: performance.now(),
    };
    this.list.unshift(call);
    this.list.length = Math.min(this.list.length, kept);
    if (asked) this.selected = undefined;
    this.changed();
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
      this.changed();
    }
  }

  async #keepAnswer(call: Call, response: Response): Promise<void> {
    call.answer = await response.text().catch(() => '');
    this.changed();
  }
}

export const calls = new Calls();
