/**
 * Typed client of Message Service, for Node 20 or newer and the browser. The types
 * are generated from the OpenAPI document of the service.
 */
import createFetchClient, { type Client, type ClientOptions } from 'openapi-fetch';

import { asProblem, ProblemError } from './problem.js';
import { retrying, type Fetch } from './retry.js';
import type { components, paths } from './schema.js';
import { plainClients, tokensOf } from './together.js';
import { authorizing, Tokens } from './token.js';

/** A message as it is now. */
export type Message = components['schemas']['Message'];
/** Where a word of a search is in a text: offsets in code points, which `Array.from(text)` counts and `text.length` does not. */
export type Highlight = components['schemas']['Highlight'];
/** A message to be sent. */
export type SendMessageRequest = components['schemas']['SendMessageRequest'];
/** The members of a message to replace; `metadata: null` removes the metadata. */
export type EditMessageRequest = components['schemas']['EditMessageRequest'];
/** One page of messages, newest first. */
export type MessagePage = components['schemas']['MessagePage'];
/** One user's view of the messages between them and a peer. */
export type Conversation = components['schemas']['Conversation'];
/** Whether a conversation is muted or hidden; what is absent stays as it is. */
export type UpdateConversationRequest = components['schemas']['UpdateConversationRequest'];
/** One page of conversations, the one with the newest message first. */
export type ConversationPage = components['schemas']['ConversationPage'];
/** How far a user has read. */
export type SetReadMarkerRequest = components['schemas']['SetReadMarkerRequest'];
/** How far a user has read the conversation with a peer. */
export type ReadMarker = components['schemas']['ReadMarker'];
/** A block: the user receives nothing from the peer. */
export type Block = components['schemas']['Block'];
/** One page of blocks, in the order of the blocked users' ids. */
export type BlockPage = components['schemas']['BlockPage'];
/** A group as it is now; its `address` is the recipient of messages to it. */
export type Group = components['schemas']['Group'];
/** That a user is in a group, or no longer. */
export type Membership = components['schemas']['Membership'];
/** What a member of a group may do. */
export type Role = components['schemas']['Role'];
/** One line of an export: a message, a read marker or a block, named by `type`. Skip a type that you do not know. */
export type ExportRecord = components['schemas']['ExportRecord'];
/** The sizes the server accepts. */
export type Limits = components['schemas']['Limits'];

export { followChanges, type Change, type ChangePage, type FollowOptions, type Typing } from './changes.js';
export { ProblemError, type Problem } from './problem.js';
export type { components, paths };

/** The media types of answers, but for streams of events, which {@link followChanges} reads. */
type Media = `application/${string}` | 'text/plain';

/** The client: a method for each HTTP method, and a type for each path. */
export type MessageService = Client<paths, Media>;

/** Options of a client: those of openapi-fetch, a token, and a timeout. */
export interface MessageServiceOptions extends Omit<ClientOptions, 'baseUrl' | 'fetch'> {
  /**
   * The credential to send with each request: a user token, a service key, or a function that fetches
   * a user token, for instance from your backend. It is called at the first request, and its token is
   * kept. When the service answers that the token has expired or was revoked, it is called once more
   * and the request repeated; if that is refused too, the answer is an error. Requests that wait for a
   * token wait for the same one, at most as long as `timeout`. If the function fails, so do they.
   *
   * The token goes to the origin of `baseUrl` only, and redirects are not followed. A request with an
   * `Authorization` of its own keeps that.
   */
  token?: string | (() => Promise<string>) | undefined;
  /** Makes each attempt in place of the global `fetch`. */
  fetch?: Fetch;
  /**
   * Timeout of an attempt in milliseconds, until the answer is complete; 30,000 by default. The
   * `wait` of a long poll is added, and streams and exports need only begin in time.
   */
  timeout?: number;
}

/**
 * Makes a client of the service at `baseUrl`, such as `http://localhost:8080`. An
 * answer is `{ data, error, response }`: `error` is a {@link Problem} when the
 * status is 400 or above. A failed connection rejects the promise.
 *
 * Idempotent requests (GET, PUT, DELETE, and a POST with an `Idempotency-Key`) are retried up
 * to four times when the connection fails, the attempt times out, or the answer is 429, 502, 503
 * or 504: after as long as `Retry-After` says, if that is at most a minute, else with exponential
 * backoff from 0.2 to 10 seconds.
 */
export function createMessageService(baseUrl: string, options: MessageServiceOptions = {}): MessageService {
  const { fetch = (request) => globalThis.fetch(request), timeout = 30_000, token, ...rest } = options;
  const tokens = token ? new Tokens(token, timeout) : undefined;
  const send = tokens ? authorizing(fetch, timeout, tokens, baseUrl) : retrying(fetch, timeout);
  const client = createFetchClient<paths, Media>({ ...rest, baseUrl, fetch: send });
  client.use({ onResponse: async ({ response, options: { parseAs } }) => asProblem(response) ?? await asText(response, parseAs) });
  if (!options.fetch) plainClients.add(client);
  if (tokens) tokensOf.set(client, tokens);
  return client;
}

/** Wraps a text answer in a JSON string: openapi-fetch parses each answer as JSON unless `parseAs` says otherwise. */
async function asText(response: Response, parseAs: string): Promise<Response | undefined> {
  if (parseAs !== 'json' || !response.headers.get('Content-Type')?.startsWith('text/plain')) return undefined;
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.delete('Content-Length');
  return new Response(JSON.stringify(await response.text()), { status, statusText, headers });
}

/**
 * Yields the data of a user, record by record as it arrives: the messages they sent or
 * received, oldest first, then their read markers, then their blocks. Only a few records are
 * in memory at a time. Leaving the loop closes the connection; a `signal` does so while the
 * loop waits.
 *
 * It throws a {@link ProblemError} when the service answers with a problem, and another
 * error when the export is cut short: the records until then are incomplete.
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
    // A chunk may end within a line or within a character.
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
    // Cancelling a stream that has failed rejects with the error that is being thrown already.
    await reader?.cancel().catch(() => undefined);
  }
}
