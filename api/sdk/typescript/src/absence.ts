/**
 * Tracks whether the page is frozen or in the back/forward cache. A browser does not put a
 * page there that holds a connection or a lock, so both are given up when an absence begins.
 */
export class Absence {
  /** Resolves when the page is active. */
  over: Promise<void> = Promise.resolve();
  lasts = false;
  #return = (): void => undefined;
  readonly #begin: () => void;
  readonly #end = (): void => {
    this.lasts = false;
    this.#return();
  };

  constructor(begins: () => void) {
    this.#begin = () => {
      if (this.lasts) return;
      this.lasts = true;
      this.over = new Promise((resolve) => { this.#return = resolve; });
      begins();
    };
    if (typeof document === 'undefined') return;
    addEventListener('pagehide', this.#begin);
    addEventListener('pageshow', this.#end);
    document.addEventListener('freeze', this.#begin);
    document.addEventListener('resume', this.#end);
  }

  close(): void {
    this.#end();
    if (typeof document === 'undefined') return;
    removeEventListener('pagehide', this.#begin);
    removeEventListener('pageshow', this.#end);
    document.removeEventListener('freeze', this.#begin);
    document.removeEventListener('resume', this.#end);
  }
}
