import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import {
  createMessageService,
  followChanges,
  ProblemError,
  type Change,
  type ChangePage,
  type FollowOptions,
  type Message,
  type Problem,
} from 'message-service-client';

const baseUrl = process.env['BASE_URL'] ?? 'http://localhost:8080';
const api = createMessageService(baseUrl);
const run = Date.now();
const beginning = '00000000-0000-0000-0000-000000000000';
const silence = 45_000;
/** The client's timeout for a stream to be ready, in milliseconds. */
const readyWithin = 5000;
/** The client's timeout of an attempt, in milliseconds. */
const attempt = 30_000;

/** The data of an answer that must be a success. */
function got<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new ProblemError(error);
  assert.ok(data !== undefined);
  return data;
}

/** All changes after a cursor, page by page. */
async function list(userId: string, after: string): Promise<Change[]> {
  const changes: Change[] = [];
  for (;;) {
    const page: ChangePage = got(await api.GET('/v1/users/{userId}/changes', { params: { path: { userId }, query: { after, limit: 50 } } }));
    changes.push(...page.changes);
    if (!page.hasMore) return changes;
    after = page.next;
  }
}

/**
 * Makes waits for the next attempt end at once, and records them in milliseconds. Other
 * timers run as usual: the client's timeouts, and those of fetch, which are short or pass
 * arguments.
 */
function hurry(t: TestContext): number[] {
  const waits: number[] = [];
  const { setTimeout } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number, ...passed: []) => {
    if (wait < 1000 || [silence, readyWithin, attempt].includes(wait) || passed.length > 0) return setTimeout(callback, wait, ...passed);
    waits.push(wait);
    return setTimeout(callback, 0);
  });
  return waits;
}

/** A proxy that cuts each connection after at most 4,000 bytes of answer, and counts the cuts. */
async function cuttingProxy(t: TestContext): Promise<{ url: string; cuts: () => number }> {
  const target = new URL(baseUrl);
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 80), target.hostname);
    let left = Math.ceil(Math.random() * 4000);
    const close = (): void => { client.destroySoon(); upstream.destroy(); };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', close).on('close', () => { open.delete(socket); close(); });
    }
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      if (left <= 0) return;
      client.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left > 0) return;
      cuts++;
      close();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cuts: () => cuts };
}

/** The last change of each message and marker. */
function latest(changes: Change[]): Change[] {
  const last = new Map<string, Change>();
  for (const change of changes) {
    const { message, readMarker } = change;
    const key = message ? message.id : `${readMarker?.user}/${readMarker?.peer}`;
    last.delete(key);
    last.set(key, change);
  }
  return [...last.values()];
}

