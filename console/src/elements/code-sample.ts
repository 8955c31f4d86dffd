import { el, icon } from '../dom.ts';
import { highlight } from '../highlight.ts';
import { languages, type Language } from '../samples.ts';

const remembered = 'console.language';

/** A request in each language, ready to copy. */
export class CodeSample extends HTMLElement {
  #code: Readonly<Record<Language, string>> | undefined;
  #language: Language = storedLanguage();
  readonly #tabs = el('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Language' });
  readonly #text = el('code');
  readonly #copy = el('button', { type: 'button', class: 'copy', on: { click: () => void this.#copyText() } }, icon('copy'), el('span', {}, 'Copy'));

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.#tabs.append(...Object.entries(languages).map(([language, name]) => (
      el('button', { type: 'button', role: 'tab', id: `tab-${language}`, 'aria-controls': 'sample', on: { click: () => this.#choose(language as Language) } }, name))));
    this.#tabs.addEventListener('keydown', (event) => this.#pressed(event));
    this.append(el('div', { class: 'bar' }, this.#tabs, this.#copy), el('pre', { id: 'sample', role: 'tabpanel', tabindex: 0 }, this.#text));
    this.#draw();
  }

  set code(code: Readonly<Record<Language, string>> | undefined) {
    this.#code = code;
    this.#draw();
  }

  #choose(language: Language): void {
    this.#language = language;
    try {
      localStorage.setItem(remembered, language);
    } catch {
      // localStorage may be disabled.
    }
    this.#draw();
  }

  #draw(): void {
    for (const tab of this.#tabs.children) {
      const isChosen = tab.id === `tab-${this.#language}`;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.setAttribute('tabindex', isChosen ? '0' : '-1');
    }
    this.querySelector('pre')?.setAttribute('aria-labelledby', `tab-${this.#language}`);
    this.#copy.disabled = !this.#code;
    this.#text.replaceChildren(...highlight(this.#code?.[this.#language].trimEnd() ?? ''));
  }

  #pressed(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const all = Object.keys(languages) as Language[];
    this.#choose(all[(all.indexOf(this.#language) + step + all.length) % all.length]!);
    this.#tabs.querySelector<HTMLElement>('[aria-selected=true]')?.focus();
  }

  async #copyText(): Promise<void> {
    const label = this.#copy.querySelector('span')!;
    label.textContent = await copy(this.#code?.[this.#language] ?? '', this.#text) ? 'Copied' : 'Press Ctrl+C';
    setTimeout(() => { label.textContent = 'Copy'; }, 1500);
  }
}

/** Copies a text. Without access to the clipboard, as in a page without TLS, it selects the shown text instead. */
async function copy(text: string, shown: Node): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return false;
  }
}

function storedLanguage(): Language {
  try {
    const language = localStorage.getItem(remembered);
    return language && Object.hasOwn(languages, language) ? language as Language : 'curl';
  } catch {
    return 'curl';
  }
}

customElements.define('code-sample', CodeSample);
