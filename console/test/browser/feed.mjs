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
