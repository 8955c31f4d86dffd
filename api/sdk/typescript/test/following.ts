import type { TestContext } from 'node:test';

import type { Change } from 'message-service-client';

export const silence = 45_000;
/** The client's timeout for a stream to be ready, in milliseconds. */
export const readyWithin = 5000;
/** The client's timeout of an attempt, in milliseconds. */
export const attempt = 30_000;

/**
 * Makes waits for the next attempt end at once, and records them in milliseconds. Other
 * timers run as usual: the client's timeouts, and those of fetch, which are short or pass
 * arguments.
 */
export function hurry(t: TestContext): number[] {
  const waits: number[] = [];
  const { setTimeout } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number, ...passed: []) => {
    if (wait < 1000 || [silence, readyWithin, attempt].includes(wait) || passed.length > 0) return setTimeout(callback, wait, ...passed);
    waits.push(wait);
    return setTimeout(callback, 0);
  });
  return waits;
}

/** The texts of all that is followed. */
export async function collect(changes: AsyncIterable<Change>, into: (string | undefined)[] = []): Promise<(string | undefined)[]> {
  for await (const change of changes) into.push(change.message?.text);
  return into;
}
