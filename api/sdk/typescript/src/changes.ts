import { followAlone } from './alone.js';
import type { MessageService } from './index.js';
import type { components } from './schema.js';
import { followTogether, shares } from './together.js';

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
  /**
   * Whether this loop and those of other tabs of the browser share one connection, if they
   * follow the same user of the same service with the same headers of their requests,
   * `Authorization` among them. Absent, they do, unless the client has a `fetch` of its own,
   * which might add a credential that nobody sees here. Outside of browsers nothing is shared.
   */
  share?: boolean | undefined;
}

/**
 * Yields what changes for a user, in the order of the feed, as it is stored. It has no
 * end: when the connection is lost it makes a new one and goes on behind the last
 * change, so that nothing is missed and nothing comes twice. Store the `cursor` of a
 * change once you have dealt with it, and pass it as `after` the next time.
 *
 * Leaving the loop closes the connection, and so does a `signal`, which ends the loop
 * without an error. It throws a {@link ProblemError} when the service refuses for
 * good: if its type is `urn:problem-type:message-service:cursor-ahead`, begin anew.
 *
 * The tabs of a browser share one connection, see {@link FollowOptions.share}. A stream that
 * does not begin within 5 seconds is held back by something between; then it asks for pages
 * that the service holds until there is a change, and tries a stream again after 5 minutes.
 */
export async function* followChanges(
  api: MessageService,
  userId: string,
  options: FollowOptions = {},
): AsyncGenerator<Change, void, undefined> {
  yield* (shares(api, options.share) ? followTogether : followAlone)(api, userId, options);
}
