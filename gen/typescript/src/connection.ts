import { createParser, type EventSourceMessage } from 'eventsource-parser';

import type { Change, ChangePage } from './changes.js';
import type { MessageService } from './index.js';
import { ProblemError, type Problem } from './problem.js';
import { retryAfter } from './retry.js';

/** How long a stream is silent at most while it lives; the service sends a comment each 15 seconds. */
const silence = 45_000;
/** A stream that takes longer to say that it is ready is held back by something between. */
const readyWithin = 5000;
/** How many seconds the service is asked to hold an empty page. */
const held = 30;
/** For how long pages take the place of a stream. */
const pagesFor = 300_000;

/** Where a reader is in a feed, and how it gets on. */
export interface Place {
  readonly after: string | undefined; // where the caller began
  cursor: string | undefined; // of the last event, also one of an earlier connection
  retry: number; // what the service last asked to wait, in milliseconds
  failures: number; // attempts in a row that brought nothing
}

/** What a connection brings: a change and its cursor, or, without one, that it is ready to go on from there. */
export interface FeedEvent {
  cursor: string;
  change?: Change;
}

/** There is no connection for now. Its cause is the reason. */
export class Lost extends Error {
  readonly retryAfter: number;

  constructor(cause: unknown, retryAfter = 0) {
    super('There is no connection.', { cause });
    this.retryAfter = retryAfter;
  }
}

/**
 * Yields the events of one connection, and throws {@link Lost} when that breaks. It ends
 * when it has asked for pages in place of a stream for long enough. No code of the caller runs
 * in here, so an error of theirs is never taken for one of the connection. `onBytes` is called
 * whenever something comes, if only a comment.
 */
export async function* connect(
  api: MessageService,
  userId: string,
  place: Place,
  signal: AbortSignal | undefined,
  onBytes?: () => void,
): AsyncGenerator<FeedEvent, void, undefined> {
  const stream = new Connection(signal);
  const heldBack = new Error(`The stream was not ready within ${readyWithin / 1000} seconds.`);
  const timer = setTimeout(() => stream.abort(heldBack), readyWithin);
  try {
    for await (const { data } of readStream(stream, api, userId, place, onBytes)) {
      clearTimeout(timer);
      const event: Change | { cursor: string } = JSON.parse(data);
      yield 'type' in event ? { cursor: event.cursor, change: event } : event;
    }
  } catch (error) {
    if (stream.signal.reason !== heldBack) throw error;
  } finally {
    clearTimeout(timer);
    stream.close();
  }
  yield* readPages(api, userId, place, signal);
}

async function* readStream(
  connection: Connection,
  api: MessageService,
  userId: string,
  place: Place,
  onBytes?: () => void,
): AsyncGenerator<EventSourceMessage, never, undefined> {
  const { after, cursor } = place;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const { data, error, response } = await connection.alive(api.GET('/v1/users/{userId}/changes', {
      params: {
        path: { userId },
        query: after === undefined ? {} : { after },
        header: cursor === undefined ? {} : { 'Last-Event-ID': cursor },
      },
      headers: { Accept: 'text/event-stream' },
      parseAs: 'stream',
      signal: connection.signal,
    }));
    if (error) throw refusal(error, response);
    reader = data?.getReader();
    const contentType = response.headers.get('Content-Type');
    if (!reader || !contentType?.startsWith('text/event-stream')) {
      throw new Error(`Answered ${contentType}, which is no stream of events.`);
    }

    // A chunk ends anywhere: within an event, and within a character. What a connection
    // leaves unfinished is not an event.
    const decoder = new TextDecoder();
    const events: EventSourceMessage[] = [];
    const parser = createParser({
      onEvent: (event) => events.push(event),
      onRetry: (milliseconds) => { place.retry = milliseconds; },
    });
    for (;;) {
      const chunk = await connection.alive(reader.read());
      if (chunk.value === undefined) throw new Lost(new Error('The stream has ended.'));
      onBytes?.();
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      yield* events.splice(0);
    }
  } finally {
    // A stream that failed has nothing to cancel.
    reader?.cancel().catch(() => undefined);
  }
}

async function* readPages(
  api: MessageService,
  userId: string,
  place: Place,
  signal: AbortSignal | undefined,
): AsyncGenerator<FeedEvent, void, undefined> {
  const end = Date.now() + pagesFor;
  let after = place.cursor ?? place.after;
  let page = await readPage(api, userId, after, signal);
  yield { cursor: after ?? page.next };
  for (;;) {
    for (const change of page.changes) yield { cursor: change.cursor, change };
    if (Date.now() >= end) return;
    after = page.next;
    page = await readPage(api, userId, after, signal, page.hasMore ? 0 : held);
  }
}

/** Reads one page of changes, and throws {@link Lost} when there is no connection. */
export async function readPage(
  api: MessageService,
  userId: string,
  after: string | undefined,
  signal: AbortSignal | undefined,
  wait = 0,
): Promise<ChangePage> {
  const connection = new Connection(signal);
  try {
    const { data, error, response } = await connection.alive(api.GET('/v1/users/{userId}/changes', {
      params: { path: { userId }, query: { ...(after !== undefined && { after }), ...(wait > 0 && { wait }) } },
      signal: connection.signal,
    }));
    if (error) throw refusal(error, response);
    return data;
  } finally {
    connection.close();
  }
}

/** What to throw for a problem: what may pass is a loss of the connection. */
function refusal(error: Problem, response: Response): Error {
  const problem = new ProblemError(error);
  const passes = response.status === 429 || response.status >= 500;
  return passes ? new Lost(problem, retryAfter(response.headers)) : problem;
}

/** A request that ends with a signal, by itself, or when it is silent. */
class Connection extends AbortController {
  readonly #outer: AbortSignal | undefined;
  readonly #leave = (): void => this.abort(this.#outer?.reason);

  constructor(outer: AbortSignal | undefined) {
    super();
    this.#outer = outer;
    outer?.addEventListener('abort', this.#leave);
    if (outer?.aborted) this.#leave();
  }

  /** Waits for what it brings, and ends it when it is silent for longer than a living one. */
  async alive<T>(next: Promise<T>): Promise<T> {
    const { signal } = this;
    const timer = setTimeout(() => this.abort(new Error(`The stream is silent for ${silence / 1000} seconds.`)), silence);
    let stop = (): void => undefined;
    const stopped = new Promise<never>((_, reject) => { stop = () => reject(signal.reason); });
    signal.addEventListener('abort', stop);
    try {
      return await Promise.race([next, stopped]);
    } catch (error) {
      throw new Lost(error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  close(): void {
    this.#outer?.removeEventListener('abort', this.#leave);
    this.abort();
  }
}
