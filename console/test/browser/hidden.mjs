// The part of the test of the console that hides and mutes conversations.
import assert from 'node:assert/strict';
import { accessible, sideways, until } from './checks.mjs';

/** Hides a conversation and brings it back, by keyboard and by a message, and mutes another, whose only message is deleted. */
export async function hidden({ newBrowser, base, headers, open, live, send, found }) {
  const context = await newBrowser();
  const { id } = await send(context, 'rex', 'pat', 'Hello');
  await send(context, 'quin', 'pat', 'Later, please');
  const page = await open(context, '#/inbox/pat/quin');
  await live(page);
  const names = () => page.locator('.entries .peer').allTextContents();
  const lists = (...wanted) => until(async () => (await names()).join() === wanted.join(), async () => `${wanted} in the list, but ${await names()}`);
  const button = (name) => page.getByRole('button', { name, exact: true });
  const press = async (name) => { await button(name).focus(); await page.keyboard.press('Enter'); };
  await lists('quin', 'rex');

  const hasFocus = (name) => button(name).and(page.locator(':focus')).waitFor();
  await press('Hide until the next message');
  await lists('rex');
  await hasFocus('Hidden');
  await press('Mute for 8 hours'); // of the next conversation, which is open instead
  await page.locator('.entries').getByRole('button', { name: 'rex Muted' }).waitFor();
  assert.equal(await button('Hidden').getAttribute('aria-pressed'), 'false');

  await press('Hidden');
  await page.getByText('Hidden until their next message').waitFor();
  await lists('quin');
  await hasFocus('Hidden');
  await accessible(page, found, 'the hidden conversations');
  await page.setViewportSize({ width: 320, height: 700 });
  await page.getByRole('button', { name: 'Back to the conversations' }).click();
  await sideways(page, found, 'the hidden conversations');
  await page.locator('.entries').getByRole('button').focus();
  await page.keyboard.press('Enter');
  await page.locator('.thread').getByText('Later, please').waitFor();
  await sideways(page, found, 'a hidden conversation');
  await page.setViewportSize({ width: 1400, height: 900 });
  await press('Bring back to the inbox');
  await lists('quin', 'rex');
  assert.equal(await page.locator('.entries [aria-current] .peer').textContent(), 'quin');
  assert.equal(await button('Hidden').getAttribute('aria-pressed'), 'false');

  // The list has an address, and a message takes a conversation out of it.
  await press('Hide until the next message');
  await lists('rex');
  await press('Hidden');
  await lists('quin');
  const other = await open(context, new URL(page.url()).hash);
  await other.locator('.entries').getByText('Later, please').waitFor();
  const unlisted = await open(context, '#/inbox/pat/quin'); // of which the list knows nothing
  await unlisted.getByRole('button', { name: 'Bring back to the inbox' }).waitFor();
  await unlisted.close();
  await send(context, 'quin', 'pat', 'It is later');
  for (const one of [page, other]) await one.getByText('pat has hidden no conversation.').waitFor();
  await press('Hidden');
  await lists('quin', 'rex');
  await page.locator('.entries').getByText('It is later').waitFor();

  // What is muted and without a message is in neither list.
  const deleted = await context.request.delete(`${base}/v1/messages/${id}`, { headers });
  assert.equal(deleted.status(), 204, await deleted.text());
  await lists('quin');
  await press('Hidden');
  await page.getByText('pat has hidden no conversation.').waitFor();

  // Who opens another conversation before the answer stays there.
  for (const peer of ['sam', 'tim']) await send(context, peer, 'pat', 'Hello');
  await press('Hidden');
  await lists('tim', 'sam', 'quin');
  const entry = (name) => page.locator('.entries').getByRole('button', { name });
  let answer;
  const asked = new Promise((resolve) => { answer = resolve; });
  await page.route('**/conversations/sam', async (route) => { if (route.request().method() === 'PATCH') await asked; await route.continue(); });
  await entry('sam').click();
  await page.locator('.entries [aria-current] .peer').getByText('sam', { exact: true }).waitFor();
  await press('Hide until the next message');
  await entry('quin').click();
  answer();
  await lists('tim', 'quin');
  assert.equal(await page.locator('.entries [aria-current] .peer').textContent(), 'quin');
  await context.close();
}
