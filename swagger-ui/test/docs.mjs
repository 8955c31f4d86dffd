// Tests the documentation: reads it, navigates, tries operations out, follows a stream, and checks
// accessibility. Writes the code samples of the requests it tried into the folder SAMPLES.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authorizes } from './authorize.mjs';
import { followsTheScheme, unmuted } from './colours.mjs';
import { base, browser, expectRefusals, headers, LANGUAGES, offers, open, openOperation, parameter, problems, readSamples, shoot, tryOut, violations } from './page.mjs';

const contract = await (await fetch(`${base}/openapi.json`)).json();
const operationIds = Object.values(contract.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId).filter(Boolean));
const screen = { width: 1400, height: 900 };
const linesOf = (text) => text.trim().split('\n').map((line) => JSON.parse(line).type);

async function readsThePage() {
  const page = await open({ viewport: screen });
  assert.equal(await page.title(), 'Message Service API');
  for (const role of ['banner', 'main']) assert.equal(await page.getByRole(role).count(), 1, `landmarks ${role}`);
  assert.equal(await page.getByRole('navigation', { name: 'Operations' }).count(), 1);
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
  assert.deepEqual(await page.getByRole('heading', { level: 2 }).allInnerTexts(), [...contract.tags.map(({ name }) => name), 'Schemas']);
  assert.equal(await page.getByRole('heading', { level: 3 }).locator('visible=true').count() >= operationIds.length, true);
  assert.ok((await page.locator('.introduction').innerText()).includes(`curl ${base}/v1/messages`), 'the introduction has this origin');
  await page.getByRole('region', { name: 'Groups' }).getByRole('row', { name: 'remove admins' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await shoot(page, 'desktop-light');

  // Each operation, before anything is executed.
  await openOperation(page, 'getHealth');
  await page.getByRole('tab', { name: 'Go' }).click(); // the longest samples
  const tall = [];
  for (const id of operationIds) {
    const block = await openOperation(page, id);
    const { height } = await block.boundingBox();
    if (height > 2 * screen.height) tall.push(`${id}: ${height}`);
    const samples = await readSamples(block);
    for (const language of LANGUAGES) assert.ok(samples[language].includes(base), `${id}: ${samples[language]}`);
    assert.match(samples.Go, /^package main\n\nimport \(/);
    assert.match(samples.TypeScript, /^import /);
    assert.match(samples.Python, /^(import os\n\n?)?from /);
    assert.equal(await block.locator('.errors-table').count(), 1, `${id} has one table of errors`);
    const ids = await page.locator('[id]').evaluateAll((all) => all.map(({ id }) => id));
    assert.deepEqual(ids.filter((one, i) => ids.indexOf(one) < i), [], `${id}: ids that are there twice`);
    await block.getByRole('tab', { name: 'Go' }).click();
    await block.locator('.title').click();
  }
  assert.deepEqual(tall, [], 'operations of more than two screens');
  await page.close();
}

async function readsAnOperation() {
  const page = await open({ viewport: screen }, '#/Messages/sendMessage'); // a link from elsewhere
  const block = page.locator('#operation-sendMessage');
  const row = (name) => block.locator('.left .fields-table tr').filter({ has: page.getByRole('rowheader', { name }) });
  assert.match(await row('text').innerText(), /required[^]*string[^]*1 to 4,096 characters[^]*Unicode code points/);
  assert.match(await row('replyTo').innerText(), /UUID/);
  assert.doesNotMatch(await row('replyTo').innerText(), /required/);
  assert.match(await block.locator('.right .fields-table').innerText(), /sentAt[^]*required[^]*time/);

  const errors = block.locator('.errors-table');
  assert.deepEqual(await errors.getByRole('rowheader').allInnerTexts(),
    ['sender-blocked', 'not-found', 'not-acceptable', 'user-being-erased', 'content-too-large', 'unsupported-media-type', 'unprocessable-content', 'idempotency-key-reused']);
  await errors.getByRole('button', { name: 'And those that all have: 400, 401, 403' }).click();
  const types = await errors.getByRole('rowheader').allInnerTexts();
  assert.deepEqual(types.slice(0, 3), ['bad-request', 'credential-required', 'credential-invalid']);
  const statuses = await errors.locator('tbody td:first-child').allInnerTexts();
  assert.deepEqual(statuses, [...statuses].sort(), 'errors stand in the order of their status');
  assert.match(await errors.innerText(), /A value out of bounds; a reply to a message of other users/);
  assert.ok(types.includes('idempotency-key-reused'));
  assert.equal(await errors.locator('pre').count(), 0, 'an example of an error is there before it is opened');
  await errors.getByRole('button', { name: 'sender-blocked' }).click();
  assert.match(await errors.locator('pre').innerText(), /"status": 403/);
  await errors.getByRole('button', { name: 'sender-blocked' }).click();

  // What has nothing more to say is no button.
  const adding = (await openOperation(page, 'addGroupMembers')).locator('.errors-table');
  await adding.getByRole('rowheader', { name: 'not-found' }).waitFor();
  assert.equal(await adding.getByRole('button', { name: 'not-found' }).count(), 0);

  const list = await openOperation(page, 'listConversationMessages');
  const names = await list.locator('.parameter label code').allInnerTexts();
  assert.deepEqual(names.slice(0, 2), ['userId', 'peerId'], 'required parameters come first');
  assert.match(await list.locator('.parameter', { hasText: 'limit' }).innerText(), /integer in query · 1 to 100, default 100/);
  assert.ok(!(await list.locator('.errors-table').innerText()).includes('idempotency-key-reused'));
  await page.close();
}

async function findsTheWay() {
  const page = await open({ viewport: screen });
  const navigation = page.getByRole('navigation', { name: 'Operations' });
  await page.keyboard.press('/');
  await page.keyboard.type('unreadcount');
  assert.equal(await navigation.getByRole('status').innerText(), `3 of ${operationIds.length} operations`);
  await navigation.getByRole('link', { name: 'unreadCount' }).first().focus();
  await page.keyboard.press('Enter');
  await page.locator('#operation-listConversations-unreadCount.found').waitFor();
  assert.equal(await page.evaluate(() => location.hash), '#/Conversations/listConversations/unreadCount');
  await navigation.getByRole('searchbox').fill('idempotency');
  await navigation.getByRole('link', { name: 'Idempotency-Key' }).click();
  await page.waitForFunction(() => document.activeElement.dataset.paramName === 'Idempotency-Key');
  await navigation.getByRole('searchbox').fill('READ-MARKER');
  assert.deepEqual(await navigation.getByRole('link').allInnerTexts(), ['PUT\nMark messages as read']);
  await navigation.getByRole('searchbox').press('Escape');
  assert.equal(await navigation.getByRole('link').count(), operationIds.length);

  // By keyboard alone: open, fill in, execute.
  await navigation.getByRole('link', { name: 'Read the limits' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.closest('#operation-getLimits .title'));
  await page.locator('#operation-getLimits .execute').waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Execute');
  await page.keyboard.press('Enter');
  await page.locator('#operation-getLimits .live .status').waitFor();
  assert.match(await page.locator('#operation-getLimits .live .status').innerText(), /200/);
  await page.goBack();

  // The schemas can be read, and linked to.
  await page.goto(`${base}/docs/#/schemas/SendMessageRequest`);
  await page.locator('#schema-SendMessageRequest[open]').getByRole('rowheader', { name: 'replyTo' }).waitFor();
  await page.close();
}

async function triesOut() {
  const page = await open({ viewport: screen });
  const sent = await tryOut(page, 'sendMessage', async (block) => {
    await block.getByLabel('Example').selectOption({ label: 'A text with your own data beside it' });
    await parameter(block, 'Idempotency-Key').fill(crypto.randomUUID());
  });
  assert.equal(sent.status, '201');
  assert.match(sent.body, /"client": "android\/4.2"/);
  const { id } = JSON.parse(sent.body);

  // The id of the answer is offered in the next requests.
  const read = await openOperation(page, 'getMessage');
  await offers(parameter(read, 'messageId'), id);
  assert.ok((await readSamples(read)).Go.includes(id), 'samples have what is filled in');
  await (await openOperation(page, 'sendMessage')).getByLabel('Example').selectOption({ label: 'A reply' });
  assert.equal(JSON.parse(await page.locator('#operation-sendMessage textarea').inputValue()).replyTo, id);
  const marker = await openOperation(page, 'setReadMarker');
  await offers(marker.locator('textarea'), JSON.stringify({ messageId: id }, null, 2));
  const listed = await tryOut(page, 'listMessages', async (block) => {
    assert.equal(await block.locator('#operation-listMessages-after datalist option').first().getAttribute('value'), id);
    await parameter(block, 'recipient').fill('alice');
    await parameter(block, 'since').fill('2026-01-01T00:00:00+01:00');
    await parameter(block, 'before').fill('ffffffff-ffff-ffff-ffff-ffffffffffff');
    await parameter(block, 'limit').fill('20');
  });
  assert.match(listed.body, new RegExp(id));
  assert.match(listed.samples.curl, /recipient=alice&since=2026-01-01T00%3A00%3A00%2B01%3A00&before=f/);
  const tried = { sendMessage: sent, listMessages: listed, getMessage: await tryOut(page, 'getMessage') };
  tried.editMessage = await tryOut(page, 'editMessage', (block) => block.locator('textarea').fill('{"text": "Lunch at one?", "metadata": null}'));
  assert.match(tried.editMessage.body, /"editedAt"/);
  tried.setReadMarker = await tryOut(page, 'setReadMarker', async (block) => {
    await parameter(block, 'userId').fill('alice');
    await parameter(block, 'peerId').fill('bob');
  });
  tried.listConversations = await tryOut(page, 'listConversations', (block) => parameter(block, 'userId').fill('alice'));
  assert.match(tried.listConversations.body, /"unreadCount": 0/);
  tried.exportUser = await tryOut(page, 'exportUser', (block) => parameter(block, 'userId').fill('alice'));
  assert.deepEqual(linesOf(tried.exportUser.body), ['message', 'readMarker', 'end']);
  for (const name of ['getLimits', 'getHealth']) tried[name] = await tryOut(page, name);
  await shoot(page, 'tried-out');
  for (const [name, { status, samples }] of Object.entries(tried)) {
    assert.equal(status, name === 'sendMessage' ? '201' : '200', name);
    for (const [language, text] of Object.entries(samples)) writeFileSync(join(process.env.SAMPLES, `${name}.${language.toLowerCase()}`), text);
  }

  // An answer without a body shows its status. Erasing asks for confirmation, and declining sends nothing.
  for (const name of ['blockUser', 'unblockUser']) assert.equal((await tryOut(page, name)).status, '204', name);
  const asked = [];
  const erase = await openOperation(page, 'eraseUser');
  await parameter(erase, 'userId').fill('nobody');
  for (const yes of [false, true]) {
    page.once('dialog', (dialog) => { asked.push(dialog.message()); return yes ? dialog.accept() : dialog.dismiss(); });
    await erase.getByRole('button', { name: 'Execute' }).click();
    assert.equal(asked.pop(), 'Erase a user: nobody\n\nThere is no way back.');
    if (!yes) assert.equal(await erase.getByText('Waiting for the answer…').or(erase.locator('.live')).count(), 0);
  }
  assert.equal(await erase.locator('.live .status').innerText(), '204');
  page.once('dialog', (dialog) => { asked.push(dialog.message()); return dialog.dismiss(); });
  await (await openOperation(page, 'deleteGroup')).getByRole('button', { name: 'Execute' }).click();
  assert.equal(asked.pop(), 'Delete a group: ~team-1\n\nThere is no way back.');

  // A body that has no sample does not hide the answer, and no text becomes markup.
  const block = page.locator('#operation-sendMessage');
  const hostile = '<img src=x onerror=alert(1)>';
  expectRefusals(page, 400, 422);
  for (const body of ['{"sender": "alice",', 'null', '{"sender": "alice", "recipient": "bob", "text": "x", "": 1}', '{"text": {"a": 1}}', JSON.stringify({ sender: hostile })]) {
    await block.locator('textarea').fill(body);
    await block.getByRole('button', { name: 'Clear' }).click();
    await block.getByRole('button', { name: 'Execute' }).click();
    assert.match(await block.locator('.live .status').innerText(), /4(00|22)/, body);
    await readSamples(block);
  }
  assert.equal(await page.locator('img').count(), 0);
  await page.close();
}

// Without TLS a page may have no clipboard: the text is selected instead.
async function copies() {
  const page = await open({ viewport: screen }, '#/Messages/sendMessage');
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  const shown = page.locator('#operation-sendMessage .samples');
  await shown.getByRole('button', { name: 'Copy' }).click();
  await shown.getByRole('button', { name: 'Press Ctrl+C' }).waitFor();
  assert.equal((await page.evaluate(() => getSelection().toString())).trim(), (await shown.locator('pre').innerText()).trim());
  await page.close();
}

async function followsAStream() {
  const page = await open({ viewport: screen }, '#/Changes/listChanges');
  const block = page.locator('#operation-listChanges');
  await parameter(block, 'userId').fill('reader');
  await block.getByLabel('as a stream').check();
  for (const [language, call] of Object.entries({ curl: 'curl -N', Go: 'messageservice.Follow(', TypeScript: 'followChanges(', Python: 'follow_changes(' })) {
    assert.ok((await readSamples(block))[language].includes(call), language);
  }
  await block.getByRole('button', { name: 'Follow', exact: true }).click();
  const events = block.getByRole('log').getByRole('listitem');
  await events.filter({ hasText: 'ready' }).waitFor();
  for (const text of ['one: <b>live</b>', 'two']) {
    const body = JSON.stringify({ sender: 'writer', recipient: 'reader', text });
    await fetch(`${base}/v1/messages`, { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body });
    await events.filter({ hasText: text }).waitFor();
  }
  assert.equal(await events.count(), 3);
  assert.match(await events.first().innerText(), /two/, 'the newest is on top');
  assert.match(await block.locator('.stream').getByRole('status').innerText(), /Live, 3 events/);
  await shoot(page, 'stream');
  await block.getByRole('button', { name: 'Stop' }).click();
  await block.getByText('Stopped.').waitFor();
  const [, id] = /"id": "([0-9a-f-]{36})"/.exec(await events.first().innerText());
  await offers(parameter(await openOperation(page, 'getMessage'), 'messageId'), id); // ids of events, too
  await page.close();
}

async function looksRight() {
  const found = [];
  for (const [name, options] of Object.entries({
    'desktop-light': { viewport: screen },
    'desktop-dark': { viewport: screen, colorScheme: 'dark' },
    'narrow-light': { viewport: { width: 390, height: 800 } },
    'narrow-dark': { viewport: { width: 390, height: 800 }, colorScheme: 'dark' },
    'smallest-light': { viewport: { width: 320, height: 640 } },
  })) {
    const page = await open(options);
    if (options.viewport.width < 400) {
      const menu = page.getByRole('navigation').getByRole('button', { name: 'Operations' });
      assert.equal(await page.getByRole('searchbox').isVisible(), false, 'the menu is closed');
      await menu.click();
      found.push(...(await violations(page)).map((text) => `${name}, menu: ${text}`));
      await page.getByRole('navigation').getByRole('link', { name: 'Edit a message' }).click();
      assert.equal(await page.getByRole('searchbox').isVisible(), false, 'a link closes the menu');
    }
    for (const id of ['listMessages', 'sendMessage']) await tryOut(page, id);
    const sample = page.locator('#operation-listMessages .samples');
    await sample.getByRole('tab', { name: 'curl' }).click();
    assert.ok(await sample.locator('.text').evaluate((box) => box.scrollWidth <= box.clientWidth), `${name}: a sample for curl is not wrapped`);
    for (const name of ['And those that all have', 'bad-request']) await page.locator('#operation-sendMessage').getByRole('button', { name }).click();
    await page.locator('#schema-Message summary').click();
    const changes = await openOperation(page, 'listChanges');
    await changes.getByLabel('as a stream').check();
    assert.deepEqual(await unmuted(page), [], `${name}: what is not muted`);
    found.push(...(await violations(page)).map((text) => `${name}: ${text}`));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${name}: the page is ${overflow} pixels too wide`);
    await shoot(page, `opened-${name}`);
    await page.close();
  }
  assert.deepEqual(found, [], 'what axe finds');
}

try {
  for (const step of [readsThePage, readsAnOperation, findsTheWay, triesOut, copies, followsAStream, authorizes, followsTheScheme, looksRight]) {
    await step().catch((error) => { throw new Error(`in ${step.name}`, { cause: error }); }); // a timeout does not say where it was
    assert.deepEqual(problems, [], step.name);
    console.log(`passed: ${step.name}`);
  }
} finally {
  await browser.close();
}
