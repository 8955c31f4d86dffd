// Worker threads play the tabs of a browser: they share BroadcastChannel as tabs do, have locks
// like those of a browser, and a clock that runs fast. A proxy in front of the service counts streams.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { createMessageService, exportUser, followChanges, ProblemError, type Change, type Message } from 'message-service-client';
import { Locks, useLocks } from './locks.ts';
import { Proxy } from './proxy.ts';

const baseUrl = process.env['BASE_URL'] ?? 'http://localhost:8080';
const api = createMessageService(baseUrl);
const beginning = '00000000-0000-0000-0000-000000000000';
/** The clock of a tab runs this many times faster. */
const fast = 20;
/** The Web Locks of all tabs. */
const locks = new Locks();

interface TabData { url: string; userId: string; after?: string | undefined; authorization?: string | undefined; share?: boolean; losing?: number; speed?: number; frozen: Int32Array }
interface Said { ready?: string; retry?: string; change?: Change; threw?: string; ended?: boolean }

if (!isMainThread) await playTab(workerData);

async function playTab({ url, userId, after, authorization, share = true, losing = 0, speed = fast, frozen }: TabData): Promise<void> {
  const say = (said: Said): void => parentPort?.postMessage(said);
  const { setInterval } = globalThis;
  const clock = performance.now.bind(performance);
  Object.assign(globalThis, { setInterval: (callback: () => void, wait: number) => setInterval(callback, wait / speed) });
  useLocks();
  Object.assign(globalThis, { location: new URL(url) });
  Object.assign(performance, { now: () => clock() * speed });
  lose(losing);
  const stop = new AbortController();
  parentPort?.on('message', (order: unknown) => {
    if (order === 'stop') stop.abort();
    if (order === 'freeze') Atomics.wait(frozen, 0, 0); // blocks the whole thread until thaw()
  });
  const client = createMessageService(url, authorization === undefined ? {} : { headers: { Authorization: authorization } });
  try {
    const changes = followChanges(client, userId, {
      after, share, signal: stop.signal,
      onReady: (cursor) => say({ ready: cursor }),
      onRetry: (reason) => say({ retry: String(reason) }),
    });
    for await (const change of changes) say({ change });
    say({ ended: true });
  } catch (error) {
    say({ threw: error instanceof ProblemError ? error.problem.type : String(error) });
  }
}

/** Drops `percent` percent of the changes this tab broadcasts, and half that share of its other messages. */
function lose(percent: number): void {
  const Real = globalThis.BroadcastChannel;
  Object.assign(globalThis, {
    BroadcastChannel: class extends Real {
      override postMessage(message: object | string): void {
        const dropped = typeof message === 'object' && 'change' in message ? percent : percent / 2;
        if (Math.random() * 100 >= dropped) super.postMessage(message);
      }
    },
  });
}

async function until(condition: () => boolean | Promise<boolean>, what: () => unknown = () => condition): Promise<void> {
  const end = Date.now() + 15_000;
  while (!await condition()) {
    assert.ok(Date.now() < end, `It never came to ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A tab, the changes it has yielded, and its other reports. */
class Tab {
  readonly changes: Change[] = [];
  readonly said: string[] = [];
  readonly frozen = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;
  readonly #gone: Promise<unknown>;
  readonly id: number;

  constructor(t: TestContext, data: Omit<TabData, 'frozen'>) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { ...data, frozen: this.frozen } });
    this.id = this.#worker.threadId;
    locks.serve(this.#worker);
    this.#gone = new Promise((resolve) => this.#worker.on('exit', resolve));
    this.#worker.on('message', ({ change, ...rest }: Said & { lock?: unknown }) => {
      if (rest.lock !== undefined) return;
      if (change) this.changes.push(change);
      else this.said.push(Object.entries(rest).map(([kind, what]) => `${kind} ${what}`).join());
    });
    t.after(() => this.end());
  }

  get texts(): (string | undefined)[] { return this.changes.map(({ message }) => message?.text); }
  async ready(): Promise<this> {
    await until(() => this.said.some((what) => what.startsWith('ready')), () => this.said);
    return this;
  }
  async has(...texts: string[]): Promise<void> {
    await until(() => this.texts.length >= texts.length, () => `${texts} but ${this.texts}`);
    assert.deepEqual(this.texts, texts);
  }
  async says(what: RegExp): Promise<void> { await until(() => what.test(this.said.join('\n')), () => `${what} in ${this.said}`); }
  stop(): void { this.#worker.postMessage('stop'); }
  freeze(): void { this.#worker.postMessage('freeze'); }
  thaw(): void { Atomics.store(this.frozen, 0, 1); Atomics.notify(this.frozen, 0); }
  async end(): Promise<void> { this.thaw(); await this.#worker.terminate(); await this.#gone; }
}

let users = 0;
const newUser = (): string => `u${Date.now()}-${users++}`;

async function send(recipient: string, text: string): Promise<Message> {
  const { data, error } = await api.POST('/v1/messages', { body: { sender: 'zoe', recipient, text } });
  if (error) throw new ProblemError(error);
  return data;
}

/** Waits until one of the tabs leads, and returns it. */
async function leaderOf(tabs: Tab[]): Promise<Tab> {
  await until(() => tabs.some(({ id }) => locks.holders().includes(id)), () => 'a leader');
  const leader = tabs.find(({ id }) => locks.holders().includes(id));
  assert.ok(leader);
  return leader;
}

if (isMainThread) {
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
    const tabs = [1, 2].map(() => new Tab(t, { url: proxy.url, userId, losing: 100 }));
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
}
