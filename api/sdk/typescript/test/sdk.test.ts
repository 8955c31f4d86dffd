import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  createMessageService,
  exportUser,
  ProblemError,
  type Block,
  type Conversation,
  type ExportRecord,
  type Highlight,
  type Message,
  type MessagePage,
  type Problem,
  type ReadMarker,
} from 'message-service-client';
import { api, baseUrl } from './service.ts';

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
  assert.deepEqual(newest.data, { messages: [second.message], next: second.message.id, hasMore: true });
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

/** The data of an answer that must be a success. */
function got<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new ProblemError(error);
  assert.ok(data !== undefined);
  return data;
}

const problemType = (name: string): string => `urn:problem-type:message-service:${name}`;

test('two users talk: reply, edit, read, block, delete, export and erase', async () => {
  // Ids with characters that are special in a path.
  const [ann, ben] = [`ann@example.org-${run}`, `b+e|n:=~${run}`];
  const say = async (sender: string, recipient: string, text: string, replyTo?: string): Promise<Message> =>
    got(await api.POST('/v1/messages', { body: { sender, recipient, text, ...(replyTo === undefined ? {} : { replyTo }) } }));
  const conversation = async (userId: string, peerId: string): Promise<Conversation> =>
    got(await api.GET('/v1/users/{userId}/conversations/{peerId}', { params: { path: { userId, peerId } } }));
  const thread = async (userId: string, peerId: string, query: { before?: string; after?: string; limit?: number }): Promise<MessagePage> =>
    got(await api.GET('/v1/users/{userId}/conversations/{peerId}/messages', { params: { path: { userId, peerId }, query } }));
  const read = async (userId: string, peerId: string, messageId: string): Promise<ReadMarker> =>
    got(await api.PUT('/v1/users/{userId}/conversations/{peerId}/read-marker', { params: { path: { userId, peerId } }, body: { messageId } }));

  const question = await say(ann, ben, 'Lunch at noon?');
  const answer = await say(ben, ann, 'Yes!', question.id);
  assert.equal(answer.replyTo, question.id);
  const path = { messageId: question.id };
  const noted = got(await api.PATCH('/v1/messages/{messageId}', { params: { path }, body: { text: 'Lunch at one?', metadata: { client: 'test' } } }));
  assert.deepEqual([noted.text, noted.metadata, typeof noted.editedAt], ['Lunch at one?', { client: 'test' }, 'string']);
  const edited = got(await api.PATCH('/v1/messages/{messageId}', { params: { path }, body: { metadata: null } }));
  assert.deepEqual([edited.text, edited.metadata, edited.id], ['Lunch at one?', undefined, question.id]);

  assert.equal((await conversation(ben, ann)).unreadCount, 1);
  const hers = await read(ann, ben, answer.id);
  const his = await read(ben, ann, question.id);
  assert.deepEqual([hers.user, hers.peer, hers.messageId], [ann, ben, answer.id]);
  const view = { position: answer.id, lastMessage: answer, unreadCount: 0, hidden: false };
  assert.deepEqual(await conversation(ann, ben), { ...view, peer: ben, readMarker: hers, peerReadMarker: his });
  assert.deepEqual(await conversation(ben, ann), { ...view, peer: ann, readMarker: his, peerReadMarker: hers });
  const inbox = got(await api.GET('/v1/users/{userId}/conversations', { params: { path: { userId: ann }, query: { limit: 1 } } }));
  assert.deepEqual([inbox.conversations.map((c) => c.peer), inbox.hasMore], [[ben], false]);

  const last = await say(ann, ben, 'See you there');
  for (const [user, peer] of [[ann, ben], [ben, ann]] as const) {
    assert.deepEqual(await thread(user, peer, { limit: 2 }), { messages: [last, answer], next: answer.id, hasMore: true });
    assert.deepEqual(await thread(user, peer, { limit: 2, before: answer.id }), { messages: [edited], hasMore: false });
    assert.deepEqual(await thread(user, peer, { limit: 1, after: question.id }), { messages: [answer], next: answer.id, hasMore: true });
    assert.deepEqual(await thread(user, peer, { limit: 1, after: answer.id }), { messages: [last], hasMore: false });
  }

  const block = { params: { path: { userId: ben, peerId: ann } } };
  assert.equal((await api.PUT('/v1/users/{userId}/blocks/{peerId}', block)).response.status, 204);
  const { blocks } = got(await api.GET('/v1/users/{userId}/blocks', { params: { path: { userId: ben } } }));
  assert.deepEqual(blocks.map((b: Block) => [b.user, b.peer]), [[ben, ann]]);
  const refused = await api.POST('/v1/messages', { body: { sender: ann, recipient: ben, text: 'Hello?' } });
  assert.deepEqual([refused.error?.status, refused.error?.type], [403, problemType('sender-blocked')]);

  const exported: ExportRecord[] = [];
  for await (const record of exportUser(api, ben)) exported.push(record);
  assert.deepEqual(exported.map((r) => r.message ?? r.readMarker ?? r.block), [edited, answer, last, his, ...blocks]);

  assert.equal((await api.DELETE('/v1/users/{userId}/blocks/{peerId}', block)).response.status, 204);
  const again = await say(ann, ben, 'Hello again');
  for (const message of [question, answer, last, again]) {
    await api.DELETE('/v1/messages/{messageId}', { params: { path: { messageId: message.id } } });
  }
  const late = await api.PATCH('/v1/messages/{messageId}', { params: { path }, body: { text: 'Too late' } });
  assert.deepEqual([late.error?.status, late.error?.type], [409, problemType('message-deleted')]);
  const gone = await api.GET('/v1/users/{userId}/conversations/{peerId}', { params: { path: { userId: ann, peerId: ben } } });
  assert.deepEqual([gone.error?.status, gone.error?.type], [404, problemType('not-found')]);

  await say(ann, ben, 'My last one');
  assert.equal((await api.DELETE('/v1/users/{userId}', { params: { path: { userId: ann } } })).response.status, 204);
  for await (const record of exportUser(api, ann)) assert.fail(`left ${JSON.stringify(record)}`);
});

