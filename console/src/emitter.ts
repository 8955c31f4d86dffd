/** The least milliseconds between two calls of a listener. */
const frame = 16;

/** A store that notifies its listeners of changes. */
export class Emitter {
  readonly #listeners = new Set<() => void>();
  #isDue = false;
  #last = -frame;

  /** Calls `listener` after each change, or once for several within a frame, until `signal` aborts. */
  listen(listener: () => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  /** Notifies the listeners of a change. */
  protected emit(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const notify = (): void => {
      this.#isDue = false;
      this.#last = performance.now();
      for (const listener of [...this.#listeners]) listener();
    };
    // A single change is shown at once; a feed that catches up has hundreds, which are grouped.
    const wait = this.#last + frame - performance.now();
    if (wait <= 0) queueMicrotask(notify);
    else setTimeout(notify, wait);
  }
}
