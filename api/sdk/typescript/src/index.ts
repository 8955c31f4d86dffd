/**
 * Typed client of Message Service, for Node 20 or newer and the browser. The types
 * are generated from the OpenAPI document of the service.
 */
import createFetchClient, { type Client, type ClientOptions } from 'openapi-fetch';

import type { components, paths } from './schema.js';

/** A message as it is now. */
export type Message = components['schemas']['Message'];
/** A message to be sent. */
export type SendMessageRequest = components['schemas']['SendMessageRequest'];
/** One page of messages, newest first. */
export type MessagePage = components['schemas']['MessagePage'];
/** The sizes the server accepts. */
export type Limits = components['schemas']['Limits'];
/** What went wrong, as in RFC 9457. Switch on `type`. */
export type Problem = components['schemas']['Problem'];

export type { components, paths };

/** The client: a method for each HTTP method, and a type for each path. */
export type MessageService = Client<paths>;

/**
 * Makes a client of the service at `baseUrl`, such as `http://localhost:8080`. An
 * answer is `{ data, error, response }`: `error` is a {@link Problem} when the
 * status is 400 or above. A failed connection rejects the promise.
 */
export function createMessageService(baseUrl: string, options: Omit<ClientOptions, 'baseUrl'> = {}): MessageService {
  const client = createFetchClient<paths>({ ...options, baseUrl });
  client.use({ onResponse: ({ response }) => asProblem(response) });
  return client;
}

/** Makes a problem of an error that the service did not answer, but a proxy did. */
function asProblem(response: Response): Response | undefined {
  if (response.ok || response.headers.get('Content-Type')?.startsWith('application/problem+json')) return undefined;
  const problem: Problem = {
    type: 'about:blank',
    title: response.statusText || 'Error',
    status: response.status,
    detail: `Answered ${response.status} ${response.statusText}`.trim() + ', and not by the service.',
    instance: response.url,
  };
  const { status, statusText } = response;
  return new Response(JSON.stringify(problem), { status, statusText, headers: { 'Content-Type': 'application/problem+json' } });
}