test('a search says where the words are, in code points', async () => {
  const { message } = await send('🎉 See you at the party');
  const query = { recipient: bob, q: 'PARTY you', highlight: true };
  const { messages } = got(await api.GET('/v1/messages', { params: { query } }));
  assert.deepEqual(messages.map(({ id }) => id), [message.id]);
  const word = ({ start, end }: Highlight): string => Array.from(message.text).slice(start, end).join('');
  assert.deepEqual(messages[0]?.highlights?.map(word), ['you', 'party']);
});

test('an export that is larger than one chunk is read whole', async () => {
  const user = `long-${run}`;
  const texts = Array.from({ length: 300 }, (_, i) => `${i}: ${'🥪é\u2028\u0085'.repeat(100)}`);
  for (const text of texts) got(await api.POST('/v1/messages', { body: { sender: user, recipient: user, text } }));
  const exported: unknown[] = [];
  for await (const record of exportUser(api, user)) exported.push(record.message?.text);
  assert.deepEqual(exported, texts);
});

/** A client whose answer is these chunks, and whether it has cancelled the answer. */
function streaming(chunks: Uint8Array[], { endless = false } = {}): { client: ReturnType<typeof createMessageService>; cancelled: () => boolean } {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk) controller.enqueue(chunk);
      else if (!endless) controller.close();
    },
    cancel() { cancelled = true; },
  });
  const fetch = async (): Promise<Response> => new Response(body, { headers: { 'Content-Type': 'application/x-ndjson' } });
  return { client: createMessageService(baseUrl, { fetch }), cancelled: () => cancelled };
}

async function collect(records: AsyncIterable<ExportRecord>, into: (string | undefined)[] = []): Promise<(string | undefined)[]> {
  for await (const record of records) into.push(record.message?.text);
  return into;
}

