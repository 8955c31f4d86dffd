/** How often a page is drawn at most, in milliseconds. */
const frame = 16;

/** Something that changes, and tells those who show it. */
export class Emitter {
  readonly #listeners = new Set<() => void>();
  #isDue = false;
  #last = -frame;

  /** Calls `listener` after each change, or once for several that are close together, until `signal` aborts. */
  listen(listener: () => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  /** Says that there was a change. */
  protected changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const tell = (): void => {
      this.#isDue = false;
      this.#last = performance.now();
      for (const listener of [...this.#listeners]) listener();
    };
    // At once where nothing happened lately; a feed that catches up brings hundreds.
    const wait = this.#last + frame - performance.now();
    if (wait <= 0) queueMicrotask(tell);
    else setTimeout(tell, wait);
  }
}
