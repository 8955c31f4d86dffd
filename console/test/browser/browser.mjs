// Tests the console of the server at BASE_URL in Chromium: in two windows, in twelve tabs, without
// a network, by the keyboard alone. TOKEN is a key of the server, if it requires one. ONLY selects parts by name, separated by commas. With PICTURE it
// only saves a screenshot to that path, in which the server appears as http://localhost:8080.
import assert from 'node:assert/strict';
import { accessible, expectFailures, hostile, hostileNames, markup, prove, sideways, until, watch } from './checks.mjs';
import { faults } from './faults.mjs';
import { early, feed, left } from './feed.mjs';
import { focus, forced, sides, themes, unsent, voices, zoomed } from './focus.mjs';
import { groups, hostileGroup, longGroup, rejoined } from './groups.mjs';
import { hidden } from './hidden.mjs';
import { hide } from './hide.mjs';
import { identity } from './identity.mjs';
import { refusals } from './refusals.mjs';
import { within } from './search.mjs';

const { launch } = await import(`${process.env.TOOLS}/chromium.mjs`);
const { BASE_URL, PICTURE, TOKEN } = process.env;
const browser = await launch(...PICTURE ? [`--host-resolver-rules=MAP localhost:8080 ${new URL(BASE_URL).host}`] : []);
const headers = TOKEN ? { Authorization: `Bearer ${TOKEN}` } : {};
const base = PICTURE ? 'http://localhost:8080' : BASE_URL;
const found = [];
const streams = new Map(); // the open streams of each context

/** A browser context, which is like a separate browser, and the checks that watch it. */
async function newBrowser(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ignoreHTTPSErrors: true, ...options });
  await watch(context, base, found);
  streams.set(context, new Set());
  context.on('request', (request) => { if (request.headers().accept === 'text/event-stream') streams.get(context).add(request); });
  for (const end of ['requestfinished', 'requestfailed']) context.on(end, (request) => streams.get(context).delete(request));
  return context;
}

async function open(context, fragment, ...failures) {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000); // for what hangs: a feed that was refused often is tried again after 16 seconds
  expectFailures(page, ...failures);
  await page.goto(`${base}/console/${TOKEN ? fragment.replace('#', `#key=${TOKEN}&`) : fragment}`);
  return page;
}

const side = (page, user) => page.getByRole('region', { name: user, exact: true });
const texts = (page, user) => side(page, user).locator('.message .text').allTextContents();
const live = (page) => until(() => page.locator('.state').evaluateAll((all) => all.length > 0 && all.every((state) => state.classList.contains('live'))), 'all feeds live');
const leaders = (context) => [...streams.get(context)].map((request) => request.frame().page());
const streamsOf = (context, n) => until(() => streams.get(context).size === n, () => `${n} streams, but ${streams.get(context).size}`);
const type = async (page, user, text) => {
  await side(page, user).getByRole('textbox', { name: /^Message from/ }).fill(text);
  await page.keyboard.press('Enter');
};
const shows = (page, user, wanted) => until(async () => (await texts(page, user)).join('|') === wanted.join('|'), async () => `${wanted} for ${user}, but ${await texts(page, user)}`);

async function send(context, sender, recipient, text) {
  const answer = await context.request.post(`${base}/v1/messages`, { headers, data: { sender, recipient, text } });
  assert.equal(answer.status(), 201, await answer.text());
  return answer.json();
}

/** Runs one part, and prints how long it took and what the checks found. */
async function part(name, play) {
  const start = Date.now();
  const before = found.length;
  await play();
  console.log(`${name}: ${Date.now() - start} ms${found.length > before ? `, found ${JSON.stringify(found.slice(before))}` : ''}`);
}

async function checkScreen(page, where) {
  await accessible(page, found, where);
  await markup(page, found, where);
  await sideways(page, found, where);
}

