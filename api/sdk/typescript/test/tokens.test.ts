// Tokens and their sources. Which requests are repeated is in scenarios.test.ts, as for all SDKs.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMessageService, followChanges, ProblemError, type FollowOptions } from 'message-service-client';
import { collect, hurry } from './following.ts';

type Token = string | (() => Promise<string>);
const service = 'http://localhost';

/** A source whose tokens are t1, t2 and so on, and how often it was asked. It fails at the given numbers. */
function numbered(...fails: number[]): { token: () => Promise<string>; asked: () => number } {
  let asked = 0;
  const token = async (): Promise<string> => {
    if (fails.includes(++asked)) throw new Error('signed out');
    return `t${asked}`;
  };
  return { token, asked: () => asked };
}

function problem(status: number, name: string): Response {
  const type = `urn:problem-type:message-service:${name}`;
  return new Response(JSON.stringify({ type, title: name, status, detail: '', instance: 'urn:request:0' }), {
    status, headers: { 'Content-Type': 'application/problem+json' },
  });
}

const expired = (): Response => problem(401, 'credential-expired');
const tokenOf = ({ headers }: Request): string | null => headers.get('Authorization');

/** A promise, and the function that resolves it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  return { opened: new Promise<void>((resolve) => { open = resolve; }), open: () => open() };
}

test('requests that are refused at once wait for one new token, or fail with its source', async () => {
  for (const fails of [[], [2]]) {
    const [count, all] = [20, gate()];
    const { token, asked } = numbered(...fails);
    let refused = 0;
    const api = createMessageService(service, {
      token,
      fetch: async (request) => {
        if (tokenOf(request) !== 'Bearer t1') return new Response('UP\n', { headers: { 'Content-Type': 'text/plain' } });
        if (++refused === count) all.open();
        await all.opened;
        return expired();
      },
    });
    const answers = Array.from({ length: count }, () => api.GET('/health').then(({ data }) => data, String));
    const want = fails.length ? 'Error: signed out' : 'UP\n';
    assert.deepEqual(await Promise.all(answers), Array(count).fill(want));
    assert.deepEqual([asked(), refused], [2, count]);
  }
});

test('a request that is aborted does not wait for a token, and takes it from nobody', async () => {
  const answer = gate();
  let asked = 0;
  const token = async (): Promise<string> => { asked++; await answer.opened; return 't'; };
  const api = createMessageService(service, { token, fetch: async () => new Response(null, { status: 204 }) });
  const leaving = new AbortController();
  const left = api.GET('/health', { signal: leaving.signal });
  const stays = api.GET('/health');
  leaving.abort(new Error('left'));
  await assert.rejects(left, /left/);
  answer.open();
  assert.equal((await stays).response.status, 204);
  assert.equal(asked, 1);
});

test('a source that never answers is given up, and asked again by the next request', async () => {
  let asked = 0;
  const token = (): Promise<string> => ++asked === 1 ? new Promise(() => undefined) : Promise.resolve('t');
  const api = createMessageService(service, { token, timeout: 50, fetch: async () => new Response(null, { status: 204 }) });
  await assert.rejects(api.GET('/health'), { name: 'TimeoutError' });
  assert.equal((await api.GET('/health')).response.status, 204);
  assert.equal(asked, 2);
});

test('a source that throws at once fails its request only', async () => {
  let asked = 0;
  const token = (): Promise<string> => { if (++asked === 1) throw new Error('not yet'); return Promise.resolve('t'); };
  const api = createMessageService(service, { token, fetch: async () => new Response(null, { status: 204 }) });
  await assert.rejects(api.GET('/health'), /not yet/);
  assert.equal((await api.GET('/health')).response.status, 204);
});

test('no other origin gets the token, and no redirect is followed', async () => {
  const seen: [string, string | null, string][] = [];
  const redirect = Object.defineProperty(new Response(), 'type', { value: 'opaqueredirect' }); // as in browsers
  const api = createMessageService('http://localhost:80/chat', {
    token: 'secret',
    fetch: async (request) => {
      seen.push([request.url, tokenOf(request), request.redirect]);
      return seen.length === 1 ? redirect : new Response(null, { status: 204 });
    },
  });
  const redirected = await api.GET('/health');
  assert.deepEqual([redirected.response.status, redirected.error?.status], [302, 302]);
  for (const baseUrl of ['http://localhost', 'https://localhost', 'http://localhost:8080', 'http://localhost.example.org']) {
    await api.GET('/health', { baseUrl });
  }
  assert.deepEqual(seen, [
    ['http://localhost/chat/health', 'Bearer secret', 'manual'], ['http://localhost/health', 'Bearer secret', 'manual'],
    ['https://localhost/health', null, 'follow'], ['http://localhost:8080/health', null, 'follow'], ['http://localhost.example.org/health', null, 'follow'],
  ]);
});

test('a request keeps an Authorization of its own, and an empty token is none', async () => {
  const seen: (string | null)[] = [];
  const fetch = async (request: Request): Promise<Response> => { seen.push(tokenOf(request)); return expired(); };
  const { token, asked } = numbered();
  await createMessageService(service, { token, fetch }).GET('/health', { headers: { Authorization: 'Basic x' } });
  await createMessageService(service, { token: '', fetch }).GET('/health');
  assert.deepEqual([seen, asked()], [['Basic x', null], 0]);
});

test('what is no token is refused, and not shown', async () => {
  for (const bad of ['secret\n', 'secret\r\nHost: x', 'se cret', 'Bearer secret', 'secret=x', 'sécret']) {
    const refused = (error: unknown): boolean => /^TypeError: A token/.test(String(error)) && !String(error).includes('cret');
    assert.throws(() => createMessageService(service, { token: bad }), refused);
    await assert.rejects(createMessageService(service, { token: async () => bad }).GET('/health'), refused);
  }
  const nothing = async (): Promise<string> => JSON.parse('null');
  await assert.rejects(createMessageService(service, { token: nothing }).GET('/health'), /^TypeError: A token/);
});

const cursorOf = (i: number): string => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`;

/** A stream with the changes after the cursor of one number up to another, which then ends. */
function stream(after: number, last: number): Response {
  let text = `id: ${cursorOf(after)}\nevent: ready\ndata: {"cursor":"${cursorOf(after)}"}\n\n`;
  for (let i = after + 1; i <= last; i++) {
    text += `id: ${cursorOf(i)}\nevent: message\ndata: ${JSON.stringify({ cursor: cursorOf(i), type: 'message', message: { text: `${i}` } })}\n\n`;
  }
  return new Response(text, { headers: { 'Content-Type': 'text/event-stream' } });
}

