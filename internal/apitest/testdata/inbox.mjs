// Opens the app of docs/guides/inbox.md, which is in the current folder, as two users in
// Chromium. Vite serves it, as the guide says. SCREENSHOTS names a folder for a picture.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { launch } = await import(`${process.env.TOOLS}/chromium.mjs`);

const vite = spawn(process.execPath, ['node_modules/vite/bin/vite.js', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
let url;
for await (const line of createInterface(vite.stdout)) {
  [url] = /http:\/\/localhost:\d+/.exec(line) ?? [];
  if (url) break;
}
const browser = await launch();
const problems = [];

async function open(user) {
  const page = await browser.newPage({ viewport: { width: 720, height: 480 } });
  page.setDefaultTimeout(60_000); // Vite bundles what the page imports first
  page.on('pageerror', (error) => problems.push(`${user}: ${error.message}`));
  const loaded = page.waitForResponse((response) => response.url().includes('/conversations?')); // from here on a message is drawn once, when the feed brings it
  await page.goto(`${url}/?user=${user}`);
  await (await loaded).finished();
  return page;
}

async function write(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

try {
  const [alice, bob] = [await open('alice'), await open('bob')];
  await bob.evaluate(() => Object.defineProperty(document, 'hidden', { value: false }));

  // What alice sends appears at bob's, with a count, and without a reload.
  await alice.getByLabel('Write to').fill('bob');
  await alice.getByLabel('Write to').press('Enter');
  await write(alice, 'Lunch at noon?');
  const line = bob.getByRole('button', { name: /alice: Lunch at noon\?/ });
  await line.locator('b').getByText('1').waitFor();

  // He reads it: the count goes away, and alice sees that.
  await line.click();
  await alice.locator('.mine').getByText('Lunch at noon? · read').waitFor();
  await line.locator('b').waitFor({ state: 'detached' });
  await write(bob, 'Make it half past.');
  await alice.locator('#thread').getByText('Make it half past.').waitFor();

  // Edits and deletions by others arrive as well.
  const send = async (method, path, body) => {
    const answer = await fetch(process.env.BASE_URL + path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    assert.ok(answer.ok);
    return answer.status === 201 ? answer.json() : undefined;
  };
  const sent = await send('POST', '/v1/messages', { sender: 'bob', recipient: 'alice', text: 'At the corner' });
  await alice.locator('#thread').getByText('At the corner').waitFor();
  await send('PATCH', `/v1/messages/${sent.id}`, { text: 'At the harbour' });
  await alice.locator('#thread').getByText('At the harbour (edited)').waitFor();
  await bob.locator('#thread').getByText('At the harbour (edited)').waitFor();
  await send('POST', '/v1/messages', { sender: 'carol', recipient: 'alice', text: 'See you on Friday' });
  await alice.getByRole('button', { name: /carol: See you on Friday/ }).waitFor();
  if (process.env.SCREENSHOTS) await alice.screenshot({ path: join(process.env.SCREENSHOTS, 'inbox.png') });
  await send('DELETE', `/v1/messages/${sent.id}`);
  await alice.locator('#thread').getByText('At the harbour').waitFor({ state: 'detached' });

  await write(bob, '<b>Yes!</b>');
  await alice.locator('#thread').getByText('<b>Yes!</b>').waitFor();
  assert.equal(await alice.locator('#thread b').count(), 0, 'a text is never markup');

  // A thread that is higher than the window scrolls by itself, so that the inbox and the form stay.
  await send('POST', '/v1/messages', { sender: 'bob', recipient: 'alice', text: 'And so on. '.repeat(300) });
  await alice.locator('#thread').getByText('And so on.').waitFor();
  assert.equal(await alice.evaluate(() => document.documentElement.scrollHeight), 480);

  // A send that is refused says why, and keeps the text.
  await send('PUT', '/v1/users/bob/blocks/alice');
  await write(alice, 'Still there?');
  await alice.getByRole('status').getByText('The recipient has blocked the sender.').waitFor();
  assert.equal(await alice.getByLabel('Message', { exact: true }).inputValue(), 'Still there?');

  // A group that alice is added to is in her inbox at once, names who writes, and is gone when she is removed.
  await send('PUT', '/v1/groups/~lunch', { name: 'Lunch club', owner: 'carol' });
  await send('POST', '/v1/groups/~lunch/members', { users: ['alice'] });
  const group = alice.getByRole('button', { name: /Lunch club/ }); // an unread count may stand before it
  await group.click();
  await write(alice, 'Noodles?');
  await alice.locator('.mine').getByText('Noodles?', { exact: true }).waitFor();
  await send('POST', '/v1/messages', { sender: 'carol', recipient: '~lunch', text: 'Yes!' });
  await alice.locator('#thread').getByText('carol: Yes!').waitFor();
  await send('DELETE', '/v1/groups/~lunch/members/alice');
  await group.waitFor({ state: 'detached' });
  assert.equal(await alice.locator('#thread li').count(), 0, 'nothing of a group is left');

  assert.deepEqual(problems, []);
} finally {
  await browser.close();
  vite.kill();
}