async function chat() {
  const [here, there] = [await newBrowser(), await newBrowser()];
  const [one, other] = [await open(here, '#/chat/ann/ben'), await open(there, '#/chat/ann/ben')];
  for (const page of [one, other]) await live(page);
  await type(one, 'ann', 'Lunch at noon?');
  for (const page of [one, other]) for (const user of ['ann', 'ben']) await shows(page, user, ['Lunch at noon?']);
  await type(other, 'ben', 'Make it one.');
  const wanted = ['Lunch at noon?', 'Make it one.'];
  for (const page of [one, other]) for (const user of ['ann', 'ben']) await shows(page, user, wanted);

  // Offline, and then online again.
  expectFailures(one, 'net::ERR_INTERNET_DISCONNECTED');
  await here.setOffline(true);
  for (const text of ['Are you there?', 'Hello?']) { await send(there, 'ben', 'ann', text); wanted.push(text); }
  await type(one, 'ann', 'Not yet sent');
  await shows(other, 'ben', wanted);
  await here.setOffline(false);
  wanted.push('Not yet sent');
  for (const page of [one, other]) await until(async () => [...await texts(page, 'ben')].sort().join('|') === [...wanted].sort().join('|'), async () => `${wanted}, but ${await texts(page, 'ben')}`);

  // A hidden tab keeps receiving. Nothing else is drawn there shortly before, after which a timer would draw.
  const back = await open(here, '#/chat/abe/ben');
  await live(back);
  await hide(back);
  await send(there, 'ben', 'abe', 'While it was hidden');
  await shows(back, 'abe', ['While it was hidden']);
  for (const context of [here, there]) await context.close();
}

async function inbox() {
  const context = await newBrowser();
  for (let i = 0; i < 130; i++) await send(context, i % 2 ? 'ivy' : 'hal', i % 2 ? 'hal' : 'ivy', `Number ${i} of many`);
  await send(context, 'kim', 'ivy', 'A word about strawberries');
  const page = await open(context, '#/inbox/ivy');
  await page.locator('.entries').getByText('hal', { exact: true }).first().click();
  await page.locator('.thread').getByText('Number 129 of many', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'First' }).click();
  await page.locator('.thread').getByText('Number 0 of many', { exact: true }).waitFor();
  await page.getByRole('searchbox').fill('strawb');
  await page.locator('.entries mark').getByText('strawberries').waitFor();
  await send(context, 'kim', 'ivy', 'More strawberries, live');
  await page.getByRole('searchbox').fill('');
  await page.locator('.entries').getByText('More strawberries, live').waitFor();
  await within(page);
  await context.close();
}

async function service() {
  const context = await newBrowser();
  const page = await open(context, '#/service');
  await page.getByText('SQLite').first().waitFor();
  for (const text of ['4,096 characters', 'Members of a group']) await page.getByText(text).waitFor();
  await context.close();
}

/** Twelve tabs of one browser share one stream for each user, and all of them get every message. */
async function tabs() {
  const context = await newBrowser();
  const pages = [];
  for (let i = 0; i < 12; i++) pages.push(await open(context, '#/chat/tom/tim'));
  for (const page of pages) await live(page);
  await streamsOf(context, 2);
  await send(context, 'tim', 'tom', 'To all tabs');
  for (const page of pages) await shows(page, 'tom', ['To all tabs']);
  const protocol = await pages[0].evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol);
  assert.equal(protocol, base.startsWith('https') ? 'h2' : 'http/1.1');

  // Six tabs are frozen, among them any that lead; others take over their streams.
  const sessions = [];
  for (const page of pages.slice(0, 6)) {
    const session = await context.newCDPSession(page);
    sessions.push(session);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  }
  await send(context, 'tim', 'tom', 'While six are frozen');
  for (const page of pages.slice(6)) await shows(page, 'tom', ['To all tabs', 'While six are frozen']);
  for (const session of sessions) await session.send('Page.setWebLifecycleState', { state: 'active' });
  for (const page of pages) await shows(page, 'tom', ['To all tabs', 'While six are frozen']);
  await streamsOf(context, 2);
  for (const page of pages.splice(0, 11)) await page.close();
  await send(context, 'tim', 'tom', 'To the last one');
  await shows(pages[0], 'tom', ['To all tabs', 'While six are frozen', 'To the last one']);
  await context.close();
}

