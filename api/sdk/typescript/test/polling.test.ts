// Long polling in place of a stream that something between buffers. The test plays the service and
// advances a mock clock.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { createMessageService, followChanges, ProblemError, type Change, type FollowOptions } from 'message-service-client';

const cursorOf = (i: number): string => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`;
const changeOf = (i: number): Change => ({ cursor: cursorOf(i), type: 'message', message: { text: `${i}` } as NonNullable<Change['message']> });

/** A scripted service: the requests it got, and the answers it will give. */
class Service {
  /** Each request in short, such as `page after 1 wait 30`. */
  readonly asked: string[] = [];
  readonly answers: (Response | (() => void))[] = [];
  #come = (): void => undefined;

  readonly fetch = async ({ url, headers, signal }: Request): Promise<Response> => {
    const query = new URL(url).searchParams;
    const short = (cursor: string | null): string => (cursor === null ? '' : String(Number(cursor.slice(-4))));
    const words = [
      headers.get('Accept') === 'text/event-stream' ? 'stream' : 'page',
      query.has('after') && `after ${short(query.get('after'))}`,
      headers.has('Last-Event-ID') && `last ${short(headers.get('Last-Event-ID'))}`,
      query.has('wait') && `wait ${query.get('wait')}`,
    ];
    this.asked.push(words.filter(Boolean).join(' '));
    this.#come();
    let answer = this.answers.shift();
    if (typeof answer === 'function') {
      answer();
      answer = this.answers.shift();
    }
    if (answer instanceof Response) return answer;
    return new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });
  };

  /** Waits until there have been `count` requests and the client has reacted to the last answer. */
  async requests(count: number): Promise<void> {
    while (this.asked.length < count) await new Promise<void>((resolve) => { this.#come = resolve; });
    await new Promise(setImmediate);
  }

  page(changes: number[], next: number, hasMore = false): void {
    this.answers.push(Response.json({ changes: changes.map(changeOf), next: cursorOf(next), hasMore }));
  }

  /** Runs an action before the next answer. */
  later(action: () => void): void { this.answers.push(action); }

  stream(text: string): void {
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(text)) });
    this.answers.push(new Response(body, { headers: { 'Content-Type': 'text/event-stream' } }));
  }
}

const ready = (at: number): string => `id: ${cursorOf(at)}\nevent: ready\ndata: {"cursor":"${cursorOf(at)}"}\n\n`;
const event = (i: number): string => `id: ${cursorOf(i)}\nevent: message\ndata: ${JSON.stringify(changeOf(i))}\n\n`;

interface Following { service: Service; seen: string[]; readyAt: string[]; end: () => Promise<void>; over: Promise<void> }

function follow(t: TestContext, service: Service, options: FollowOptions = {}): Following {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const [seen, readyAt, stop]: [string[], string[], AbortController] = [[], [], new AbortController()];
  const api = createMessageService('http://localhost', { fetch: service.fetch });
  const over = (async () => {
    const onReady = (cursor: string): unknown => readyAt.push(String(Number(cursor.slice(-4))));
    for await (const { message } of followChanges(api, 'ann', { onReady, signal: stop.signal, ...options })) seen.push(message?.text ?? '');
  })();
  return { service, seen, readyAt, over, end: () => { stop.abort(); return over; } };
}

test('a stream that is not ready within 5 seconds is replaced by long polling', async (t) => {
  const { service, seen, readyAt, end } = follow(t, new Service());
  await service.requests(1);
  t.mock.timers.tick(4999);
  assert.deepEqual(service.asked, ['stream']);
  service.page([], 1);
  service.page([2, 3], 3, true);
  service.page([4], 4);
  service.page([], 4);
  t.mock.timers.tick(1);
  await service.requests(6);
  assert.deepEqual(service.asked, ['stream', 'page', 'page after 1 wait 30', 'page after 3', 'page after 4 wait 30', 'page after 4 wait 30']);
  assert.deepEqual([seen, readyAt], [['2', '3', '4'], ['1']]);
  await end();
});

test('after five minutes of long polling a stream resumes after the last page', async (t) => {
  const service = new Service();
  const { seen, readyAt, end } = follow(t, service, { after: cursorOf(1) });
  await service.requests(1);
  service.page([2], 2);
  for (let i = 3; i <= 12; i++) {
    service.later(() => t.mock.timers.tick(30_000));
    service.page([i], i);
  }
  service.stream(ready(12) + event(13));
  t.mock.timers.tick(5000);
  await service.requests(13);
  assert.deepEqual(service.asked.slice(-2), ['page after 11 wait 30', 'stream after 1 last 12']);
  t.mock.timers.tick(10_000); // the timeout of a stream that is ready must be off
  await service.requests(13);
  assert.equal(service.asked.length, 13);
  await end();
  assert.deepEqual([seen, readyAt], [['2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13'], ['1', '12']]);
});

test('long polling times out, is retried, and is refused like a stream', async (t) => {
  const service = new Service();
  const retries: string[] = [];
  const { seen, over } = follow(t, service, { after: cursorOf(1), onRetry: (reason, wait) => void retries.push(`${reason} ${wait > 0}`) });
  await service.requests(1);
  service.page([2], 2);
  t.mock.timers.tick(5000); // then a page that is never answered
  await service.requests(3);
  t.mock.timers.tick(45_000);
  await service.requests(3);
  assert.deepEqual(retries, ['Error: The stream is silent for 45 seconds. true']);
  t.mock.timers.tick(2000); // a stream is tried first
  await service.requests(4);
  const problem = { type: 'about:blank', title: 'No', status: 404, detail: 'No.', instance: 'urn:request:0' };
  service.answers.push(Response.json(problem, { status: 404, headers: { 'Content-Type': 'application/problem+json' } }));
  t.mock.timers.tick(5000);
  await assert.rejects(over, (error) => error instanceof ProblemError && error.problem.status === 404);
  assert.deepEqual(service.asked, ['stream after 1', 'page after 1', 'page after 2 wait 30', 'stream after 1 last 2', 'page after 2']);
  assert.deepEqual(seen, ['2']);
});