test('a feed is followed over any number of cut connections', { timeout: 120_000 }, async (t) => {
  hurry(t);
  const proxy = await cuttingProxy(t);
  const [ann, ben] = [`ann@example.org-${run}`, `b+e|n:=~${run}`];
  const send = async (text: string): Promise<Message> =>
    got(await api.POST('/v1/messages', { body: { sender: ann, recipient: ben, text } }));

  // A message from before the loop must not come.
  await send('Before');
  let done = false;
  const write = async (): Promise<void> => {
    const sent: string[] = [];
    const earlier = (steps: number): string => sent[Math.max(0, sent.length - 1 - steps)] ?? '';
    for (let i = 0; !done && (i < 200 || proxy.cuts() < 100); i++) {
      sent.push((await send(`${i}: ${'🥪é\u2028\u0085'.repeat(i % 30)}`)).id);
      if (i % 3 === 0) await api.PATCH('/v1/messages/{messageId}', { params: { path: { messageId: earlier(i % 7) } }, body: { text: `Edited 🥪 ${i}` } });
      if (i % 5 === 0) await api.DELETE('/v1/messages/{messageId}', { params: { path: { messageId: earlier(i % 11) } } });
      for (const [userId, peerId] of [[ann, ben], [ben, ann]] as const) {
        if (i % 4 === 0) await api.PUT('/v1/users/{userId}/conversations/{peerId}/read-marker', { params: { path: { userId, peerId } }, body: { messageId: earlier(1) } });
      }
    }
    await send('The end');
  };

  let start: string | undefined;
  let writing: Promise<void> | undefined;
  const followed: Change[] = [];
  const onReady = (cursor: string): void => {
    assert.equal(cursor, followed.at(-1)?.cursor ?? start ?? cursor);
    start ??= cursor;
    writing ??= write();
  };
  try {
    for await (const change of followChanges(createMessageService(proxy.url), ben, { onReady })) {
      followed.push(change);
      if (change.message?.text === 'The end') break;
    }
  } finally {
    done = true;
    await writing;
  }
  assert.ok(proxy.cuts() >= 100, `${proxy.cuts()} cuts`);
  const cursors = followed.map((change) => change.cursor);
  assert.deepEqual(cursors, [...new Set(cursors)].sort());
  assert.ok(start !== undefined && cursors[0] !== undefined && start < cursors[0]);
  const pages = await list(ben, start);
  assert.deepEqual(latest(followed), pages);
  const kinds = pages.map(({ type, message }) => `${type}${message?.editedAt ? ' edited' : ''}${message?.deletedAt ? ' deleted' : ''}`);
  for (const kind of ['message', 'message edited', 'message deleted', 'read']) assert.ok(kinds.includes(kind), kind);

  // A second reader resumes in the middle.
  const middle = pages[100]?.cursor ?? '';
  const rest: Change[] = [];
  for await (const change of followChanges(createMessageService(proxy.url), ben, { after: middle })) {
    rest.push(change);
    if (change.message?.text === 'The end') break;
  }
  assert.deepEqual(rest, pages.slice(101));
});

test('a cursor that is ahead is refused', async () => {
  const after = 'ffffffff-ffff-7fff-bfff-ffffffffffff';
  await assert.rejects(collect(followChanges(api, `bob-${run}`, { after })), (error) =>
    error instanceof ProblemError && error.problem.status === 422 &&
    error.problem.type === 'urn:problem-type:message-service:cursor-ahead' && error.problem.errors?.[0]?.parameter === 'after');
  await assert.rejects(collect(followChanges(api, 'no/body')), (error) => error instanceof ProblemError && error.problem.status === 422);
});

test('a signal and leaving the loop end a stream of the service', async () => {
  const user = `carol-${run}`;
  for (let i = 0; i < 15; i++) { // a user may have 10 streams at a time: a leaked one would be refused
    const stop = new AbortController();
    assert.deepEqual(await collect(followChanges(api, user, { signal: stop.signal, onReady: () => stop.abort() })), []);
    const later = new AbortController();
    assert.deepEqual(await collect(followChanges(api, user, { signal: later.signal, onReady: () => void setImmediate(() => later.abort()) })), []);
  }
  got(await api.POST('/v1/messages', { body: { sender: user, recipient: user, text: 'To myself' } }));
  for (let i = 0; i < 15; i++) {
    for await (const { message } of followChanges(api, user, { after: beginning })) {
      assert.equal(message?.text, 'To myself');
      break;
    }
  }
});

async function collect(changes: AsyncIterable<Change>, into: (string | undefined)[] = []): Promise<(string | undefined)[]> {
  for await (const change of changes) into.push(change.message?.text);
  return into;
}

