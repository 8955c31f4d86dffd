import { followAlone } from './alone.js';
import type { MessageService } from './index.js';
import type { components } from './schema.js';
import { followTogether, shares } from './together.js';

/** What has changed, a message, a read marker, a group or a membership, named by `type`, as it is now. Skip a type that you do not know. */
export type Change = components['schemas']['Change'];
/** One page of changes, the oldest first. */
export type ChangePage = components['schemas']['ChangePage'];

/** That a user is writing a message, as far as is known until `expiresAt`. */
export interface Typing {
  readonly user: string;
  /** As the user who follows addresses it: the one who writes, or the group. */
  readonly peer: string;
  readonly expiresAt: string;
}

/** Where {@link followChanges} begins, what ends it, and its callbacks. */
export interface FollowOptions {
  /** The cursor of the last change you have processed. Without it you follow from now. */
  after?: string | undefined;
  /** Ends the loop, even while it waits. */
  signal?: AbortSignal | undefined;
  /**
   * Called at each connection, with the cursor it resumes after. Store it if you have
   * none: with it as `after` you miss nothing from then on. A promise it returns is awaited.
   */
  onReady?: ((cursor: string) => unknown) | undefined;
  /**
   * Called when the connection is lost or cannot be made, with the reason and the milliseconds
   * until the next attempt. A promise it returns is awaited.
   */
  onRetry?: ((reason: unknown, wait: number) => unknown) | undefined;
  /**
   * Called while somebody writes to the user, or in a group of theirs. That is not a change: it has no
   * cursor, and what happens while there is no stream is never told. A promise it returns is not awaited.
   */
  onTyping?: ((typing: Typing) => unknown) | undefined;
  /**
   * Whether this loop shares one connection with those of other tabs of the browser that follow
   * the same user of the same service with the same request headers, `Authorization` among them.
   * By default it does, unless the client has its own `fetch`, which might add a credential
   * that this package cannot see. Outside of browsers nothing is shared.
   */
  share?: boolean | undefined;
}

/**
 * Yields the changes of a user's mailbox in the order of the feed, as they are stored. It
 * has no end: when the connection is lost it reconnects and resumes after the last change,
 * so that none is missed and none comes twice. Store the `cursor` of a change once you have
 * processed it, and pass it as `after` the next time.
 *
 * Leaving the loop closes the connection, and so does a `signal`, which ends the loop
 * without an error. It throws a {@link ProblemError} when the service refuses for
 * good: if its type is `urn:problem-type:message-service:cursor-ahead`, begin anew.
 *
 * The tabs of a browser share one connection, see {@link FollowOptions.share}. If a stream does
 * not begin within 5 seconds, something between buffers it, such as a proxy. The loop then uses
 * long polling, and tries a stream again after 5 minutes.
 */
export async function* followChanges(
  api: MessageService,
  userId: string,
  options: FollowOptions = {},
): AsyncGenerator<Change, void, undefined> {
  yield* (shares(api, options.share) ? followTogether : followAlone)(api, userId, options);
}
