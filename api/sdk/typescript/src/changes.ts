import { createParser, type EventSourceMessage } from 'eventsource-parser';

import type { MessageService } from './index.js';
import { ProblemError } from './problem.js';
import { pause, retryAfter } from './retry.js';
import type { components } from './schema.js';

/** A message or a read marker that has changed, named by `type`, as it is now. Skip a type that you do not know. */
export type Change = components['schemas']['Change'];
/** One page of changes, the oldest first. */
export type ChangePage = components['schemas']['ChangePage'];

/** Where {@link followChanges} begins, what ends it, and what it tells beside the changes. */
export interface FollowOptions {
  /** The cursor of the last change you have dealt with. Without it you follow from now. */
  after?: string | undefined;
  /** Ends the loop, also while it waits. */
  signal?: AbortSignal | undefined;
  /**
   * Called at each connection, with the cursor it goes on from. Store it if you have
   * none: with it as `after` you miss nothing from then on. It is waited for.
   */
  onReady?: ((cursor: string) => unknown) | undefined;
  /**
   * Called when there is no connection, with the reason and the milliseconds until the
   * next attempt. It is waited for.
   */
  onRetry?: ((reason: unknown, wait: number) => unknown) | undefined;
}

/** How long a stream is silent at most while it lives; the service sends a comment each 15 seconds. */
const silence = 45_000;
/** How long to wait for the next attempt while a stream has not told. */
const usualRetry = 1000;
/** How far that grows while one attempt after the other fails. */
const longestRetry = 30_000;

/**
 * Yields what changes for a user, in the order of the feed, as it is stored. It has no
 * end: when the connection is lost it makes a new one and goes on behind the last
 * change, so that nothing is missed and nothing comes twice. Store the `cursor` of a
 * change once you have dealt with it, and pass it as `after` the next time.
 *
 * Leaving the loop closes the connection, and so does a `signal`, which ends the loop
 * without an error. It throws a {@link ProblemError} when the service refuses for
 * good: if its type is `urn:problem-type:message-service:cursor-ahead`, begin anew.
 */
export async function* followChanges(
  api: MessageService,
  userId: string,
  options: FollowOptions = {},
): AsyncGenerator<Change, void, undefined> {
  const { after, signal, onReady, onRetry } = options;
  const place: Place = { after, cursor: undefined, retry: usualRetry, failures: 0 };
  while (!signal?.aborted) {
    try {
      for await (const event of connect(api, userId, place, signal)) {
        place.failures = 0;
        place.cursor = event.id ?? place.cursor;
        if (event.event === 'ready') {
          const { cursor }: { cursor: string } = JSON.parse(event.data);
          await onReady?.(cursor);
        } else {
          const change: Change = JSON.parse(event.data);
          yield change;
        }
        if (signal?.aborted) return;
      }
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      if (signal?.aborted) return;
      const wait = nextAttempt(place, error.retryAfter);
      place.failures++;
      await onRetry?.(error.cause, wait);
      await pause(wait, signal);
    }
  }
}

/** Where a reader is in a feed, and how it gets on. */
interface Place {
  readonly after: string | undefined; // where the caller began
  cursor: string | undefined; // of the last event, also one of an earlier connection
  retry: number; // what the service last asked to wait, in milliseconds
  failures: number; // attempts in a row that brought nothing
}

/** There is no connection for now. Its cause is the reason. */
class Lost extends Error {
  readonly retryAfter: number;

  constructor(cause: unknown, retryAfter = 0) {
    super('There is no connection.', { cause });
    this.retryAfter = retryAfter;
  }
}

/**
 * Yields the events of one connection, and throws {@link Lost} when that ends. No code
 * of the caller runs in here, so an error of theirs is never taken for one of the connection.
 */
async function* connect(
  api: MessageService,
  userId: string,
  place: Place,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const { after, cursor } = place;
  const connection = new AbortController();
  const leave = (): void => connection.abort(signal?.reason);
  signal?.addEventListener('abort', leave);
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const { data, error, response } = await alive(connection, api.GET('/v1/users/{userId}/changes', {
      params: {
        path: { userId },
        query: after === undefined ? {} : { after },
        header: cursor === undefined ? {} : { 'Last-Event-ID': cursor },
      },
      headers: { Accept: 'text/event-stream' },
      parseAs: 'stream',
      signal: connection.signal,
    }));
    if (error) {
      const problem = new ProblemError(error);
      if (response.status !== 429 && response.status < 500) throw problem;
      throw new Lost(problem, retryAfter(response.headers));
    }
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
      const chunk = await alive(connection, reader.read());
      if (chunk.value === undefined) throw new Lost(new Error('The stream has ended.'));
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      yield* events.splice(0);
    }
  } finally {
    signal?.removeEventListener('abort', leave);
    connection.abort();
    // A stream that failed has nothing to cancel.
    reader?.cancel().catch(() => undefined);
  }
}

/** Waits for what a connection brings, and closes it when it is silent for longer than a living one. */
async function alive<T>(connection: AbortController, next: Promise<T>): Promise<T> {
  const { signal } = connection;
  const timer = setTimeout(() => connection.abort(new Error(`The stream is silent for ${silence / 1000} seconds.`)), silence);
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

/** In how many milliseconds to try again: what was asked for, or longer each time; at random, so that not all come at once. */
function nextAttempt({ retry, failures }: Place, asked: number): number {
  if (asked > 0) return asked * (1 + Math.random() / 4);
  return Math.max(retry, Math.min(retry * 2 ** failures, longestRetry) * (0.5 + Math.random() / 2));
}
