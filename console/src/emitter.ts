/** Something that changes, and tells those who show it. */
export class Emitter {
  readonly #listeners = new Set<() => void>();
  #told = true;

  /** Calls `listener` after each change, and once for several at a time, until `signal` aborts. */
  listen(listener: () => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  /** Says that there was a change. */
  protected changed(): void {
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}