/** A tab that hangs, as in a debugger, keeps its lock; after 20 seconds another takes it. */
async function hanging() {
  const context = await newBrowser();
  const leader = await open(context, '#/feed/una');
  await live(leader);
  const follower = await open(context, '#/feed/una');
  await live(follower);
  await streamsOf(context, 1);
  const session = await context.newCDPSession(leader);
  await session.send('Debugger.enable');
  const paused = new Promise((resolve) => { session.once('Debugger.paused', resolve); });
  await session.send('Debugger.pause');
  void leader.evaluate('1').catch(() => undefined); // the debugger pauses at the next statement
  await paused;
  assert.ok(leaders(context).every((page) => page === leader), 'the follower leads');
  await send(context, 'vic', 'una', 'Is anybody there?');
  await follower.getByText('Is anybody there?').waitFor({ timeout: 60_000 });
  assert.ok(leaders(context).includes(follower), 'the follower has not taken over');
  await session.send('Debugger.resume');
  await session.send('Debugger.disable');
  await leader.getByText('Is anybody there?').waitFor();
  await streamsOf(context, 1);
  await send(context, 'vic', 'una', 'Good.');
  for (const page of [leader, follower]) {
    await page.getByText('Good.').waitFor();
    assert.equal(await page.locator('.event').count(), 2);
  }
  await context.close();
}

/** Different users in tabs of one browser have a stream each, and see nothing of each other. */
async function users() {
  const context = await newBrowser();
  const [eve, fay] = [await open(context, '#/feed/eve'), await open(context, '#/feed/fay')];
  for (const page of [eve, fay]) await live(page);
  await streamsOf(context, 2);
  await send(context, 'zoe', 'eve', 'For eve');
  await send(context, 'zoe', 'fay', 'For fay');
  await eve.getByText('For eve').waitFor();
  await fay.getByText('For fay').waitFor();
  assert.deepEqual([await eve.getByText('For fay').count(), await fay.getByText('For eve').count()], [0, 0]);
  await context.close();
}

/** Each screen with hostile texts and names, in both themes and on a small screen. */
async function screens() {
  const writer = await newBrowser();
  const name = hostileNames[0];
  for (const text of hostile) await send(writer, name, 'hostage', text);
  for (const other of hostileNames) await send(writer, other, 'hostage', hostile[0]);
  const group = await hostileGroup(writer, base, headers);
  await writer.close();
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [320, 1400]) {
      const context = await newBrowser({ colorScheme, viewport: { width, height: 800 } });
      const long = hostileNames.at(-1);
      const routes = {
        Chat: `#/chat/hostage,${encodeURIComponent(name)}/${encodeURIComponent(name)}`, 'Chat, a long name': `#/chat/hostage,${long}/${long}`, Feed: '#/feed/hostage',
        'Chat, no name': `#/chat/${encodeURIComponent(hostile[0])}/${encodeURIComponent(hostile[1])}`,
        Group: `#/chat/hostage,${group}`, 'Thread of a group': `#/inbox/hostage/${group}`, Inbox: '#/inbox/hostage', Thread: `#/inbox/hostage/${encodeURIComponent(name)}`,
        Search: `#/inbox/hostage/${encodeURIComponent(name)}?q=hostile&within=${encodeURIComponent(name)}`, Service: '#/service',
      };
      for (const [screen, fragment] of Object.entries(routes)) {
        const noName = screen === 'Chat, no name';
        const page = await open(context, fragment, ...noName ? [422] : []);
        if (noName) await until(async () => (await page.locator('.state.refused').count()) === 2, 'a refusal on both sides');
        else if (screen !== 'Service') await live(page);
        if (screen === 'Group') await page.getByRole('button', { name: 'Members', exact: true }).click();
        if (screen === 'Chat' || /^Thread|^Group/.test(screen)) await until(async () => (await page.locator('.message .text').allTextContents()).includes(hostile[0]), 'the text itself');
        if (screen === 'Search') await until(async () => (await page.locator('.messages mark').count()) > 0 && (await page.locator('.entries mark').count()) > 0, 'marks in the list and in the thread');
        if (screen === 'Service') await page.getByText('SQLite').first().waitFor();
        if (width > 320 || colorScheme === 'light') await checkScreen(page, `${screen}, ${colorScheme}, ${width} px`);
        await page.close();
      }
      await context.close();
    }
  }
}

