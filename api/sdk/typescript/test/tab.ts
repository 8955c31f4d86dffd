// Worker threads play the tabs of a browser: they share BroadcastChannel as tabs do, have locks
// like those of a browser, and a clock that runs fast.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { createMessageService, followChanges, ProblemError, type Change } from 'message-service-client';
import { Locks, useLocks } from './locks.ts';

/** The clock of a tab runs this many times faster. */
export const fast = 5;
/** The Web Locks of all tabs. */
export const locks = new Locks();

interface TabData {
  url: string; userId: string; after?: string | undefined;
  authorization?: string | undefined; token?: string; tokens?: string[];
  share?: boolean; losing?: number; losingOthers?: number; speed?: number; frozen: Int32Array;
}
interface Said { ready?: string; retry?: string; change?: Change; threw?: string; ended?: boolean }

if (!isMainThread) await playTab(workerData);

async function playTab({ url, userId, after, authorization, token, tokens, share = true, losing = 0, losingOthers = losing / 2, speed = fast, frozen }: TabData): Promise<void> {
  const say = (said: Said): void => parentPort?.postMessage(said);
  const { setInterval } = globalThis;
  const clock = performance.now.bind(performance);
  Object.assign(globalThis, { setInterval: (callback: () => void, wait: number) => setInterval(callback, wait / speed) });
  useLocks();
  Object.assign(globalThis, { location: new URL(url) });
  Object.assign(performance, { now: () => clock() * speed });
  lose(losing, losingOthers);
  const stop = new AbortController();
  parentPort?.on('message', (order: unknown) => {
    if (order === 'stop') stop.abort();
    if (order === 'freeze') Atomics.wait(frozen, 0, 0); // blocks the whole thread until thaw()
  });
  const client = createMessageService(url, {
    token: tokens ? async () => tokens.shift() ?? 'none' : token,
    headers: authorization === undefined ? {} : { Authorization: authorization },
  });
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

/** Drops these percentages of the changes that this tab broadcasts, and of its other messages. */
function lose(changes: number, others: number): void {
  const Real = globalThis.BroadcastChannel;
  Object.assign(globalThis, {
    BroadcastChannel: class extends Real {
      override postMessage(message: object | string): void {
        const dropped = typeof message === 'object' && 'change' in message ? changes : others;
        if (Math.random() * 100 >= dropped) super.postMessage(message);
      }
    },
  });
}

export async function until(condition: () => boolean | Promise<boolean>, what: () => unknown = () => condition): Promise<void> {
  const end = Date.now() + 30_000;
  while (!await condition()) {
    assert.ok(Date.now() < end, `It never came to ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A tab, the changes it has yielded, and its other reports. */
export class Tab {
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

/** Waits until one of the tabs leads, and returns it. */
export async function leaderOf(tabs: Tab[]): Promise<Tab> {
  await until(() => tabs.some(({ id }) => locks.holders().includes(id)), () => 'a leader');
  const leader = tabs.find(({ id }) => locks.holders().includes(id));
  assert.ok(leader);
  return leader;
}
