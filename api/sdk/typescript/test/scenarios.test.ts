// Runs the retry scenarios that are the same for the SDKs of all languages: a service that fails
// at first. The server of the scenarios counts the attempts.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMessageService, type MessageService } from 'message-service-client';

/** `tokens` are what a source answers, one after the other; it fails instead of an empty one. */
interface Scenario { name: string; call: string; want: string; token?: string; tokens?: string[] }

const url = process.env['SCENARIOS'];
assert.ok(url !== undefined);

async function status(api: MessageService, call: string): Promise<number> {
  const body = { sender: 'alice', recipient: 'bob', text: 'x' };
  switch (call) {
    case 'read': return (await api.GET('/v1/messages')).response.status;
    case 'send': return (await api.POST('/v1/messages', { body })).response.status;
    case 'keyedSend':
      return (await api.POST('/v1/messages', { params: { header: { 'Idempotency-Key': crypto.randomUUID() } }, body })).response.status;
    case 'edit':
      return (await api.PATCH('/v1/messages/{messageId}', { params: { path: { messageId: crypto.randomUUID() } }, body: { text: 'x' } })).response.status;
    case 'block':
      return (await api.PUT('/v1/users/{userId}/blocks/{peerId}', { params: { path: { userId: 'bob', peerId: 'mallory' } } })).response.status;
    case 'erase': return (await api.DELETE('/v1/users/{userId}', { params: { path: { userId: 'bob' } } })).response.status;
    default: throw new Error(`There is no call ${call}.`);
  }
}

const scenarios: Scenario[] = JSON.parse(await (await fetch(`${url}/scenarios`)).text());
test('requests are retried as in all SDKs', { concurrency: true }, async (t) => {
  await Promise.all(scenarios.map(({ name, call, want, token, tokens }) => t.test(name, async () => {
    const source = async (): Promise<string> => tokens?.shift() || Promise.reject(new Error('The source fails.'));
    const api = createMessageService(`${url}/${name}`, { timeout: 2000, token: tokens ? source : token });
    assert.equal(await status(api, call).then(String, () => 'error'), want);
  })));
});

test('an aborted signal ends the attempts', async () => {
  let attempts = 0;
  const leaving = new AbortController();
  const api = createMessageService('http://localhost', {
    fetch: async () => {
      attempts++;
      leaving.abort(new Error('left'));
      throw new TypeError('no connection');
    },
  });
  await assert.rejects(api.GET('/v1/limits', { signal: leaving.signal }), /left|no connection/);
  assert.equal(attempts, 1);
});

test('a long poll and an export may outlast the timeout of an attempt', async () => {
  const later = <T>(value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, 300, value));
  const api = createMessageService('http://localhost', {
    timeout: 100,
    fetch: async (request) => {
      if (request.url.endsWith('/export')) {
        const lines = new ReadableStream({
          async start(controller) {
            controller.enqueue(await later(new TextEncoder().encode('{"type":"membership"}\n{"type":"end"}\n')));
            controller.close();
          },
        });
        return new Response(lines, { headers: { 'Content-Type': 'application/x-ndjson' } });
      }
      return later(new Response('{"changes":[],"next":"","hasMore":false}', { headers: { 'Content-Type': 'application/json' } }));
    },
  });
  const path = { userId: 'bob' };
  assert.equal((await api.GET('/v1/users/{userId}/changes', { params: { path, query: { wait: 5 } } })).response.status, 200);
  const { data } = await api.GET('/v1/users/{userId}/export', { params: { path }, parseAs: 'stream' });
  assert.match(await new Response(data ?? null).text(), /end/);
});

test('the error of a cross-origin request says that it may be CORS', async () => {
  const refused = async (): Promise<Response> => { throw new TypeError('Failed to fetch'); };
  Object.defineProperty(globalThis, 'location', { value: { origin: 'https://app.example.org' }, configurable: true });
  try {
    const send = { body: { sender: 'alice', recipient: 'bob', text: 'x' } };
    await assert.rejects(createMessageService('https://api.example.org', { fetch: refused }).POST('/v1/messages', send), /may be CORS.*app\.example\.org/);
    await assert.rejects(createMessageService('https://app.example.org', { fetch: refused }).POST('/v1/messages', send), { message: 'Failed to fetch' });
  } finally {
    Reflect.deleteProperty(globalThis, 'location');
  }
});
