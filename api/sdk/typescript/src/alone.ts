import type { Change, FollowOptions } from './changes.js';
import { connect, Lost, type Place } from './connection.js';
import type { MessageService } from './index.js';
import { pause } from './retry.js';

/** How long to wait for the next attempt while a stream has not told. */
export const usualRetry = 1000;
/** How far that grows while one attempt after the other fails. */
const longestRetry = 30_000;

/** Follows the changes of a user over connections of its own. `onBytes` is called whenever something comes. */
export async function* followAlone(
  api: MessageService,
  userId: string,
  options: FollowOptions,
  onBytes?: () => void,
): AsyncGenerator<Change, void, undefined> {
  const { after, signal, onReady, onRetry } = options;
  const place: Place = { after, cursor: undefined, retry: usualRetry, failures: 0 };
  while (!signal?.aborted) {
    try {
      for await (const { cursor, change } of connect(api, userId, place, signal, onBytes)) {
        place.failures = 0;
        place.cursor = cursor;
        if (change) yield change;
        else await onReady?.(cursor);
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

/** In how many milliseconds to try again: what was asked for, or longer each time; at random, so that not all come at once. */
export function nextAttempt({ retry, failures }: Pick<Place, 'retry' | 'failures'>, asked: number): number {
  if (asked > 0) return asked * (1 + Math.random() / 4);
  return Math.max(retry, Math.min(retry * 2 ** failures, longestRetry) * (0.5 + Math.random() / 2));
}
