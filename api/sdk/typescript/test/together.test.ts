// Worker threads play the tabs of a browser, see tab.ts. A proxy in front of the service counts streams.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exportUser } from 'message-service-client';
import { Proxy } from './proxy.ts';
import { api, newUser, send } from './service.ts';
import { fast, leaderOf, locks, Tab, until } from './tab.ts';

const beginning = '00000000-0000-0000-0000-000000000000';

test('tabs share one stream, and each has every change once', async (t) => {
  const [proxy, userId] = [await Proxy.start(t), newUser()];
  const tabs = [1, 2, 3, 4].map(() => new Tab(t, { url: proxy.url, userId }));
  for (const tab of tabs) await tab.ready();
  for (const text of ['a', 'b', 'c']) await send(userId, text);
  for (const tab of tabs) await tab.has('a', 'b', 'c');
  assert.deepEqual([proxy.streams.size, proxy.opened], [1, 1]);
  const late = await new Tab(t, { url: proxy.url, userId }).ready();
  const resumed = await new Tab(t, { url: proxy.url, userId, after: beginning }).ready();
  const upper = await new Tab(t, { url: proxy.url, userId, after: tabs[0]?.changes[0]?.cursor.toUpperCase() }).ready();
  await send(userId, 'd');
  await late.has('d');
  await resumed.has('a', 'b', 'c', 'd');
  await upper.has('b', 'c', 'd');
  assert.equal(proxy.opened, 1);
  proxy.cut();
  for (const tab of [...tabs, late]) await tab.says(/retry/);
  await send(userId, 'e');
  for (const tab of tabs) await tab.has('a', 'b', 'c', 'd', 'e');
  for (const tab of [...tabs, late]) await tab.says(/retry[^]*ready/);
  assert.deepEqual([proxy.streams.size, proxy.opened], [1, 2]);
});

test('when the leader leaves or is closed another tab leads at once', async (t) => {
  const [proxy, userId] = [await Proxy.start(t), newUser()];
  // At the speed of a real clock the missing heartbeat cannot be what replaces the leader.
  let tabs = [1, 2, 3].map(() => new Tab(t, { url: proxy.url, userId, speed: 1 }));
  const texts: string[] = [];
  for (const tab of tabs) await tab.ready();
  for (const leave of [(tab: Tab) => tab.stop(), (tab: Tab) => void tab.end()]) {
    const leader = await leaderOf(tabs);
    tabs = tabs.filter((tab) => tab !== leader);
    leave(leader);
    texts.push(`after ${leader.id}`);
    await send(userId, texts.at(-1) ?? '');
    for (const tab of tabs) await tab.has(...texts);
    assert.equal(proxy.streams.size, 1);
  }
});

test('a frozen leader is replaced after 20 seconds, and catches up when it thaws', async (t) => {
  const [proxy, userId] = [await Proxy.start(t), newUser()];
  const tabs = [1, 2, 3].map(() => new Tab(t, { url: proxy.url, userId }));
  for (const tab of tabs) await tab.ready();
  await send(userId, 'a');
  for (const tab of tabs) await tab.has('a');
  const [leader, since] = [await leaderOf(tabs), Date.now()];
  leader.freeze();
  await send(userId, 'b');
  for (const tab of tabs) if (tab !== leader) await tab.has('a', 'b');
  const seconds = (Date.now() - since) * fast / 1000;
  assert.ok(seconds > 14 && seconds < 60, `${seconds} s`);
  await leader.has('a');
  leader.thaw();
  await leader.has('a', 'b');
  await send(userId, 'c');
  for (const tab of tabs) await tab.has('a', 'b', 'c');
  await until(() => proxy.streams.size === 1);
  assert.notEqual(await leaderOf(tabs), leader);
  assert.ok(proxy.opened <= 4, `${proxy.opened} streams`);
});

test('a change whose note is lost is read from a page', async (t) => {
  const [proxy, userId] = [await Proxy.start(t), newUser()];
  const tabs = [1, 2].map(() => new Tab(t, { url: proxy.url, userId, losing: 100, losingOthers: 0 })); // who hears nothing of the leader takes over
  for (const tab of tabs) await tab.ready();
  await send(userId, 'a');
  for (const tab of tabs) await tab.has('a');
  assert.equal(proxy.opened, 1);
});