/** Follows a service whose n-th request gets the n-th answer; returns the texts, what it ended with, and the cursor and token of each request. */
async function follow(token: Token, answers: (() => Response)[], options: FollowOptions = {}): Promise<{ texts: unknown[]; end: unknown; asked: string[] }> {
  const asked: string[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    asked.push(`${request.headers.get('Last-Event-ID')?.slice(-1)} ${tokenOf(request)}`);
    return answers[asked.length - 1]?.() ?? problem(404, 'not-found');
  };
  const texts: unknown[] = [];
  const end = await collect(followChanges(createMessageService(service, { token, fetch }), 'ann', options), texts as string[])
    .catch((error: unknown) => error instanceof ProblemError ? error.problem.title : error);
  return { texts, end, asked };
}

test('a stream that ends with its token goes on with a new one, also after the source has failed', async (t) => {
  hurry(t);
  const { token, asked: sourceAsked } = numbered(3);
  const reasons: string[] = [];
  const { texts, asked } = await follow(token, [
    () => stream(0, 2), expired, () => stream(2, 4), () => problem(401, 'credential-revoked'), () => stream(4, 5),
  ], { onRetry: (reason) => reasons.push(String(reason)) });
  assert.deepEqual(texts, ['1', '2', '3', '4', '5']);
  assert.deepEqual(asked, ['undefined Bearer t1', '2 Bearer t1', '2 Bearer t2', '4 Bearer t2', '4 Bearer t4', '5 Bearer t4']);
  const ended = 'Error: The stream has ended.';
  assert.deepEqual([reasons, sourceAsked()], [[ended, ended, 'Error: signed out', ended], 4]);
});

test('following ends with a token that another one cannot replace', async (t) => {
  hurry(t);
  for (const [end, ...answers] of [
    ['credential-expired', expired, expired], ['credential-revoked', expired, () => problem(401, 'credential-revoked')],
    ['credential-invalid', () => problem(401, 'credential-invalid')], ['credential-required', () => problem(401, 'credential-required')],
    ['forbidden', () => problem(403, 'forbidden')], ['insufficient-scope', () => problem(403, 'insufficient-scope')],
  ] as [string, ...(() => Response)[]][]) {
    const { token, asked: sourceAsked } = numbered();
    const followed = await follow(token, answers);
    assert.deepEqual([followed.end, followed.asked.length, sourceAsked()], [end, answers.length, answers.length]);
  }
  const fixed = await follow('t', [expired]);
  assert.deepEqual([fixed.end, fixed.asked.length], ['credential-expired', 1]);
});
