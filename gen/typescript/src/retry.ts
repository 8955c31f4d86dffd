/** Makes a request. */
export type Fetch = (request: Request) => Promise<Response>;

// The SDKs of all languages repeat requests alike.
const repeats = 4;
const shortestWait = 200;
const longestWait = 10_000;
/** An answer that asks for more is returned at once. */
const longestRetryAfter = 60_000;
const temporary = [429, 502, 503, 504];
const idempotent = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** An export may be of any length, and so only has to begin in time. */
const endlessType = 'application/x-ndjson';

/**
 * Gives each attempt `timeout` milliseconds for a whole answer, and repeats what may be
 * repeated up to four times: when the connection fails, when it takes too long, and when the
 * answer is 429, 502, 503 or 504. Streams of events are left to `followChanges`, which also
 * watches their time.
 */
export function retrying(fetch: Fetch, timeout: number): Fetch {
  return async (request) => {
    if (request.headers.get('Accept') === 'text/event-stream') {
      return fetch(request).catch((error: unknown) => { throw explain(error, request.url); });
    }
    const mayRepeat = idempotent.includes(request.method) || request.headers.has('Idempotency-Key');
    const held = Number(new URL(request.url).searchParams.get('wait') ?? 0) * 1000;
    for (let attempt = 0; ; attempt++) {
      const last = !mayRepeat || attempt === repeats;
      let asked = 0;
      try {
        const response = await withinTime(fetch, request, timeout + held);
        asked = retryAfter(response.headers);
        if (last || !temporary.includes(response.status) || asked > longestRetryAfter) return response;
      } catch (error) {
        if (last || request.signal.aborted || isRefusedCertificate(error)) throw explain(error, request.url);
      }
      const wait = asked || Math.min(shortestWait * 2 ** attempt, longestWait);
      await pause(wait * (1 + Math.random() / 4), request.signal);
      request.signal.throwIfAborted();
    }
  };
}

/** Makes one attempt, and reads the answer unless that is an export. */
async function withinTime(fetch: Fetch, request: Request, limit: number): Promise<Response> {
  const attempt = new AbortController();
  const leave = (): void => attempt.abort(request.signal.reason);
  request.signal.addEventListener('abort', leave);
  if (request.signal.aborted) leave();
  const timer = setTimeout(() => attempt.abort(new DOMException(`No whole answer within ${limit / 1000} seconds.`, 'TimeoutError')), limit);
  let endless = false;
  try {
    const response = await fetch(new Request(request.clone(), { signal: attempt.signal }));
    endless = response.headers.get('Content-Type') === endlessType;
    if (endless) return response;
    const body = await response.arrayBuffer();
    const { status, statusText, headers, url } = response;
    const whole = new Response([204, 205, 304].includes(status) ? null : body, { status, statusText, headers });
    return Object.defineProperty(whole, 'url', { value: url });
  } finally {
    clearTimeout(timer);
    // An export is left while it is read.
    if (!endless) request.signal.removeEventListener('abort', leave);
  }
}

/** For how many milliseconds an answer asks to wait, or 0. A date is compared with that of the answer, since the clock here may be wrong. */
export function retryAfter(headers: Headers): number {
  const value = headers.get('Retry-After') ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const until = Date.parse(value);
  const now = Date.parse(headers.get('Date') ?? '');
  return Math.max(0, until - (Number.isNaN(now) ? Date.now() : now)) || 0;
}

function isRefusedCertificate(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && /CERT|SIGNATURE/.test(String(cause.code));
}

/** Says what a browser does not: it hides from a page of another origin why there is no answer. */
function explain(error: unknown, url: string): unknown {
  if (!(error instanceof TypeError) || typeof location === 'undefined') return error;
  const { origin } = new URL(url);
  if (origin === location.origin) return error;
  return new TypeError(
    `There is no answer from ${origin}. It may be CORS: the service allows pages of its own origin and of those in CORS_ORIGINS, and this one is of ${location.origin}.`,
    { cause: error },
  );
}

/** Waits, but no longer than until the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
