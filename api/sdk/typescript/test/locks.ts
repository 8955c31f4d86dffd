// Web Locks between worker threads, as the standard defines them between tabs. (With Node's own
// Web Locks, stealing a lock from another thread ends the process.)
import { parentPort, type Worker } from 'node:worker_threads';

interface Lock { worker: Worker; id: number; name: string }
type Order = { lock: 'request' | 'steal' | 'ifAvailable' | 'release'; id: number; name: string };
type Answer = { lock: 'granted' | 'stolen' | 'unavailable'; id: number };

/** The locks that are held, and the requests waiting for them. */
export class Locks {
  readonly #held = new Map<string, Lock>();
  readonly #waiting: Lock[] = [];

  serve(worker: Worker): void {
    worker.on('message', (order: Order) => {
      if ('lock' in order) this.#obey({ worker, id: order.id, name: order.name }, order.lock);
    });
    worker.on('exit', () => this.#drop((lock) => lock.worker === worker));
  }

  /** The ids of the threads that hold a lock. */
  holders(): number[] { return [...this.#held.values()].map(({ worker }) => worker.threadId); }
  names(): string[] { return [...this.#held.keys()]; }

  /** Takes each lock from its holder and grants it to the first request waiting for it. */
  stealAll(): void {
    for (const lock of this.#held.values()) this.#answer(lock, 'stolen');
    this.#held.clear();
    this.#grant();
  }

  #obey(lock: Lock, order: Order['lock']): void {
    const holder = this.#held.get(lock.name);
    if (order === 'release') this.#drop(({ worker, id }) => worker === lock.worker && id === lock.id);
    else if (order === 'ifAvailable' && holder) this.#answer(lock, 'unavailable');
    else if (order === 'steal') {
      if (holder) this.#answer(holder, 'stolen');
      this.#held.delete(lock.name);
      this.#waiting.unshift(lock);
    } else this.#waiting.push(lock);
    this.#grant();
  }

  #drop(which: (lock: Lock) => boolean): void {
    for (const lock of this.#held.values()) if (which(lock)) this.#held.delete(lock.name);
    for (const lock of this.#waiting.filter(which)) this.#waiting.splice(this.#waiting.indexOf(lock), 1);
    this.#grant();
  }

  #grant(): void {
    for (const lock of this.#waiting.filter(({ name }) => !this.#held.has(name))) {
      if (this.#held.has(lock.name)) continue;
      this.#waiting.splice(this.#waiting.indexOf(lock), 1);
      this.#held.set(lock.name, lock);
      this.#answer(lock, 'granted');
    }
  }

  #answer({ worker, id }: Lock, lock: Answer['lock']): void { worker.postMessage({ lock, id } satisfies Answer); }
}

/** Makes `navigator.locks` of this thread use the Locks of the main thread. */
export function useLocks(): void {
  let last = 0;
  const tell = (order: Order): void => parentPort?.postMessage(order);
  const request = (name: string, options: LockOptions, callback: (lock: object | null) => Promise<void>): Promise<void> => new Promise((resolve, reject) => {
    const id = ++last;
    const release = (): void => {
      parentPort?.off('message', hear);
      tell({ lock: 'release', id, name });
    };
    const left = (): void => {
      release();
      reject(new DOMException('Left.', 'AbortError'));
    };
    const hear = (answer: Answer): void => {
      if (answer.id !== id) return;
      options.signal?.removeEventListener('abort', left);
      if (answer.lock === 'stolen') return void reject(new DOMException('Stolen.', 'AbortError'));
      callback(answer.lock === 'granted' ? { name } : null).finally(release).then(resolve, reject);
    };
    parentPort?.on('message', hear);
    options.signal?.addEventListener('abort', left);
    tell({ lock: options.steal ? 'steal' : options.ifAvailable ? 'ifAvailable' : 'request', id, name });
  });
  Object.defineProperty(globalThis, 'navigator', { value: { locks: { request } } });
}
