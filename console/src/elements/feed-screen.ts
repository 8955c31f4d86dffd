import { followChanges, ProblemError } from 'message-service-client';

import { answered, explain } from '../answers.ts';
import { api, background } from '../api.ts';
import { announce, el, icon, isDrawn, reconcile, type Icon } from '../dom.ts';
import { router } from '../route.ts';
import { session } from '../session.ts';
import { FeedLog, type Row } from '../store/feed-log.ts';
import { randomKey } from '../store/key.ts';
import { drawRow } from './feed-row.ts';
import { nameField } from './name-field.ts';
import { avatar } from './user-avatar.ts';

/** A line where the feed resumed: the cursor it resumed after, and how many messages were sent while it was cut. */
type Line = { readonly connection: number; readonly cursor: string; readonly sentWhileCut: number };

type Status = 'connecting' | 'live' | 'waiting' | 'cut' | 'refused';

/** The steps of the demonstration. */
const steps = [
  ['Cut the connection', 'The feed stops. The service goes on.'],
  ['Send five messages', 'They are stored, and nobody hears of them here.'],
  ['Resume behind the last cursor', 'All five come, once and in order.'],
] as const;

const texts = ['Are you still there?', 'The train is late ☕', 'Half past, then', 'Platform 4', 'See you 👋'];

/** The feed of a user: each change with its cursor, and how the feed resumes after the connection was cut. */
export class FeedScreen extends HTMLElement {
  #user = '';
  #log = new FeedLog();
  #status: Status = 'connecting';
  #reason = '';
  #connection = 0;
  #sentWhileCut = 0;
  #lines: Line[] = [];
  #stop = new AbortController();
  #leave = new AbortController();
  #isBusy = false;

  readonly #title = el('div', { class: 'who' });
  readonly #state = el('span', { class: 'state' });
  readonly #switch = el('button', { type: 'button', role: 'switch', class: 'switch', on: { click: () => this.#toggle() } }, el('span', { class: 'knob' }), 'Connected');
  readonly #send = el('button', { type: 'button', class: 'button', on: { click: () => void this.#exclusively(() => this.#sendFive()) } }, icon('send'), 'Send five messages');
  readonly #show = el('button', { type: 'button', class: 'button primary', on: { click: () => void this.#exclusively(() => this.#demonstrate()) } }, 'Cut, send five, resume');
  readonly #try = el('button', { type: 'button', class: 'button primary', on: { click: () => void this.#exclusively(() => this.#demonstrate()) } }, 'Try it');
  readonly #verdict = el('p', { class: 'verdict', role: 'status' });
  readonly #figures = el('dl', { class: 'figures' });
  readonly #list = el('ol', { class: 'events', 'aria-label': 'Changes, the newest first' });
  readonly #empty = el('section', { class: 'trial', 'aria-label': 'What to try' });

