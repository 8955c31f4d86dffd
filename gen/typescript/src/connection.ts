import { createParser, type EventSourceMessage } from 'eventsource-parser';

import type { Change, ChangePage, Typing } from './changes.js';
import type { MessageService } from './index.js';
import { ProblemError, type Problem } from './problem.js';
import { retryAfter } from './retry.js';

/** Milliseconds of silence after which a stream counts as dead: three of the service's heartbeats (comments). */
const silence = 45_000;
/** Milliseconds for a stream to be ready; one that takes longer is buffered by something between. */
const readyWithin = 5000;
/** Seconds for which a long poll asks the service to wait for a change. */
const longPoll = 30;
/** Milliseconds of long polling before a stream is tried again. */
const pollingFor = 300_000;

/** The position of a reader in a feed, and the state of its retries. */
export interface Place {
  readonly after: string | undefined; // where the caller began
  cursor: string | undefined; // of the last event, across connections
  retry: number; // the last `retry` field of a stream, in milliseconds
  failures: number; // attempts in a row that brought no event
}

/** An event of a connection: a change and its cursor, or, without a change, the cursor after which it is ready; or who is typing, which has none. */
export type FeedEvent = { cursor: string; change?: Change } | { typing: Typing };

/** The connection is lost or could not be made, but another attempt may succeed. `cause` is the reason. */
export class Lost extends Error {
  readonly retryAfter: number;

  constructor(cause: unknown, retryAfter = 0) {
    super('There is no connection.', { cause });
    this.retryAfter = retryAfter;
  }
}

/**
 * Yields the events of one connection, and throws {@link Lost} when it breaks. It returns
 * only after long polling, when it is time to try a stream again. The caller's loop body and
 * callbacks do not run in here, so their errors are never taken for errors of the connection.
 * `onBytes` is called for each chunk received, also for a heartbeat.
 */
export async function* connect(
  api: MessageService,
  userId: string,
  place: Place,
  signal: AbortSignal | undefined,
  onBytes?: () => void,
): AsyncGenerator<FeedEvent, void, undefined> {
  const stream = new Connection(signal);
  const notReady = new Error(`The stream was not ready within ${readyWithin / 1000} seconds.`);
  const timer = setTimeout(() => stream.abort(notReady), readyWithin);
  try {
    for await (const { event, data } of readStream(stream, api, userId, place, onBytes)) {
      clearTimeout(timer);
      const content: Change | { cursor: string } | Typing = JSON.parse(data);
      if ('type' in content) yield { cursor: content.cursor, change: content };
      else if ('cursor' in content) yield content;
      else if (event === 'typing') yield { typing: content };
    }
  } catch (error) {
    if (stream.signal.reason !== notReady) throw error;
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

    // A chunk may end within an event or within a character. An event that the stream does
    // not finish does not count.
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
    // Cancelling a stream that has failed rejects with the same error.
    reader?.cancel().catch(() => undefined);
  }
}

async function* readPages(
  api: MessageService,
  userId: string,
  place: Place,
  signal: AbortSignal | undefined,
): AsyncGenerator<FeedEvent, void, undefined> {
  const end = Date.now() + pollingFor;
  let after = place.cursor ?? place.after;
  let page = await readPage(api, userId, after, signal);
  yield { cursor: after ?? page.next };
  for (;;) {
    for (const change of page.changes) yield { cursor: change.cursor, change };
    if (Date.now() >= end) return;
    after = page.next;
    page = await readPage(api, userId, after, signal, page.hasMore ? 0 : longPoll);
  }
}

/** Reads one page of changes; throws {@link Lost} when the request fails. `wait` is in seconds. */
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

/** The error for a problem: {@link Lost} if it is temporary. */
function refusal(error: Problem, response: Response): Error {
  const problem = new ProblemError(error);
  const isTemporary = response.status === 429 || response.status >= 500;
  return isTemporary ? new Lost(problem, retryAfter(response.headers)) : problem;
}

/** Aborts one request when the caller's signal aborts, when it is closed, or after too long a silence. */
class Connection extends AbortController {
  readonly #outer: AbortSignal | undefined;
  readonly #leave = (): void => this.abort(this.#outer?.reason);

  constructor(outer: AbortSignal | undefined) {
    super();
    this.#outer = outer;
    outer?.addEventListener('abort', this.#leave);
    if (outer?.aborted) this.#leave();
  }

  /** Waits for the next result, and aborts the connection if that takes longer than `silence`. */
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
