// Tabs that share a stream while each has tokens of its own. The proxy plays a service that requires them.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { Proxy } from './proxy.ts';
import { newUser, send } from './service.ts';
import { leaderOf, locks, Tab, until } from './tab.ts';

/** A proxy that accepts the tokens in a set, and says that all others have expired. */
async function startProxy(t: TestContext, ...tokens: string[]): Promise<{ proxy: Proxy; good: Set<string>; seen: Set<string> }> {
  const [proxy, good, seen] = [await Proxy.start(t), new Set(tokens), new Set<string>()];
  proxy.judge = (authorization = '') => {
    const token = authorization.replace('Bearer ', '');
    seen.add(token);
    return token === 'other' ? [403, 'forbidden'] : good.has(token) ? undefined : [401, 'credential-expired'];
  };
  return { proxy, good, seen };
}

test('tabs whose sources give them different tokens share one stream', async (t) => {
  const [{ proxy, seen }, userId] = [await startProxy(t, 'a', 'b', 'c'), newUser()];
  const tabs = ['a', 'b', 'c'].map((token) => new Tab(t, { url: proxy.url, userId, tokens: [token] }));
  for (const tab of tabs) await tab.ready();
  await send(userId, 'one');
  for (const tab of tabs) await tab.has('one');
  assert.deepEqual([proxy.opened, [...seen].sort()], [1, ['a', 'b', 'c']]);
});

test('tabs with different fixed tokens have a stream each, and no name shows a token', async (t) => {
  const [{ proxy }, userId] = [await startProxy(t, 'secretA', 'secretB'), newUser()];
  const tabs = ['secretA', 'secretA', 'secretB'].map((token) => new Tab(t, { url: proxy.url, userId, token }));
  tabs.push(new Tab(t, { url: proxy.url, userId, tokens: ['secretA'] }));
  for (const tab of tabs) await tab.ready();
  assert.equal(proxy.opened, 3);
  assert.equal(locks.names().filter((name) => name.includes(userId)).length, 3);
  assert.ok(locks.names().every((name) => !name.includes('secret')));
});

test('a tab whose token is of another user receives nothing of the tab that leads', async (t) => {
  const [{ proxy }, userId] = [await startProxy(t, 'a'), newUser()];
  const first = await new Tab(t, { url: proxy.url, userId, tokens: ['a'] }).ready();
  const others = [undefined, '00000000-0000-0000-0000-000000000000'].map((after) => new Tab(t, { url: proxy.url, userId, after, tokens: ['other'] }));
  await send(userId, 'secret');
  for (const tab of others) await tab.says(/threw urn:problem-type:message-service:forbidden/);
  await first.has('secret');
  for (const tab of others) await tab.has();
});

test('when tokens end each tab goes on with a new one, and a tab without one ends', async (t) => {
  const [{ proxy, good }, userId] = [await startProxy(t, 'a1', 'b1', 'c1'), newUser()];
  const tabs = [['a1', 'a2'], ['b1', 'b2'], ['c1', 'c2']].map((tokens) => new Tab(t, { url: proxy.url, userId, tokens }));
  for (const tab of tabs) await tab.ready();
  await send(userId, 'one');
  for (const tab of tabs) await tab.has('one');
  const leader = await leaderOf(tabs);
  const [signedOut, stays] = tabs.filter((tab) => tab !== leader);
  assert.ok(signedOut && stays);
  for (const token of ['a', 'b', 'c']) {
    good.delete(`${token}1`);
    if (tabs['abc'.indexOf(token)] !== signedOut) good.add(`${token}2`);
  }
  proxy.cut();
  await send(userId, 'two');
  await signedOut.says(/threw urn:problem-type:message-service:credential-expired/);
  await send(userId, 'three');
  for (const tab of [leader, stays]) await tab.has('one', 'two', 'three');
  await until(() => proxy.streams.size === 1);
  assert.equal(proxy.opened, 2);
});

test('the leader ends by its own token only, and the next tab leads with another', async (t) => {
  const [{ proxy, good }, userId] = [await startProxy(t, 'a', 'b'), newUser()];
  const tabs = ['a', 'b'].map((token) => new Tab(t, { url: proxy.url, userId, tokens: [token] }));
  for (const tab of tabs) await tab.ready();
  const leader = await leaderOf(tabs);
  const next = tabs.find((tab) => tab !== leader);
  good.delete('ab'.charAt(tabs.indexOf(leader)));
  proxy.cut();
  await send(userId, 'one');
  await leader.says(/threw urn:problem-type:message-service:credential-expired/);
  await next?.has('one');
  await leader.has();
});