  connectedCallback(): void {
    this.#leave = new AbortController();
    this.replaceChildren(
      el('h1', { class: 'visually-hidden' }, 'Feed'),
      el('div', { class: 'toolbar' }, this.#title, this.#state, el('div', { class: 'buttons' }, this.#switch, this.#send, this.#show)),
      el('div', { class: 'sheet' }, this.#figures, this.#verdict, this.#empty, this.#list));
    router.listen(() => this.#arrive(), this.#leave.signal);
    this.#arrive();
  }

  disconnectedCallback(): void {
    this.#leave.abort();
    this.#stop.abort();
  }

  #arrive(): void {
    const { current } = router;
    if (current.screen !== 'feed' || current.user === this.#user) return;
    this.#user = current.user;
    const log = new FeedLog();
    this.#log = log;
    log.listen(() => log === this.#log && this.#draw(), this.#leave.signal);
    this.#lines = [];
    this.#connection = 0;
    this.#sentWhileCut = 0;
    this.#title.replaceChildren(avatar(this.#user), el('span', {}, 'Feed of'), nameField(this.#user, 'Whose feed is shown', (user) => router.go({ screen: 'feed', user })));
    this.#invite();
    this.#connect();
  }

  /** Explains the demonstration, while no change has been delivered. */
  #invite(): void {
    this.#empty.replaceChildren(
      el('h2', {}, `Nothing has happened since you opened the feed of ${this.#user}`),
      el('p', {}, 'Whatever is sent, edited, deleted or read from now on appears here at once. See what a device loses that has no connection for a while:'),
      el('ol', {}, ...steps.map(([title, text]) => el('li', {}, el('b', {}, title), el('span', {}, text)))),
      this.#try);
  }

  /** Follows the feed after the last delivered change. */
  #connect(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#setStatus('connecting');
    void this.#follow(this.#stop.signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const log = this.#log;
    const onReady = (cursor: string): void => {
      log.cursor ??= cursor;
      this.#setStatus('live');
    };
    const onRetry = (reason: unknown): void => this.#setStatus('waiting', explain(reason));
    try {
      for await (const change of followChanges(background(this.#user), this.#user, { after: log.cursor, signal, share: true, onReady, onRetry })) {
        log.delivered(change);
      }
    } catch (error) {
      if (!signal.aborted) this.#setStatus(error instanceof ProblemError ? 'refused' : 'waiting', explain(error));
    }
  }

  #toggle(): void {
    if (this.#status === 'cut') this.#resume();
    else this.#cut();
  }

  #cut(): void {
    this.#stop.abort();
    this.#sentWhileCut = 0;
    this.#setStatus('cut');
    announce('The connection is cut.');
  }

  #resume(): void {
    this.#connection++;
    this.#lines.push({ connection: this.#connection, cursor: this.#log.cursor ?? '', sentWhileCut: this.#sentWhileCut });
    this.#connect();
  }

  /** Sends five messages, as long as this feed is shown. */
  async #sendFive(): Promise<void> {
    const log = this.#log;
    const other = this.#user === 'alice' ? 'bob' : 'alice';
    const sender = session.actsAs(other) ? other : this.#user; // then they are notes to oneself
    for (const text of texts) {
      if (!this.#shows(log)) return;
      const message = await answered(api(sender).POST('/v1/messages', {
        params: { header: { 'Idempotency-Key': randomKey() } }, body: { sender, recipient: this.#user, text },
      }));
      log.stored(message, this.#status === 'cut');
      if (this.#status === 'cut') this.#sentWhileCut++;
    }
  }

  /** Whether the feed of this log is still shown, and not another one or another screen. */
  #shows(log: FeedLog): boolean {
    return this.isConnected && log === this.#log;
  }

  /** Cuts the connection, sends five messages, and resumes, as long as this feed is shown. */
  async #demonstrate(): Promise<void> {
    const log = this.#log;
    const moment = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 900); });
    if (this.#status !== 'cut') this.#cut();
    await moment();
    if (this.#shows(log)) await this.#sendFive();
    await moment();
    if (this.#shows(log) && this.#status === 'cut') this.#resume();
  }

  /** Whether to wait with sending: what is sent before there is a cursor to resume behind would never come. */
  get #mustWait(): boolean {
    return this.#isBusy || this.#log.cursor === undefined;
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    if (this.#mustWait) return;
    this.#isBusy = true;
    this.#draw();
    await work().catch((error: unknown) => { this.#reason = explain(error); });
    this.#isBusy = false;
    this.#draw();
  }

  #setStatus(status: Status, reason = ''): void {
    this.#status = status;
    this.#reason = reason;
    this.#draw();
  }

  #draw(): void {
    const names = { connecting: 'Connecting', live: 'Live', waiting: 'No connection', cut: 'Cut', refused: 'Refused' };
    this.#state.className = `state ${this.#status}`;
    this.#state.textContent = names[this.#status];
    this.#switch.setAttribute('aria-checked', String(this.#status !== 'cut'));
    for (const button of [this.#send, this.#show, this.#try]) button.setAttribute('aria-disabled', String(this.#mustWait));
    const { cursor, received, waiting, missed, repeated, rows } = this.#log;
    this.#figures.replaceChildren(
      figure('Received', received), figure('Have yet to come', waiting), figure('Missed', missed, missed > 0), figure('Repeated', repeated, repeated > 0),
      el('div', { class: 'wide' }, el('dt', {}, 'Cursor of the last one'), el('dd', {}, el('code', {}, cursor ?? '…'))));
    const [sign, sentence] = this.#judge();
    this.#verdict.classList.toggle('bad', sign === 'warning');
    if (!isDrawn(this.#verdict, sign, sentence)) this.#verdict.replaceChildren(icon(sign), sentence); // it is announced
    this.#empty.hidden = rows.length > 0;
    reconcile(this.#list, this.#entries(rows), (entry) => ('change' in entry ? entry.cursor : `line ${entry.connection}`), (entry, existing) => ('change' in entry ? drawRow(entry, existing) : drawLine(entry, existing)));
  }

  /** Inserts the lines of resumed connections between the changes. */
  #entries(rows: Row[]): (Row | Line)[] {
    const lines = [...this.#lines].reverse();
    const entries: (Row | Line)[] = [];
    for (const row of rows) {
      while (lines[0] && row.cursor <= lines[0].cursor) entries.push(lines.shift()!);
      entries.push(row);
    }
    return [...entries, ...lines];
  }

  /** The sentence that sums up the log: what is missed, repeated or still to be delivered. */
  #judge(): [Icon, string] {
    if (this.#reason) return ['warning', this.#reason];
    const { waiting, missed, repeated } = this.#log;
    const last = this.#lines.at(-1);
    if (this.#status === 'cut') return ['clock', waiting === 0 ? 'The connection is cut. What happens now waits.' : `The connection is cut. ${waiting} ${waiting === 1 ? 'message has' : 'messages have'} passed meanwhile.`];
    if (this.#status === 'connecting') return ['clock', 'Connecting…'];
    if (missed + repeated > 0) return ['warning', `${missed} missed, ${repeated} repeated.`];
    if (!last || waiting > 0) return ['down', 'Live: each change comes once, in one order.'];
    const passed = last.sentWhileCut === 1 ? 'The message that passed meanwhile has come' : `All ${last.sentWhileCut} messages that passed meanwhile have come`;
    return ['check', last.sentWhileCut === 0 ? 'Resumed: nothing had passed meanwhile.' : `Resumed behind the last cursor. ${passed}: nothing missed, nothing repeated.`];
  }
}

function figure(name: string, value: number, isBad = false): HTMLElement {
  return el('div', { class: isBad ? 'bad' : false }, el('dt', {}, name), el('dd', {}, value));
}

function drawLine({ cursor }: Line, existing: HTMLElement | undefined): HTMLElement {
  return existing ?? el('li', { class: 'line' }, el('span', {}, 'Cut, and resumed behind ', el('code', {}, cursor.slice(-12))));
}

customElements.define('feed-screen', FeedScreen);
