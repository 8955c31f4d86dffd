import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test, type TestContext } from 'node:test';

import { createMessageService, followChanges, ProblemError, type Change, type FollowOptions, type Problem, type Typing } from 'message-service-client';
import { collect, hurry, readyWithin, silence } from './following.ts';
import { baseUrl } from './service.ts';

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

test('typing is heard, and other events without a cursor are passed over', async (t) => {
  hurry(t);
  const typing = { user: 'ann', peer: '~team-1', expiresAt: '2026-11-26T12:00:06Z' };
  const live = `event: typing\ndata: ${JSON.stringify(typing)}\n\nevent: presence\ndata: {"user":"ann"}\n\n`;
  const begun = new Uint8Array([...bytesOf(texts.slice(0, 1)), ...new TextEncoder().encode(live)]);
  const { asked, follow } = scripted({ bytes: begun, then: 'end' }, { bytes: bytesOf(texts, 1), then: 'nothing' });
  const heard: Typing[] = [];
  assert.deepEqual(await first(3, follow({ onTyping: (who) => heard.push(who) })), texts);
  assert.deepEqual(heard, [typing]);
  assert.deepEqual(asked.map(({ lastEventId }) => lastEventId), [null, cursorOf(1)]);
  const unasked = scripted({ bytes: new Uint8Array([...begun, ...bytesOf(texts, 1)]), then: 'nothing' });
  assert.deepEqual(await first(3, unasked.follow()), texts);
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
