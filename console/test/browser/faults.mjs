// The part of the test of the console about a server that does not answer, or refuses.
import assert from 'node:assert/strict';
import { accessible, refusal, sideways, until } from './checks.mjs';

// After several failures the next attempt may be some while away.
const later = { timeout: 40_000 };

/** A feed without an answer has one line in the list of requests, and a rate that is over does not end another. */
async function feeds({ newBrowser, open, side }) {
  const context = await newBrowser();
  await context.route('**/v1/users/uma/changes*', (route) => route.abort());
  let isFirst = true;
  await context.route('**/v1/users/ugo/conversations?*', (route) => {
    const is429 = isFirst;
    isFirst = false;
    return is429 ? route.fulfill(refusal(429, 'Too many requests.', { 'Retry-After': '61' })) : route.continue();
  });
  const page = await open(context, '#/chat/uma/ugo', 'net::ERR_FAILED', 429);
  const lines = page.locator('.calls').getByRole('button', { name: 'GET /v1/users/uma/changes' });
  await lines.getByText(/No answer ×([3-9]|\d\d)/).waitFor();
  assert.equal(await lines.getByText('No answer').count(), 1); // the next attempt may be under way, in a line of its own
  await side(page, 'uma').locator('.banner').getByText('There is no answer from the server.').waitFor();
  await side(page, 'ugo').locator('.state.live').waitFor();
  await context.unroute('**/v1/users/uma/changes*');
  await side(page, 'uma').locator('.state.live').waitFor(later);
  await side(page, 'uma').locator('.banner').waitFor({ state: 'hidden' });
  await context.close();
}

/** A message that is refused for now says so, until it is sent. */
async function sends({ newBrowser, open, side, type, shows }) {
  const context = await newBrowser();
  const page = await open(context, '#/chat/uri/ute', 429);
  await side(page, 'uri').locator('.state.live').waitFor();
  let goOn;
  const seen = new Promise((resolve) => { goOn = resolve; });
  let attempts = 0;
  await page.route('**/v1/messages', async (route) => {
    if (++attempts === 1) return route.fulfill(refusal(429, 'Too many requests.', { 'Retry-After': '1' }));
    await seen;
    return route.continue();
  });
  await type(page, 'uri', 'In a while');
  const said = side(page, 'uri').getByRole('status').getByText('Not sent yet, but tried again. Too many requests.');
  await said.waitFor();
  goOn();
  await shows(page, 'ute', ['In a while']);
  await said.waitFor({ state: 'detached' });
  await context.close();
}

/** What fails is to be seen, until it is dismissed. */
async function actions({ newBrowser, open, live, side, send, found }) {
  const context = await newBrowser({ colorScheme: 'dark', viewport: { width: 320, height: 700 } });
  await send(context, 'uma', 'ugo', 'To stay');
  const page = await open(context, '#/chat/uma/ugo', 403);
  await live(page);
  await page.route('**/v1/messages/*', (route) => (route.request().method() === 'DELETE' ? route.fulfill(refusal(403, 'This may not be deleted.')) : route.fallback()));
  await side(page, 'uma').locator('.message').hover();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Delete for both?' }).click();
  const problem = page.getByRole('alert').getByText('Not deleted. This may not be deleted.');
  await problem.waitFor();
  await accessible(page, found, 'a failure');
  await sideways(page, found, 'a failure');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await problem.waitFor({ state: 'hidden' });
  await context.close();
}

