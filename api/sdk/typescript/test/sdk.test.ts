import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMessageService, type Message, type Problem } from 'message-service-client';

const baseUrl = process.env['BASE_URL'] ?? 'http://localhost:8080';
const api = createMessageService(baseUrl);
const run = Date.now();
const alice = `alice-${run}`;
const bob = `bob-${run}`;

async function send(text: string, key?: string): Promise<{ message: Message; replayed: boolean }> {
  const { data, response } = await api.POST('/v1/messages', {
    ...(key === undefined ? {} : { params: { header: { 'Idempotency-Key': key } } }),
    body: { sender: alice, recipient: bob, text, metadata: { client: 'test' } },
  });
  assert.equal(response.status, 201);
  assert.ok(data);
  return { message: data, replayed: response.headers.get('Idempotent-Replayed') === 'true' };
}

test('a message is sent, repeated, listed both ways, read and deleted', async () => {
  const key = crypto.randomUUID();
  const first = await send('Lunch at noon? 🥪', key);
  assert.equal(first.replayed, false);
  assert.equal(first.message.text, 'Lunch at noon? 🥪');
  assert.deepEqual(first.message.metadata, { client: 'test' });

  const again = await send('Lunch at noon? 🥪', key);
  assert.equal(again.replayed, true);
  assert.deepEqual(again.message, first.message);

  const second = await send('Or one?');
  const newest = await api.GET('/v1/messages', { params: { query: { recipient: bob, limit: 1 } } });
  assert.deepEqual(newest.data, { messages: [second.message], hasMore: true });
  assert.match(newest.response.headers.get('Link') ?? '', /rel="next"/);
  const older = await api.GET('/v1/messages', { params: { query: { recipient: bob, before: second.message.id } } });
  assert.deepEqual(older.data, { messages: [first.message], hasMore: false });
  const newer = await api.GET('/v1/messages', { params: { query: { recipient: bob, after: first.message.id } } });
  assert.deepEqual(newer.data, { messages: [second.message], hasMore: false });

  const path = { messageId: first.message.id };
  assert.deepEqual((await api.GET('/v1/messages/{messageId}', { params: { path } })).data, first.message);
  assert.equal((await api.DELETE('/v1/messages/{messageId}', { params: { path } })).response.status, 204);
  const gone = await api.GET('/v1/messages/{messageId}', { params: { path } });
  assert.equal(gone.error?.type, 'urn:problem-type:message-service:not-found');
});

test('an error is a typed problem', async () => {
  const { error } = await api.POST('/v1/messages', { body: { sender: alice, recipient: 'no/body', text: '' } });
  const problem: Problem | undefined = error;
  assert.equal(problem?.status, 422);
  assert.deepEqual(problem?.errors?.map((e) => e.pointer), ['/recipient', '/text']);
});

test('an error of something between is a problem too', async () => {
  for (const body of ['', '<h1>Bad Gateway</h1>']) {
    const proxied = createMessageService(baseUrl, {
      fetch: async () => new Response(body, { status: 502, statusText: 'Bad Gateway', headers: { 'Content-Type': 'text/html' } }),
    });
    const { data, error } = await proxied.GET('/v1/limits');
    assert.equal(data, undefined);
    assert.deepEqual([error?.type, error?.status], ['about:blank', 502]);
  }
});

test('the limits are numbers', async () => {
  const { data } = await api.GET('/v1/limits');
  assert.equal(data?.textMaxLength, 4096);
});
