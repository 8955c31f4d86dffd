import type { Change, FollowOptions } from './changes.js';
import { connect, Lost, type Place } from './connection.js';
import type { MessageService } from './index.js';
import { pause } from './retry.js';

/** Milliseconds before the next attempt, until a stream has sent a `retry` field. */
export const defaultRetry = 1000;
/** The most milliseconds between failing attempts. */
const longestRetry = 30_000;

/** Follows the changes of a user over its own connections. `onBytes` is called for each chunk received, also for a heartbeat. */
export async function* followAlone(
  api: MessageService,
  userId: string,
  options: FollowOptions,
  onBytes?: () => void,
): AsyncGenerator<Change, void, undefined> {
  const { after, signal, onReady, onRetry, onTyping } = options;
  const place: Place = { after, cursor: undefined, retry: defaultRetry, failures: 0 };
  while (!signal?.aborted) {
    try {
      for await (const event of connect(api, userId, place, signal, onBytes)) {
        place.failures = 0;
        if ('typing' in event) {
          void onTyping?.(event.typing);
          continue;
        }
        const { cursor, change } = event;
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

/** Milliseconds until the next attempt: as `Retry-After` asked, or exponential backoff; with jitter, so that clients do not return all at once. */
export function nextAttempt({ retry, failures }: Pick<Place, 'retry' | 'failures'>, asked: number): number {
  if (asked > 0) return Math.round(asked * (1 + Math.random() / 4));
  return Math.round(Math.max(retry, Math.min(retry * 2 ** failures, longestRetry) * (0.5 + Math.random() / 2)));
}