test('a loop that begins with a cursor reads pages without waiting for the leader', async (t) => {
  const [proxy, userId] = [await Proxy.start(t), newUser()];
  await send(userId, 'a');
  proxy.holds = true;
  new Tab(t, { url: proxy.url, userId });
  await until(() => proxy.opened === 1);
  const tab = new Tab(t, { url: proxy.url, userId, after: beginning });
  await tab.has('a');
  assert.deepEqual([proxy.pages, proxy.opened], [1, 1]);
});

test('other users, other credentials, and share: false have a connection each', async (t) => {
  const [proxy, userId] = [await Proxy.start(t), newUser()];
  const tabs = [
    new Tab(t, { url: proxy.url, userId }), new Tab(t, { url: proxy.url, userId }),
    new Tab(t, { url: proxy.url, userId, authorization: 'Bearer a' }), new Tab(t, { url: proxy.url, userId, authorization: 'Bearer b' }),
    new Tab(t, { url: proxy.url, userId, share: false }),
  ];
  const other = new Tab(t, { url: proxy.url, userId: newUser() });
  for (const tab of [...tabs, other]) await tab.ready();
  assert.equal(proxy.streams.size, 5);
  const names = locks.names();
  assert.equal(names.length, 4);
  assert.ok(names.every((name) => !name.includes('Bearer')));
  await send(userId, 'a');
  for (const tab of tabs) await tab.has('a');
  await other.has();
});

test('a cursor that is ahead is refused in its own tab only', async (t) => {
  const [proxy, userId] = [await Proxy.start(t), newUser()];
  const first = await new Tab(t, { url: proxy.url, userId }).ready();
  const after = 'ffffffff-ffff-7fff-bfff-ffffffffffff';
  await new Tab(t, { url: proxy.url, userId, after }).says(/threw urn:problem-type:message-service:cursor-ahead/);
  await new Tab(t, { url: proxy.url, userId: newUser(), after }).says(/threw urn:problem-type:message-service:cursor-ahead/);
  for (let i = 0; i < 2; i++) await new Tab(t, { url: proxy.url, userId: 'no/body' }).says(/threw urn:problem-type/);
  await send(userId, 'a');
  await first.has('a');
});

test('no change is missed or doubled while tabs freeze, notes are lost and locks are stolen', { timeout: 120_000 }, async (t) => {
  const [proxy, userId] = [await Proxy.start(t), newUser()];
  const tabs = [0, 0, 30, 60].map((losing) => new Tab(t, { url: proxy.url, userId, after: beginning, losing }));
  for (const tab of tabs) await tab.ready();
  const sent: string[] = [];
  const dice = (sides: number): boolean => Math.random() * sides < 1;
  for (let i = 0; i < 300; i++) {
    const { id } = await send(userId, `${i}`);
    sent.push(id);
    if (dice(3)) await api.PATCH('/v1/messages/{messageId}', { params: { path: { messageId: sent[Math.floor(Math.random() * i)] ?? id } }, body: { text: `${i} edited` } });
    if (dice(20)) proxy.cut();
    const tab = tabs[i % tabs.length];
    if (dice(10)) tab?.freeze();
    if (dice(5)) { tab?.thaw(); if (tab) tab.frozen[0] = 0; }
    // For a moment two tabs believe that they lead.
    if (dice(10)) locks.stealAll();
  }
  for (const tab of tabs) tab.thaw();
  await send(userId, 'The end');
  const stored = new Map<string | undefined, string | undefined>();
  for await (const { message } of exportUser(api, userId)) stored.set(message?.id, message?.text);
  for (const tab of tabs) {
    await until(() => tab.texts.at(-1) === 'The end', () => `the end: ${tab.texts.length}, ${tab.said.slice(-5)}`);
    const cursors = tab.changes.map(({ cursor }) => cursor);
    assert.deepEqual(cursors, [...new Set(cursors)].sort());
    const latest = new Map(tab.changes.map(({ message }) => [message?.id, message?.text]));
    assert.deepEqual([...latest].sort(), [...stored].sort());
    assert.equal(latest.size, sent.length + 1);
  }
  assert.ok(proxy.opened > 10, `${proxy.opened} streams`);
});
