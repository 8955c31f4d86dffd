// The part of the test of the console that follows a feed.
import assert from 'node:assert/strict';
import { until } from './checks.mjs';

/** Cuts the stream of a user, and expects that nothing is missing once it is back. */
export async function feed({ newBrowser, open, live, send }) {
  const context = await newBrowser();
  const page = await open(context, '#/feed/finn');
  await live(page);
  const said = await page.getByText('Live: each change comes once').elementHandle();
  const sign = await said.$('svg');
  await send(context, 'gil', 'finn', 'Hello');
  await page.locator('.event.delivered').waitFor();
  assert.ok(await sign.evaluate(({ isConnected }) => isConnected), 'what holds as before is not announced again');
  await page.getByRole('button', { name: 'Cut, send five, resume' }).click();
  await page.getByText('nothing missed, nothing repeated').waitFor();
  const connected = page.getByRole('switch', { name: 'Connected' });
  await connected.click();
  for (let i = 0; i < 3; i++) await send(context, 'gil', 'finn', `Meanwhile ${i}`);
  await connected.click();
  await until(async () => (await page.locator('.event.delivered').count()) === 9, 'nine changes');
  await context.close();
}

/** Where it is not known yet behind which cursor to resume, nothing is sent that would never come. */
export async function early({ newBrowser, open }) {
  const context = await newBrowser();
  let goOn;
  const tried = new Promise((resolve) => { goOn = resolve; });
  await context.route('**/v1/users/fritz/changes*', async (route) => { await tried; await route.continue(); });
  const page = await open(context, '#/feed/fritz');
  for (const name of ['Send five messages', 'Cut, send five, resume', 'Try it']) assert.ok(await page.getByRole('button', { name }).isDisabled(), name);
  goOn();
  await page.getByRole('button', { name: 'Try it' }).click(); // once it is enabled
  await page.getByText('nothing missed, nothing repeated').waitFor();
  await context.close();
}

/** Who goes elsewhere while the demonstration runs ends it: nothing more is sent, and the feed is not followed again. */
export async function left({ newBrowser, open, live }) {
  const context = await newBrowser();
  await context.clock.install();
  const page = await open(context, '#/feed/gus');
  await live(page);
  let goOn;
  const gone = new Promise((resolve) => { goOn = resolve; });
  await page.route('**/v1/messages', async (route) => { await gone; await route.continue(); });
  await page.getByRole('button', { name: 'Cut, send five, resume' }).click();
  const [first] = await Promise.all([page.waitForRequest('**/v1/messages'), page.clock.runFor(1000)]);
  await page.getByRole('link', { name: 'Service', exact: true }).click();
  await page.getByText('Ready', { exact: true }).waitFor();
  const later = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (/^.v1.(messages|users.gus.changes)$/.test(pathname)) later.push(`${request.method()} ${pathname}`);
  });
  goOn();
  await (await first.response()).finished();
  await page.clock.runFor(2000);
  await page.getByRole('link', { name: 'Inbox', exact: true }).click();
  await page.getByText('Inbox of', { exact: true }).waitFor();
  await live(page); // after what would have been asked for before
  assert.deepEqual(later, []);
  await context.close();
}
