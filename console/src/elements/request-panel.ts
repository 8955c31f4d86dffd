import { calls, hasFailed, type Call } from '../calls.ts';
import { el, icon, isDrawn, reconcile } from '../dom.ts';
import { sampleOf } from '../samples.ts';
import { CodeSample } from './code-sample.ts';

/** Longer answers are cut, in characters. */
const maxShown = 6000;

/** Shows the requests of this page: each as code in several languages, with its answer. */
export class RequestPanel extends HTMLElement {
  readonly #head = el('button', { type: 'button', class: 'fold', 'aria-expanded': 'false', 'aria-controls': 'request-body' });
  readonly #summary = el('p', { class: 'summary' });
  readonly #sample = new CodeSample();
  readonly #answer = el('pre', { class: 'answer', tabindex: 0, 'aria-label': 'Answer', hidden: true });
  readonly #status = el('p', { class: 'status' });
  readonly #list = el('ol', { class: 'calls', 'aria-label': 'Requests, the newest first' });
  #leave = new AbortController();
  #shown: Call | undefined;
  #answered: string | undefined;

  connectedCallback(): void {
    this.#leave = new AbortController();
    this.setAttribute('role', 'complementary');
    this.setAttribute('aria-label', 'The request behind it');
    this.#head.addEventListener('click', () => this.#fold());
    this.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape' || !this.classList.contains('open')) return;
      this.#fold();
      this.#head.focus();
    }, { signal: this.#leave.signal });
    this.replaceChildren(
      this.#head,
      el('div', { id: 'request-body', class: 'request-body' },
        el('h2', {}, 'The request behind it'), this.#summary, this.#sample,
        el('h3', {}, 'Answer'), this.#status, this.#answer,
        el('h3', {}, 'All requests of this page'), this.#list));
    calls.listen(() => this.#draw(), this.#leave.signal);
    this.#draw();
  }

  disconnectedCallback(): void {
    this.#leave.abort();
  }

  #fold(): void {
    const isOpen = this.classList.toggle('open');
    this.#head.setAttribute('aria-expanded', String(isOpen));
  }

  #draw(): void {
    const { shown } = calls;
    this.#head.replaceChildren(icon('code'), el('span', { class: shown ? 'visually-hidden' : false }, 'The request behind it'), ...(shown ? [method(shown), el('span', { class: 'path' }, shown.url.pathname), state(shown)] : []), icon('up'));
    reconcile(this.#list, calls.list, ({ id }) => String(id), (call, existing) => this.#drawCall(call, existing));
    if (!shown) return;
    this.#status.replaceChildren(state(shown), shown.took === undefined ? '' : ` ${shown.failure ? 'after' : 'in'} ${Math.max(1, Math.round(shown.took))} ms`, shown.isStream ? ', and then events as they happen' : '');
    this.#drawAnswer(shown.answer);
    if (shown !== this.#shown) void this.#drawSample(shown);
    this.#shown = shown;
  }

  /** Draws an answer only when it changes, so that a selection in it survives other requests. */
  #drawAnswer(answer: string | undefined): void {
    if (answer === this.#answered) return;
    this.#answered = answer;
    this.#answer.textContent = pretty(answer);
    this.#answer.hidden = !answer;
  }

  async #drawSample(call: Call): Promise<void> {
    const sample = await sampleOf(call).catch(() => undefined);
    if (call !== this.#shown) return; // another call is shown by now
    this.#summary.textContent = sample?.summary ?? '';
    this.#sample.code = sample?.code;
  }

  #drawCall(call: Call, existing: HTMLElement | undefined): HTMLElement {
    const item = existing ?? el('li');
    const isShown = call === calls.shown;
    if (isDrawn(item, call.status, call.failure, call.times, isShown)) return item;
    item.replaceChildren(el('button', { type: 'button', 'aria-current': isShown ? 'true' : false, on: { click: () => calls.select(call) } },
      method(call), el('span', { class: 'path', title: call.url.pathname }, call.url.pathname), state(call)));
    return item;
  }
}

const method = (call: Call): HTMLElement => el('span', { class: `method ${call.method.toLowerCase()}` }, call.method === 'DELETE' ? 'DEL' : call.method);

function state(call: Call): HTMLElement {
  const { status, failure, isStream, times } = call;
  const text = failure ?? (status === undefined ? '…' : isStream ? `${status} stream` : String(status));
  return el('span', { class: `code ${hasFailed(call) ? 'bad' : 'good'}` }, text, times > 1 && ` ×${times}`);
}

function pretty(answer: string | undefined): string {
  if (!answer) return '';
  try {
    const text = JSON.stringify(JSON.parse(answer), null, 2);
    return text.length > maxShown ? `${text.slice(0, maxShown)}\n…` : text;
  } catch {
    return answer.slice(0, maxShown);
  }
}

customElements.define('request-panel', RequestPanel);
