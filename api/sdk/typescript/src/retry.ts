/** Makes a request. */
export type Fetch = (request: Request) => Promise<Response>;

// The SDKs of all languages retry by these rules.
const retries = 4;
const shortestWait = 200;
const longestWait = 10_000;
/** An answer whose `Retry-After` is longer is returned at once. */
const longestRetryAfter = 60_000;
const temporary = [429, 502, 503, 504];
const idempotent = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** An export may be of any length, and so need only begin in time. */
const exportType = 'application/x-ndjson';

/** The requests under way. Node forgets the signal of a request that nobody holds, so that it cannot be aborted. */
const underWay = new Set<Request>();
/** The requests whose answers are still read, by their bodies. */
const readFrom = new WeakMap<ReadableStream, Request[]>();

/** Holds a request until its answer is there, and has been read. */
export async function holding(request: Request, answer: (request: Request) => Promise<Response>): Promise<Response> {
  underWay.add(request);
  try {
    const response = await answer(request);
    if (response.body) readFrom.set(response.body, [request, ...readFrom.get(response.body) ?? []]);
    return response;
  } finally {
    underWay.delete(request);
  }
}

/**
 * Gives each attempt `timeout` milliseconds until the answer is complete, and retries idempotent
 * requests up to four times: when the connection fails, the attempt times out, or the answer is
 * 429, 502, 503 or 504. Streams of events are neither timed nor retried here: `followChanges`
 * does both.
 */
export function retrying(fetch: Fetch, timeout: number): Fetch {
  return (made) => holding(made, async (request) => {
    if (request.headers.get('Accept') === 'text/event-stream') {
      return fetch(request).catch((error: unknown) => { throw explain(error, request.url); });
    }
    const mayRetry = idempotent.includes(request.method) || request.headers.has('Idempotency-Key');
    const longPoll = Number(new URL(request.url).searchParams.get('wait') ?? 0) * 1000;
    for (let attempt = 0; ; attempt++) {
      const last = !mayRetry || attempt === retries;
      let asked = 0;
      try {
        const response = await fetchWithin(fetch, request, timeout + longPoll);
        asked = retryAfter(response.headers);
        if (last || !temporary.includes(response.status) || asked > longestRetryAfter) return response;
      } catch (error) {
        if (last || request.signal.aborted || isRefusedCertificate(error)) throw explain(error, request.url);
      }
      const wait = asked || Math.min(shortestWait * 2 ** attempt, longestWait);
      await pause(wait * (1 + Math.random() / 4), request.signal);
      request.signal.throwIfAborted();
    }
  });
}

/** Makes one attempt of at most `limit` milliseconds, and reads the answer into memory unless it is an export. */
async function fetchWithin(fetch: Fetch, request: Request, limit: number): Promise<Response> {
  const attempt = new AbortController();
  const leave = (): void => attempt.abort(request.signal.reason);
  request.signal.addEventListener('abort', leave);
  if (request.signal.aborted) leave();
  const timer = setTimeout(() => attempt.abort(new DOMException(`No whole answer within ${limit / 1000} seconds.`, 'TimeoutError')), limit);
  let isExport = false;
  try {
    const response = await holding(new Request(request.clone(), { signal: attempt.signal }), fetch);
    isExport = response.headers.get('Content-Type') === exportType;
    if (isExport) return response;
    const body = await response.arrayBuffer();
    const { status, statusText, headers, url } = response;
    const whole = new Response([204, 205, 304].includes(status) ? null : body, { status, statusText, headers });
    return Object.defineProperty(whole, 'url', { value: url });
  } finally {
    clearTimeout(timer);
    // The signal must still abort an export while it is read.
    if (!isExport) request.signal.removeEventListener('abort', leave);
  }
}

/** How many milliseconds `Retry-After` asks to wait, or 0. A date in it is compared with the answer's `Date`, since the local clock may be wrong. */
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

/** Adds to a failed cross-origin request that CORS may be the reason, which browsers hide from the page. */
function explain(error: unknown, url: string): unknown {
  if (!(error instanceof TypeError) || typeof location === 'undefined') return error;
  const { origin } = new URL(url);
  if (origin === location.origin) return error;
  return new TypeError(
    `There is no answer from ${origin}. It may be CORS: the service allows pages of its own origin and of those in CORS_ORIGINS, and this one is of ${location.origin}.`,
    { cause: error },
  );
}

/** Waits until the time has passed or the signal aborts. */
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