const cursorOf = (i: number): string => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`;

/** The bytes of a stream: the ready event with the cursor of event `from`, then the texts after that as events. */
function bytesOf(texts: string[], from = 0, retry = 2500): Uint8Array {
  const events = texts.map((text, i) => {
    const cursor = cursorOf(i + 1);
    return `id: ${cursor}\nevent: message\ndata: ${JSON.stringify({ cursor, type: 'message', message: { text } })}\n\n`;
  });
  const ready = `retry: ${retry}\nid: ${cursorOf(from)}\nevent: ready\ndata: {"cursor":"${cursorOf(from)}"}\n\n`;
  return new TextEncoder().encode(ready + events.slice(from).join(':\n\n'));
}

interface Script {
  /** The cursors of each request, and whether the client cancelled its answer. */
  asked: { lastEventId: string | null; after: string | null; cancelled: boolean }[];
  follow: (options?: FollowOptions) => AsyncGenerator<Change, void, undefined>;
}

/** The bytes of a stream, the size of its chunks, and what follows: its end, an error, or silence. */
type Stream = { bytes: Uint8Array; chunk?: number; then: 'end' | 'error' | 'nothing' };

/** A service whose n-th request gets the n-th answer; the last answer is repeated. */
function scripted(...answers: (Response | Error | Stream | ((lastEventId: string | null) => Stream))[]): Script {
  const asked: Script['asked'] = [];
  const fetch = async (request: Request): Promise<Response> => {
    assert.equal(request.headers.get('Accept'), 'text/event-stream');
    const entry = {
      lastEventId: request.headers.get('Last-Event-ID'),
      after: new URL(request.url).searchParams.get('after'),
      cancelled: false,
    };
    let answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(entry);
    if (typeof answer === 'function') answer = answer(entry.lastEventId);
    if (answer === undefined || answer instanceof Error) throw answer;
    if (answer instanceof Response) return answer.clone();
    const { bytes, chunk = bytes.length, then } = answer;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < bytes.length; i += chunk) controller.enqueue(bytes.slice(i, i + chunk));
        if (then === 'end') controller.close();
      },
      pull(controller) { if (then === 'error') controller.error(new TypeError('terminated')); },
      cancel() { entry.cancelled = true; },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  };
  return { asked, follow: (options) => followChanges(createMessageService(baseUrl, { fetch }), 'ann', options) };
}

const texts = ['one', '🥪\u2028\u0085', 'three'];

async function first(count: number, changes: AsyncIterable<Change>): Promise<(string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  for await (const change of changes) if (seen.push(change.message?.text) === count) break;
  return seen;
}

test('a stream is read whatever the chunks it comes in', async () => {
  for (const chunk of [1, 2, 3, 7, 64]) {
    const { asked, follow } = scripted({ bytes: bytesOf(texts), chunk, then: 'nothing' });
    assert.deepEqual(await first(3, follow()), texts);
    assert.equal(asked.length, 1);
  }
});

test('a stream is resumed wherever it is cut', async (t) => {
  hurry(t);
  const resume = (id: string | null): Stream => ({ bytes: bytesOf(texts, id ? Number(id.slice(-4)) : 0), then: 'nothing' });
  for (let size = 0; size <= bytesOf(texts).length; size++) {
    for (const then of ['end', 'error'] as const) {
      const { asked, follow } = scripted({ bytes: bytesOf(texts).slice(0, size), then }, resume);
      assert.deepEqual(await first(3, follow({ after: cursorOf(0) })), texts, `cut after ${size} bytes`);
      for (const { after } of asked) assert.equal(after, cursorOf(0));
    }
  }
});

test('a stream that is cut before its first change goes on from where it began', async (t) => {
  hurry(t);
  const { asked, follow } = scripted(new TypeError('fetch failed'), { bytes: bytesOf([]), then: 'end' }, { bytes: bytesOf(texts), then: 'nothing' });
  const ready: string[] = [];
  assert.deepEqual(await first(1, follow({ onReady: (cursor) => ready.push(cursor) })), ['one']);
  assert.deepEqual(asked.map(({ after, lastEventId }) => [after, lastEventId]), [[null, null], [null, null], [null, cursorOf(0)]]);
  assert.deepEqual(ready, [cursorOf(0), cursorOf(0)]);
});

function refused(status: number, headers: Record<string, string> = {}): Response {
  const problem: Problem = { type: 'about:blank', title: 'No', status, detail: 'Not now.', instance: 'urn:request:0' };
  return new Response(JSON.stringify(problem), { status, headers: { 'Content-Type': 'application/problem+json', ...headers } });
}

function between(value: number | undefined, least: number, most: number): void {
  assert.ok(value !== undefined && value >= least && value <= most, `${value} is not from ${least} to ${most}`);
}

test('it waits as long as it is asked to, and else longer each time', async (t) => {
  const waits = hurry(t);
  const { follow } = scripted(
    refused(429, { 'Retry-After': '7' }),
    new Response('<h1>Bad Gateway</h1>', { status: 502, headers: { 'Content-Type': 'text/html', 'Retry-After': '3' } }),
    { bytes: bytesOf([]), then: 'end' },
    { bytes: new Uint8Array([...bytesOf([]), ...new TextEncoder().encode('retry: 6000\n\n')]), then: 'end' },
    ...Array.from({ length: 6 }, (_, i) => (i % 2 ? refused(503) : new TypeError('fetch failed'))),
    { bytes: bytesOf(texts), then: 'end' },
    { bytes: bytesOf(texts, 3), then: 'end' },
    refused(404),
  );
  const told: number[] = [];
  const reasons: unknown[] = [];
  const onRetry = (reason: unknown, wait: number): void => { reasons.push(reason); told.push(wait); };
  const seen: (string | undefined)[] = [];
  await assert.rejects(collect(follow({ onRetry }), seen), (error) => error instanceof ProblemError && error.problem.status === 404);
  assert.deepEqual(seen, texts);
  assert.deepEqual(told, waits);
  between(waits[0], 7000, 8750); // Retry-After, with up to a quarter of jitter
  between(waits[1], 3000, 3750); // the Retry-After of a proxy
  between(waits[2], 2500, 2500); // the stream's retry field
  between(waits[3], 6000, 6000); // the retry field that a stopping server sends last
  between(waits[4], 6000, 12_000);
  between(waits[5], 12_000, 24_000);
  for (const wait of waits.slice(6, 10)) between(wait, 15_000, 30_000);
  assert.deepEqual(waits.slice(10), [2500, 2500]);
  assert.ok(reasons[0] instanceof ProblemError && reasons[0].problem.status === 429);
  assert.ok(reasons[1] instanceof ProblemError && reasons[1].problem.status === 502);
  assert.match(String(reasons[2]), /has ended/);
  assert.match(String(reasons[4]), /fetch failed/);
});

test('an answer that is no stream throws, and so does an error of a callback', async () => {
  const page = new Response('<h1>Welcome</h1>', { headers: { 'Content-Type': 'text/html' } });
  await assert.rejects(collect(scripted(page).follow()), /text\/html, which is no stream/);
  const { asked, follow } = scripted({ bytes: bytesOf(texts), then: 'nothing' });
  await assert.rejects(collect(follow({ onReady: async () => { throw new TypeError('mine'); } })), /mine/);
  assert.deepEqual(asked.map(({ cancelled }) => cancelled), [true]);
});

/** Waits until the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

/** Timers that fire only when the test says so; the one for `ready` never does. */
class Timers {
  readonly pending = new Map<number, { callback: () => void; wait: number }>();
  #last = 0;

  constructor(t: TestContext) {
    t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number) => {
      if (wait === readyWithin) return 0;
      this.pending.set(++this.#last, { callback, wait });
      return this.#last;
    });
    t.mock.method(globalThis, 'clearTimeout', (timer: number) => this.pending.delete(timer));
  }

  /** The milliseconds of each pending timer. */
  waits(): number[] {
    return [...this.pending.values()].map(({ wait }) => wait);
  }

  /** Fires the only pending timer. */
  fire(): void {
    const [timer, ...others] = this.pending;
    assert.ok(timer && others.length === 0);
    this.pending.delete(timer[0]);
    timer[1].callback();
  }
}

test('a silent stream is dead, and a comment is a sign of life', async (t) => {
  const timers = new Timers(t);
  const reads: ReadableStreamDefaultController<Uint8Array>[] = [];
  let [connections, cancelled] = [0, 0];
  const fetch = async (): Promise<Response> => {
    // The first request is never answered, and ignores its signal.
    if (++connections === 1) return new Promise<Response>(() => undefined);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) { reads.push(controller); },
      cancel() { cancelled++; },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  };
  const reasons: string[] = [];
  const onRetry = (reason: unknown): unknown => reasons.push(String(reason));
  const changes = followChanges(createMessageService(baseUrl, { fetch }), 'ann', { onRetry });
  const change = changes.next();
  const say = async (read: number, bytes: Uint8Array): Promise<void> => {
    await until(() => reads.length === read);
    assert.deepEqual(timers.waits(), [silence]);
    reads.at(-1)?.enqueue(bytes);
  };

  await until(() => connections === 1);
  timers.fire();
  await until(() => reasons.length === 1 && timers.pending.size === 1);
  assert.deepEqual(timers.waits(), [1000]);
  timers.fire();
  for (const [i, text] of ['retry: 2000\n\n', ':\n\n', ':\n', '\n'].entries()) await say(i + 1, new TextEncoder().encode(text));
  await until(() => reads.length === 5);
  assert.deepEqual([timers.waits(), cancelled], [[silence], 0]);
  timers.fire();
  await until(() => reasons.length === 2 && timers.pending.size === 1);
  assert.equal(cancelled, 1);
  between(timers.waits()[0], 2000, 4000);
  timers.fire();
  await say(6, bytesOf(texts));
  assert.equal((await change).value?.message?.text, 'one');
  await changes.return();
  assert.deepEqual(reasons, Array(2).fill('Error: The stream is silent for 45 seconds.'));
  assert.deepEqual([connections, cancelled, timers.pending.size], [3, 2, 0]);
});

test('leaving the loop closes the connection and leaves no timer', async (t) => {
  const timers = new Timers(t);
  const { asked, follow } = scripted({ bytes: bytesOf(texts), then: 'nothing' });
  const { signal } = new AbortController();
  assert.deepEqual(await first(2, follow({ signal })), texts.slice(0, 2));
  assert.deepEqual([asked.length, asked[0]?.cancelled, timers.pending.size, getEventListeners(signal, 'abort').length], [1, true, 0, 0]);
});

test('a signal ends the loop while it reads, waits, and before it begins', async (t) => {
  const timers = new Timers(t);
  const streaming = scripted({ bytes: bytesOf(texts), then: 'nothing' });
  const failing = scripted(refused(503, { 'Retry-After': '3600' }));
  for (const { asked, follow } of [streaming, failing]) {
    const stop = new AbortController();
    const seen: (string | undefined)[] = [];
    const following = collect(follow({ signal: stop.signal }), seen);
    await until(() => timers.pending.size === 1 && (seen.length === 3 || timers.waits()[0] !== silence));
    stop.abort();
    await following;
    assert.deepEqual([timers.pending.size, getEventListeners(stop.signal, 'abort').length], [0, 0]);
    assert.deepEqual(await collect(follow({ signal: stop.signal })), []);
    assert.equal(asked.length, 1);
  }
  assert.equal(streaming.asked[0]?.cancelled, true);
});

test('nothing is yielded after the signal', async () => {
  const stop = new AbortController();
  const seen: (string | undefined)[] = [];
  for await (const { message } of scripted({ bytes: bytesOf(texts), then: 'nothing' }).follow({ signal: stop.signal })) {
    seen.push(message?.text);
    stop.abort();
  }
  assert.deepEqual(seen, ['one']);
  const waiting = new AbortController();
  const { follow } = scripted(new TypeError('fetch failed'));
  assert.deepEqual(await collect(follow({ signal: waiting.signal, onRetry: () => waiting.abort() })), []);
});
