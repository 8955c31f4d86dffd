import { problemType } from './problem.js';
import { holding, retrying, type Fetch } from './retry.js';

/** What a bearer token consists of (RFC 6750, 2.1). */
const bearer = /^[A-Za-z0-9._~+/-]+=*$/;

/** A token, or the last one of a source: a function that fetches tokens. */
export class Tokens {
  #token: string | undefined;
  #asking: Promise<string> | undefined;
  readonly #source: (() => Promise<string>) | undefined;
  readonly #timeout: number;

  /** `timeout` is how many milliseconds a source has. */
  constructor(token: string | (() => Promise<string>), timeout: number) {
    if (typeof token === 'string') this.#token = checked(token);
    else this.#source = token;
    this.#timeout = timeout;
  }

  /** Whether there may be another token than the first. */
  get renewable(): boolean { return this.#source !== undefined; }
  /** What the name of a group of tabs (see together.ts) has of this: a fixed token, but not one of a source, which each tab asks itself. */
  get group(): string | undefined { return this.#source ? 'source' : this.#token; }

  /** Returns a token other than the refused one: the one it remembers, or else the next of the source. All who wait for that get the same. */
  async get(refused?: string): Promise<string> {
    if (this.#token === refused) this.#token = undefined; // nobody else shall try it
    return this.#token ?? await (this.#asking ??= this.#ask().finally(() => { this.#asking = undefined; }));
  }

  async #ask(): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new DOMException(`No token within ${this.#timeout / 1000} seconds.`, 'TimeoutError');
      timer = setTimeout(() => reject(error), this.#timeout);
    });
    try {
      this.#token = checked(await Promise.race([this.#source?.(), late]));
      return this.#token;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Refuses what cannot be sent in a header. The error does not show it. */
function checked(token: unknown): string {
  if (typeof token === 'string' && bearer.test(token)) return token;
  throw new TypeError('A token consists of letters, digits and the characters -._~+/, with = only at its end.');
}

/**
 * Sends a token with each request, as {@link retrying} does. If the service answers that it has
 * expired or was revoked, the request is repeated once with the next token of the source. A redirect
 * is not followed, since it could lead the token elsewhere, and no other origin gets it.
 */
export function authorizing(fetch: Fetch, timeout: number, tokens: Tokens, baseUrl: string): Fetch {
  const send = retrying(async (request) => visible(await fetch(request)), timeout);
  const { origin } = new URL(baseUrl, globalThis.location?.href);
  return (made) => holding(made, async (request) => {
    if (request.headers.has('Authorization') || new URL(request.url).origin !== origin) return send(request);
    const attempt = (token: string): Promise<Response> => {
      const headers = new Headers(request.headers);
      headers.set('Authorization', `Bearer ${token}`);
      return send(new Request(request.clone(), { headers, redirect: 'manual', signal: request.signal }));
    };
    const token = await unlessAborted(tokens.get(), request.signal);
    const response = await attempt(token);
    if (!tokens.renewable || !await hasEnded(response)) return response;
    return attempt(await unlessAborted(tokens.get(token), request.signal));
  });
}

/** Browsers show a redirect that they do not follow as status 0, which is the status of no other answer. */
function visible(response: Response): Response {
  return response.type === 'opaqueredirect' ? new Response(null, { status: 302, statusText: 'Redirect' }) : response;
}

/** Whether an answer refuses a token that was good before. */
async function hasEnded(response: Response): Promise<boolean> {
  if (response.status !== 401 || !response.headers.get('Content-Type')?.startsWith('application/problem+json')) return false;
  const { type }: { type?: unknown } = await response.clone().json().catch(() => ({}));
  return type === problemType('credential-expired') || type === problemType('credential-revoked');
}

/** Waits for a token no longer than its request does. */
function unlessAborted<T>(next: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    next.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
