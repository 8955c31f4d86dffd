import assert from 'node:assert/strict';
import { test } from 'node:test';

import { calls } from '../src/calls.ts';

/** Makes requests of the page, each with its answer: a status, or 0 for none. Returns the lines of the list, newest first. */
async function make(...requests: readonly (readonly [path: string, status: number])[]): Promise<string[]> {
  calls.list.length = 0;
  for (const [path, status] of requests) {
    globalThis.fetch = () => (status > 0 ? Promise.resolve(new Response('{}', { status })) : Promise.reject(new TypeError()));
    await calls.fetch(new Request(`http://localhost${path}`), false).catch(() => undefined);
  }
  return calls.list.map(({ url, status, failure, times }) => `${url.pathname}${url.search} ${failure ?? status} ×${times}`);
}

test('a request that fails again is counted in its line, whatever other requests fail between', async () => {
  assert.deepEqual(await make(['/alice', 0], ['/bob', 0], ['/alice', 0], ['/bob', 0], ['/alice', 0]), ['/bob No answer ×2', '/alice No answer ×3']);
  assert.deepEqual(await make(['/alice', 503], ['/alice', 503]), ['/alice 503 ×2']);
});

test('a request that fails otherwise, or after it succeeded, has a line of its own', async () => {
  assert.deepEqual(await make(['/alice', 0], ['/alice', 503], ['/alice', 200], ['/alice', 200], ['/alice', 503]), ['/alice 503 ×1', '/alice 200 ×1', '/alice 200 ×1', '/alice 503 ×1', '/alice No answer ×1']);
  assert.deepEqual(await make(['/alice?after=1', 0], ['/alice?after=2', 0]), ['/alice?after=2 No answer ×1', '/alice?after=1 No answer ×1']);
});

test('a failure that comes after its request has left the list takes no other with it', async () => {
  await make(['/alice', 503]);
  let fail: (error: Error) => void = () => undefined;
  globalThis.fetch = () => new Promise((_, reject) => { fail = reject; });
  const late = calls.fetch(new Request('http://localhost/alice'), false).catch(() => undefined);
  await new Promise(setImmediate);
  calls.clear();
  globalThis.fetch = () => Promise.reject(new TypeError());
  for (const path of ['/alice', '/bob']) await calls.fetch(new Request(`http://localhost${path}`), false).catch(() => undefined);
  fail(new TypeError());
  await late;
  assert.deepEqual(calls.list.map(({ url, times }) => `${url.pathname} ×${times}`), ['/bob ×1', '/alice ×1']);
});
