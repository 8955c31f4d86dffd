// The part of the test of the console that searches within a conversation.
import assert from 'node:assert/strict';
import { expectFailures, until } from './checks.mjs';

/** Searches in the conversation of ivy and hal only, and follows the words into it; then searches what is refused. */
export async function within(page) {
  const [box, entries] = [page.getByRole('searchbox'), page.locator('.entries')];
  await page.getByRole('button', { name: 'Search what ivy and hal wrote' }).click();
  await box.pressSequentially('many 17 ');
  await until(async () => (await entries.locator('mark').allTextContents()).join('|') === '17|many', 'the words of one message');
  await entries.getByText('Number 17 of many').click();
  await until(async () => (await page.locator('.messages .found mark').allTextContents()).join('|') === '17|many', 'the words in the conversation');
  // An answer that comes after that to a later search is ignored.
  let release;
  const later = new Promise((resolve) => { release = resolve; });
  await page.route(/q=many%2023/, async (route) => { await later; await route.continue().catch(() => undefined); });
  const asked = page.waitForRequest(/q=many%2023/);
  const ended = Promise.race(['requestfinished', 'requestfailed'].map((end) => page.waitForEvent(end, (request) => /q=many%2023/.test(request.url()))));
  await box.fill('many 23 ');
  await asked;
  await box.fill('many 42 ');
  await entries.getByText('Number 42 of many').waitFor();
  release();
  await ended;
  await page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); }));
  assert.match(await entries.textContent(), /Number 42 of many/);
  await box.fill('strawberries');
  await page.getByText('Nothing that ivy and hal wrote has all of these words.').waitFor();
  await page.getByRole('button', { name: 'Only with hal: search everywhere' }).click();
  await entries.getByText('A word about strawberries').waitFor();
  expectFailures(page, 400);
  await box.fill('w '.repeat(33));
  await page.getByText('q must have at most 32 words').waitFor();
  assert.equal(await page.getByRole('button', { name: /Older|Try again/ }).isVisible(), false);
}
