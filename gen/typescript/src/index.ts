/**
 * Typed client of Message Service, for Node 20 or newer and the browser. The types
 * are generated from the OpenAPI document of the service.
 */
import createFetchClient, { type Client, type ClientOptions } from 'openapi-fetch';

import { asProblem, ProblemError } from './problem.js';
import { retrying, type Fetch } from './retry.js';
import type { components, paths } from './schema.js';
import { plainClients } from './together.js';

/** A message as it is now. */
export type Message = components['schemas']['Message'];
/** A message to be sent. */
export type SendMessageRequest = components['schemas']['SendMessageRequest'];
/** What to replace in a message; `metadata: null` removes the metadata. */
export type EditMessageRequest = components['schemas']['EditMessageRequest'];
/** One page of messages, newest first. */
export type MessagePage = components['schemas']['MessagePage'];
/** One user's view of what they and another have written to each other. */
export type Conversation = components['schemas']['Conversation'];
/** One page of conversations, the one with the newest message first. */
export type ConversationPage = components['schemas']['ConversationPage'];
/** How far a user has read. */
export type SetReadMarkerRequest = components['schemas']['SetReadMarkerRequest'];
/** How far a user has read the conversation with a peer. */
export type ReadMarker = components['schemas']['ReadMarker'];
/** A user receives nothing from a peer. */
export type Block = components['schemas']['Block'];
/** One page of blocks, in the order of the blocked users' ids. */
export type BlockPage = components['schemas']['BlockPage'];
/** One line of an export: a message, a read marker or a block, named by `type`. Skip a type that you do not know. */
export type ExportRecord = components['schemas']['ExportRecord'];
/** The sizes the server accepts. */
export type Limits = components['schemas']['Limits'];

export { followChanges, type Change, type ChangePage, type FollowOptions } from './changes.js';
export { ProblemError, type Problem } from './problem.js';
export type { components, paths };

/** What answers are read as; a stream of events, which is text too, is left to {@link followChanges}. */
type Media = `application/${string}` | 'text/plain';

/** The client: a method for each HTTP method, and a type for each path. */
export type MessageService = Client<paths, Media>;

/** What adjusts a client: the options of openapi-fetch, and a time. */
export interface MessageServiceOptions extends Omit<ClientOptions, 'baseUrl' | 'fetch'> {
  /** Makes each attempt in place of the global `fetch`. */
  fetch?: Fetch;
  /**
   * How many milliseconds an attempt has for a whole answer; 30,000 if absent. What a list of
   * changes asks to `wait` is added, and streams and exports need only begin in time.
   */
  timeout?: number;
}

/**
 * Makes a client of the service at `baseUrl`, such as `http://localhost:8080`. An
 * answer is `{ data, error, response }`: `error` is a {@link Problem} when the
 * status is 400 or above. A failed connection rejects the promise.
 *
 * What may be repeated is, up to four times, while the connection fails or takes too long, or
 * the answer is 429, 502, 503 or 504: GET, PUT and DELETE, and a POST with an
 * `Idempotency-Key`. It waits for as long as `Retry-After` says, if that is no more than a
 * minute, else from 0.2 to 10 seconds.
 */
export function createMessageService(baseUrl: string, options: MessageServiceOptions = {}): MessageService {
  const { fetch = (request) => globalThis.fetch(request), timeout = 30_000, ...rest } = options;
  const client = createFetchClient<paths, Media>({ ...rest, baseUrl, fetch: retrying(fetch, timeout) });
  client.use({ onResponse: async ({ response, options: { parseAs } }) => asProblem(response) ?? await asText(response, parseAs) });
  if (!options.fetch) plainClients.add(client);
  return client;
}

/** Lets text be read as text, although answers are read as JSON unless something else is asked for. */
async function asText(response: Response, parseAs: string): Promise<Response | undefined> {
  if (parseAs !== 'json' || !response.headers.get('Content-Type')?.startsWith('text/plain')) return undefined;
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.delete('Content-Length');
  return new Response(JSON.stringify(await response.text()), { status, statusText, headers });
}

/**
 * Yields what concerns a user, record by record as it arrives: the messages they sent
 * or received, the oldest first, then their read markers, then their blocks. However
 * many there are, only a few are in memory. Leaving the loop closes the connection; a
 * `signal` does so while the loop waits.
 *
 * It throws a {@link ProblemError} when the service answers with a problem, and another
 * error when the export is cut short: what was yielded until then is not all.
 */
export async function* exportUser(
  api: MessageService,
  userId: string,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<ExportRecord, void, undefined> {
  const { data, error } = await api.GET('/v1/users/{userId}/export', {
    ...options,
    params: { path: { userId } },
    parseAs: 'stream',
  });
  if (error) throw new ProblemError(error);
  const reader = data?.getReader();
  try {
    // A chunk ends anywhere: within a line, and within a character.
    const decoder = new TextDecoder('utf-8', { fatal: true });
    let rest = '';
    for (;;) {
      const chunk = await reader?.read();
      if (chunk?.value === undefined) throw new Error('The export was cut short.');
      const lines = (rest + decoder.decode(chunk.value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const record: ExportRecord = JSON.parse(line);
        if (record.type === 'end') return;
        yield record;
      }
    }
  } finally {
    // A stream that failed has nothing to cancel, and rejects with what is thrown anyway.
    await reader?.cancel().catch(() => undefined);
  }
}