/** Everything can be done by keyboard. */
async function keyboard() {
  const context = await newBrowser();
  const page = await open(context, '#/chat/kay/leo');
  await live(page);
  const focus = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
  const tabTo = async (wanted) => {
    const met = [];
    for (let i = 0; i < 200; i++) { // the requests of the page are among them
      await page.keyboard.press('Tab');
      met.push(await focus());
      if (wanted.test(met.at(-1))) return;
    }
    assert.fail(`Tab never came to ${wanted}: ${met.join(', ')}`);
  };
  await page.keyboard.type('By keys');
  await page.keyboard.press('Enter');
  await shows(page, 'leo', ['By keys']);
  await side(page, 'kay').locator('.message').getByText(/^(Sent|Seen)$/).waitFor(); // or else it cannot be edited yet
  await page.keyboard.press('ArrowUp');
  await page.keyboard.type(' alone');
  await page.keyboard.press('Enter');
  await shows(page, 'leo', ['By keys alone']);
  await tabTo(/^Message from leo to kay$/);
  await page.keyboard.type('Indeed');
  await page.keyboard.press('Enter');
  await shows(page, 'kay', ['By keys alone', 'Indeed']);
  for (const [screen, then] of [['Feed', /^Cut, send five/], ['Inbox', /Search|^kay|^leo|^alice|^bob/], ['Service', /./]]) {
    await tabTo(new RegExp(`^${screen}$`));
    await page.keyboard.press('Enter');
    await until(async () => (await page.title()).startsWith(screen), `the screen ${screen}`);
    await tabTo(then);
  }
  await context.close();
}

/** The screenshot for the README, of the demonstration store. */
async function picture() {
  const context = await newBrowser();
  const page = await open(context, '#/chat/alice/bob');
  await live(page);
  await type(page, 'alice', 'Yes, in May. Shall we tell her today?');
  await until(async () => (await texts(page, 'bob')).includes('Yes, in May. Shall we tell her today?'), 'the message');
  await page.mouse.move(0, 0);
  await page.screenshot({ path: PICTURE });
  await context.close();
}

try {
  const policy = (await (await browser.newContext({ ignoreHTTPSErrors: true })).request.get(`${BASE_URL}/console/`)).headers()['content-security-policy'];
  assert.ok(policy);
  await part('the checks report what is planted', async () => assert.deepEqual(await prove(browser, base, policy), []));
  const only = process.env.ONLY?.split(',');
  const play = async (parts) => { for (const [name, one] of Object.entries(parts)) if (!only || only.includes(name)) await part(name, one); };
  const tools = { newBrowser, base, headers, open, live, side, send, type, shows, texts, found };
  const others = Object.fromEntries(Object.entries({ groups, longGroup, rejoined, feed, early, left, hidden, faults, refusals, focus, voices, forced, zoomed, sides, themes, unsent }).map(([name, one]) => [name, () => one(tools)]));
  if (PICTURE) await part('picture', picture);
  else await Promise.all([play({ hanging, users, keyboard }), play({ chat, ...others, inbox, service, tabs, screens })]);
  // On its own, since it revokes the tokens of the other parts, too.
  if (TOKEN && !PICTURE) await play({ identity: () => identity({ newBrowser, base, key: TOKEN, found, side, type, shows }) });
  assert.deepEqual(found, []);
} finally {
  await browser.close();
}
