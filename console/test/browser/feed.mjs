// The part of the test of the console that follows a feed.
import { until } from './checks.mjs';

/** Cuts the stream of a user, and expects that nothing is missing once it is back. */
export async function feed({ newBrowser, open, live, send }) {
  const context = await newBrowser();
  const page = await open(context, '#/feed/finn');
  await live(page);
  await page.getByRole('button', { name: 'Cut, send five, resume' }).click();
  await page.getByText('nothing missed, nothing repeated').waitFor();
  const connected = page.getByRole('switch', { name: 'Connected' });
  await connected.click();
  for (let i = 0; i < 3; i++) await send(context, 'gil', 'finn', `Meanwhile ${i}`);
  await connected.click();
  await until(async () => (await page.locator('.event.delivered').count()) === 8, 'eight changes');
  await context.close();
}
