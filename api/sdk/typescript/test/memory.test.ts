// Node forgets the signal of a request that the garbage collector has taken. A request that is under
// way must be held until then.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createMessageService, exportUser } from 'message-service-client';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** A service that never answers, but begins an export; and a promise that resolves when a request has come. */
async function start(t: TestContext): Promise<{ url: string; came: Promise<void>; left: Promise<void> }> {
  let [arrive, leave] = [(): void => undefined, (): void => undefined];
  const came = new Promise<void>((resolve) => { arrive = resolve; });
  const left = new Promise<void>((resolve) => { leave = resolve; });
  const server = createServer((asked, answer) => {
    answer.on('close', leave);
    if (asked.url?.endsWith('/export')) {
      answer.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      answer.write('{"type":"message","message":{"text":"one"}}\n');
    }
    arrive();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.close(); server.closeAllConnections(); });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, came, left };
}

const turn = (): Promise<void> => new Promise(setImmediate);

for (const token of [undefined, 't', async () => 't']) {
  test(`a request can be aborted after garbage was collected, with ${typeof token} as token`, async (t) => {
    const { url, came, left } = await start(t);
    const leaving = new AbortController();
    const answer = createMessageService(url, { token }).GET('/health', { signal: leaving.signal });
    await came;
    for (let i = 0; i < 3; i++) { collectGarbage(); await turn(); }
    leaving.abort(new Error('left'));
    await assert.rejects(answer, /left/);
    await left;
  });

  test(`an export can be aborted after garbage was collected, with ${typeof token} as token`, async (t) => {
    const { url, left } = await start(t);
    const leaving = new AbortController();
    const records = exportUser(createMessageService(url, { token }), 'ann', { signal: leaving.signal });
    assert.equal((await records.next()).value?.message?.text, 'one');
    for (let i = 0; i < 3; i++) { collectGarbage(); await turn(); }
    const next = records.next();
    leaving.abort(new Error('left'));
    await assert.rejects(next, /left/);
    await left;
  });
}
