import { ProblemError, type components, type Limits } from 'message-service-client';

import { answered, explain } from '../answers.ts';
import { service } from '../api.ts';
import { el, isDrawn, set } from '../dom.ts';
import { limits } from '../store/limits.ts';
import { bytes, duration, number } from '../text.ts';
import { rateChart } from './rate-chart.ts';

type Status = components['schemas']['Status'];

/** Milliseconds between two requests for the status. */
const pollEvery = 1000;
const maxSamples = 120;

const engines: Readonly<Record<string, string>> = { postgres: 'PostgreSQL', sqlite: 'SQLite' };

const shownLimits: readonly (readonly [Exclude<keyof Limits, 'rateLimits'>, string, (value: number) => string])[] = [
  ['textMaxLength', 'Text of a message', (n) => `${number(n)} characters`],
  ['metadataMaxBytes', 'Metadata of a message', bytes],
  ['metadataMaxDepth', 'Levels of metadata', number],
  ['userIdMaxLength', 'Id of a user', (n) => `${number(n)} characters`],
  ['idempotencyKeyMaxLength', 'Idempotency key', (n) => `${number(n)} characters`],
  ['requestMaxBytes', 'Body of a request', bytes],
  ['pageMaxMessages', 'Messages on a page', number],
  ['pageMaxBytes', 'Size of a page', bytes],
  ['defaultWindowDays', 'A list without bounds goes back', (n) => `${number(n)} days`],
  ['userMaxStreams', 'Streams of a user', number],
  ['groupMaxMembers', 'Members of a group', number],
  ['userMaxGroups', 'Groups of a user', number],
];

/** The rate limits that a client may know, by name. */
const rates: Readonly<Record<string, string>> = { send: 'Sends of a user', write: 'Other changes of a user', read: 'Reads of a user', search: 'Searches of a user', failed: 'Bad credentials from an address' };

/** The state of the server, as it is now. */
export class ServiceScreen extends HTMLElement {
  #rates: number[] = [];
  #before: { sends: number; at: number } | undefined;
  #timer = 0;
  #leave = new AbortController();

  readonly #state = el('div', { class: 'now', role: 'status' });
  readonly #about = el('p', { class: 'about' });
  readonly #rate = el('section', { class: 'card rate', 'aria-label': 'Sends a second' });
  readonly #meters = el('section', { class: 'card meters', 'aria-label': 'What is in use' });
  readonly #limits = el('section', { class: 'card limits', 'aria-label': 'Limits' });

  connectedCallback(): void {
    this.#leave = new AbortController();
    set(this, { role: 'region', 'aria-label': 'State of the server', tabindex: 0 }); // with the focus it scrolls by keyboard
    this.replaceChildren(el('h1', { class: 'visually-hidden' }, 'Service'), el('div', { class: 'service-head' }, this.#state, this.#about), el('div', { class: 'cards' }, this.#rate, this.#meters, this.#limits));
    void this.#ask(true);
    void this.#loadLimits();
  }

  disconnectedCallback(): void {
    this.#leave.abort();
    clearTimeout(this.#timer);
  }

  async #ask(isFirst: boolean): Promise<void> {
    const { signal } = this.#leave;
    try {
      if (isFirst || document.visibilityState === 'visible') this.#draw(await answered(service(isFirst ? 'page' : 'no').GET('/v1/status', { signal })));
    } catch (error) {
      if (signal.aborted) return;
      const status = error instanceof ProblemError ? error.problem.status : undefined;
      const isRefused = status === 403;
      this.#say(false, isRefused ? 'Not for this credential' : status === undefined ? 'No answer' : status < 500 ? 'Refused' : 'Failed', explain(error));
      this.#rate.hidden = this.#meters.hidden = isRefused || !this.#before;
      this.#limits.hidden = this.#limits.childElementCount === 0;
      if (isRefused) return;
    }
    if (!signal.aborted) this.#timer = setTimeout(() => void this.#ask(false), pollEvery);
  }

  /** Draws the limits, unless they are drawn: they do not change. */
  async #loadLimits(): Promise<void> {
    if (this.#limits.childElementCount > 0) return;
    const data = await limits().catch(() => undefined);
    if (!data) return;
    const lines = [
      ...shownLimits.map(([name, title, show]) => [title, show(data[name])] as const),
      ...data.rateLimits.map(({ name, requests, seconds }) => [rates[name] ?? `Rate of ${name}`, `${number(requests)} in ${duration(seconds)}`] as const),
    ];
    this.#limits.hidden = false;
    this.#limits.replaceChildren(el('h2', {}, 'Limits'), el('dl', {}, ...lines.map(([title, value]) => el('div', {}, el('dt', {}, title), el('dd', {}, value)))));
  }

  #draw(status: Status): void {
    const { version, engine, ready, notReadyReason, uptimeSeconds, sends, sendsPerSecond10s, sendsPerSecond60s } = status;
    this.#say(ready, ready ? 'Ready' : 'Not ready', notReadyReason, `Version ${version} on ${engines[engine] ?? engine}, up for ${duration(uptimeSeconds)}`);
    void this.#loadLimits();
    this.#rate.hidden = this.#meters.hidden = false;
    this.#sample(sends);
    const highest = Math.max(0, ...this.#rates);
    this.#rate.replaceChildren(
      el('h2', {}, 'Sends a second'),
      el('dl', { class: 'figures' }, figure('last 10 seconds', sendsPerSecond10s.toFixed(1)), figure('last minute', sendsPerSecond60s.toFixed(1)), figure('since the start', number(sends))),
      el('p', { class: 'most' }, highest > 0 ? `${highest.toFixed(highest < 10 ? 1 : 0)} at most` : ''), rateChart(this.#rates, maxSamples));
    this.#meters.replaceChildren(
      el('h2', {}, 'In use'),
      meter('Streams and held requests', status.streams, status.maxStreams), meter('Connections', status.connections, status.maxConnections),
      meter('Sends that wait to be stored', status.sendsWaiting, status.queueSize), meter('Other changes that wait', status.changesWaiting, status.queueSize));
  }

  /** Says how the server is. That and the reason are announced, so they are drawn only when they change. */
  #say(isReady: boolean, state: string, reason = '', about = ''): void {
    if (!isDrawn(this.#state, isReady, state, reason)) this.#state.replaceChildren(el('p', { class: isReady ? 'state live' : 'state refused' }, state), el('p', { class: 'about' }, reason));
    this.#about.textContent = about;
  }

  /** Records the sends per second since the last status. */
  #sample(sends: number): void {
    const now = performance.now();
    if (this.#before && sends >= this.#before.sends) this.#rates.push((sends - this.#before.sends) / Math.max(0.2, (now - this.#before.at) / 1000));
    this.#before = { sends, at: now };
    this.#rates = this.#rates.slice(-maxSamples);
  }
}

function figure(name: string, value: string): HTMLElement {
  return el('div', {}, el('dt', {}, name), el('dd', {}, value));
}

function meter(name: string, value: number, most: number): HTMLElement {
  const id = `meter-${name.replaceAll(' ', '-')}`;
  return el('div', { class: 'meter' }, el('span', { id }, name), el('span', { class: 'of' }, el('b', {}, number(value)), ` of ${number(most)}`),
    el('meter', { 'aria-labelledby': id, min: 0, max: most, high: most * 0.8, value }));
}

customElements.define('service-screen', ServiceScreen);