const line = (text: string): string => `${JSON.stringify({ type: 'message', message: { text } })}\n`;
const end = '{"type":"end","records":2}\n';

test('an export is read whatever the chunks it comes in', async () => {
  const bytes = new TextEncoder().encode(line('🥪\u2028') + line('é') + end);
  for (const size of [1, 2, 3, 7, 64, bytes.length]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
    assert.deepEqual(await collect(exportUser(streaming(chunks).client, 'ann')), ['🥪\u2028', 'é']);
  }
});

test('an export that is cut short throws after what came', async () => {
  for (const rest of ['', line('two').slice(0, 20), end.slice(0, -1)]) {
    const seen: (string | undefined)[] = [];
    const { client } = streaming([new TextEncoder().encode(line('one') + rest)]);
    await assert.rejects(collect(exportUser(client, 'ann'), seen), /cut short/);
    assert.deepEqual(seen, ['one']);
  }
});

test('leaving an export closes the connection', async () => {
  const { client, cancelled } = streaming([new TextEncoder().encode(line('one') + line('two'))], { endless: true });
  for await (const record of exportUser(client, 'ann')) {
    assert.equal(record.message?.text, 'one');
    break;
  }
  assert.equal(cancelled(), true);
});

test('an export that is refused or aborted throws the reason', async () => {
  await assert.rejects(collect(exportUser(api, 'no/body')), (error) => error instanceof ProblemError && error.problem.status === 422);
  await assert.rejects(collect(exportUser(api, alice, { signal: AbortSignal.abort() })), { name: 'AbortError' });
});

test('an error is a typed problem', async () => {
  const { error } = await api.POST('/v1/messages', { body: { sender: alice, recipient: 'no/body', text: '' } });
  const problem: Problem | undefined = error;
  assert.equal(problem?.status, 422);
  assert.deepEqual(problem?.errors?.map((e) => e.pointer), ['/recipient', '/text']);
});

test('an error page of a proxy is a problem too', async () => {
  for (const body of ['', '<h1>Bad Gateway</h1>']) {
    const proxied = createMessageService(baseUrl, {
      fetch: async () => new Response(body, { status: 502, statusText: 'Bad Gateway', headers: { 'Content-Type': 'text/html' } }),
    });
    const { data, error } = await proxied.GET('/v1/limits');
    assert.equal(data, undefined);
    assert.deepEqual([error?.type, error?.status], ['about:blank', 502]);
  }
});

test('answers of type text/plain are strings', async () => {
  assert.deepEqual([(await api.GET('/health')).data, (await api.GET('/ready')).data], ['UP\n', 'READY\n']);
  assert.equal((await api.GET('/health', { parseAs: 'text' })).data, 'UP\n');
});

test('changes and records of unknown types are passed on', async () => {
  const answers: Record<string, [string, string]> = {
    changes: ['application/json', '{"changes":[{"cursor":"c","type":"wave","wave":1}],"next":"c","hasMore":false}'],
    export: ['application/x-ndjson', '{"type":"wave"}\n{"type":"end"}\n'],
  };
  const newer = createMessageService(baseUrl, {
    fetch: async ({ url }) => {
      const [type, body] = answers[url.split('/').at(-1) ?? ''] ?? ['', ''];
      return new Response(body, { headers: { 'Content-Type': type } });
    },
  });
  const page = await newer.GET('/v1/users/{userId}/changes', { params: { path: { userId: 'ann' } } });
  assert.deepEqual(page.data?.changes.map(({ type }) => type), ['wave']);
  const records: string[] = [];
  for await (const { type } of exportUser(newer, 'ann')) records.push(type);
  assert.deepEqual(records, ['wave']);
});

test('the limits are numbers', async () => {
  const { data } = await api.GET('/v1/limits');
  assert.equal(data?.textMaxLength, 4096);
});
