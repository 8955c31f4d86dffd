import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { createMessageService, followChanges, ProblemError, type Change, type ChangePage, type Message, type Problem } from 'message-service-client';
import { collect, hurry } from './following.ts';
import { api, baseUrl, serviceKey } from './service.ts';

const run = Date.now();
const beginning = '00000000-0000-0000-0000-000000000000';

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
    for await (const change of followChanges(createMessageService(proxy.url, { token: serviceKey }), ben, { onReady })) {
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
  for await (const change of followChanges(createMessageService(proxy.url, { token: serviceKey }), ben, { after: middle })) {
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