/** What is refused for now and tried again says so, until it is done. */
async function waits({ newBrowser, open, live, side, send, shows, found }) {
  const context = await newBrowser({ viewport: { width: 320, height: 700 } });
  for (const text of ['To stay', 'To go']) await send(context, 'ulla', 'urs', text);
  const page = await open(context, '#/chat/ulla/urs', 429);
  await live(page);
  let goOn;
  const seen = new Promise((resolve) => { goOn = resolve; });
  let attempts = 0;
  await page.route('**/v1/messages/*', async (route) => {
    if (route.request().method() !== 'DELETE') return route.fallback();
    if (++attempts === 1) return route.fulfill(refusal(429, 'Too many changes.', { 'Retry-After': '1' }));
    await seen;
    return route.continue();
  });
  await side(page, 'ulla').locator('.message').last().hover();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Delete for both?' }).click();
  const said = page.getByRole('status').getByText('Not done yet, but tried again. Too many changes.');
  await said.waitFor();
  await accessible(page, found, 'what waits');
  await sideways(page, found, 'what waits');
  goOn();
  await shows(page, 'ulla', ['To stay', 'This message was deleted.']);
  await said.waitFor({ state: 'detached' });
  await context.close();
}

/** A conversation that could not be loaded is loaded once there is a connection. */
async function threads({ newBrowser, open, send }) {
  const context = await newBrowser();
  await send(context, 'uma', 'yann', 'From uma');
  await context.route('**/v1/users/yann/**', (route) => route.abort());
  const page = await open(context, '#/inbox/yann/uma', 'net::ERR_FAILED');
  for (const place of ['.thread', '.entries-side']) await page.locator(place).getByText('There is no answer from the server.').waitFor();
  await context.unroute('**/v1/users/yann/**');
  await page.locator('.thread').getByText('From uma').waitFor(later);
  await context.close();
}

/** What was changed while a conversation is loaded is shown as it is since then, though the answer is of before. */
async function late({ newBrowser, base, headers, open, send }) {
  const context = await newBrowser();
  const [edited, deleted] = [await send(context, 'ulva', 'ulf', 'To be edited'), await send(context, 'ulva', 'ulf', 'To be deleted')];
  let goOn;
  const changed = new Promise((resolve) => { goOn = resolve; });
  await context.route('**/v1/users/ulf/conversations/ulva/messages*', async (route) => {
    const response = await route.fetch();
    await changed;
    await route.fulfill({ response });
  });
  const page = await open(context, '#/inbox/ulf/ulva');
  await page.locator('.state.live').waitFor();
  const change = (method, { id }, data) => context.request.fetch(`${base}/v1/messages/${id}`, { method, headers, data });
  await change('PATCH', edited, { text: 'Was edited' });
  await change('DELETE', deleted);
  await page.locator('.entries').getByText('Was edited').waitFor();
  goOn();
  for (const text of ['Was edited', 'This message was deleted.']) await page.locator('.thread').getByText(text).waitFor();
  await context.close();
}

/** The state of a server that does not answer is said once, without empty figures, and all of it is there when it answers. */
async function service({ newBrowser, open, found }) {
  const context = await newBrowser({ colorScheme: 'dark' });
  await context.route(/\/v1\/(status|limits)/, (route) => route.abort());
  const page = await open(context, '#/service', 'net::ERR_FAILED', 500);
  const said = page.getByRole('status').getByText('No answer', { exact: true });
  await said.waitFor();
  assert.equal(await page.locator('.card').filter({ visible: true }).count(), 0);
  await accessible(page, found, 'the state of a server that does not answer');
  const element = await said.elementHandle();
  let asked = 0;
  page.on('requestfailed', () => { asked++; });
  await until(() => asked > 5, 'more requests than the attempts of one');
  assert.ok(await element.evaluate(({ isConnected }) => isConnected), 'what is said was not drawn again');
  await context.unroute(/\/v1\/(status|limits)/);
  await context.route('**/v1/status', (route) => route.fulfill(refusal(500, 'The server failed.')));
  await page.getByRole('status').getByText('Failed', { exact: true }).waitFor();
  await context.unroute('**/v1/status');
  await page.getByText('Ready', { exact: true }).waitFor();
  await page.getByText('Members of a group').waitFor();
  await context.close();
}

export async function faults(tools) {
  await Promise.all([feeds, sends, actions, waits, threads, late, service].map((one) => one(tools)));
}
