// The part of the test of the console about groups.
import assert from 'node:assert/strict';
import { accessible, gate, hostile, hostileNames, markup, sideways, until } from './checks.mjs';

/** Makes a group on the page of two users, writes in it, adds a third, hands out roles, and removes. */
export async function groups({ newBrowser, open, live, side, type, shows, found }) {
  const context = await newBrowser();
  const page = await open(context, '#/chat/gus/hal');
  await live(page);
  await page.getByRole('button', { name: 'Make a group' }).click();
  const dialog = page.getByRole('dialog', { name: 'Make a group' });
  await dialog.waitFor();
  await accessible(page, found, 'the dialog of a group');
  await page.keyboard.type('Lunch club');
  assert.equal(await dialog.getByLabel('Address').inputValue(), '~lunch-club');
  assert.equal(await dialog.getByLabel('Members').inputValue(), 'gus, hal');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  for (const user of ['gus', 'hal']) await side(page, user).getByRole('button', { name: 'Lunch club', exact: true }).waitFor();

  // Who is typing is seen, and goes when the message comes, which is by somebody with a name.
  const typing = side(page, 'hal').locator('.typing'); // stays, unlike what is in it
  const seen = typing.getByText('gus is typing…').waitFor(); // it goes by itself
  await side(page, 'gus').getByRole('textbox', { name: 'Message from gus to Lunch club' }).pressSequentially('Noodles?');
  await seen;
  assert.equal(await typing.evaluate((line) => getComputedStyle(line.firstElementChild ?? line).fontSize), '12px');
  await page.keyboard.press('Enter');
  for (const user of ['gus', 'hal']) await shows(page, user, ['Noodles?']);
  await side(page, 'hal').getByText('gus is typing…').waitFor({ state: 'hidden' });
  assert.deepEqual(await side(page, 'hal').locator('.sender').allTextContents(), ['gus']);
  assert.deepEqual(await side(page, 'gus').locator('.sender').allTextContents(), []);

  // What can be done with a short message is beside it, and hides nothing of it.
  for (const [user, count] of [['gus', 4], ['hal', 1]]) {
    const message = side(page, user).locator('.message');
    await message.hover();
    await until(() => message.getByRole('button').count().then((all) => all === count), `${count} buttons`);
    const { bubble, buttons } = await message.evaluate((line) => {
      const place = (element) => element.getBoundingClientRect().toJSON();
      return { bubble: place(line.querySelector('.bubble')), buttons: [...line.querySelectorAll('button')].map(place) };
    });
    assert.ok(buttons.every(({ left, right }) => left > bubble.right || right < bubble.left), `${JSON.stringify(buttons)} over ${JSON.stringify(bubble)}`);
  }

  // A third is added, and finds the group in the inbox.
  await side(page, 'gus').getByRole('button', { name: 'Members' }).click();
  const panel = side(page, 'gus').locator('group-panel');
  const members = () => panel.getByRole('listitem').allTextContents();
  const added = panel.getByLabel('Who is to be added');
  await added.fill('ida');
  await page.keyboard.press('Enter');
  await panel.getByRole('button', { name: 'Remove ida' }).waitFor();
  await panel.getByText('3 members').waitFor();
  await accessible(page, found, 'the members');
  await until(async () => (await added.inputValue()) === '', 'the answer, which may come after the change of the feed');
  await added.fill('ida');
  await page.keyboard.press('Enter');
  await panel.getByRole('alert').getByText('ida is a member already.').waitFor();
  const other = await open(context, '#/inbox/ida');
  await side(page, 'hal').locator('header .badge').getByText('1 unread').waitFor();
  await type(page, 'hal', 'At noon'); // so that he works in this side, and reads what has come
  await other.locator('.entries').getByText('Lunch club').waitFor();
  await other.locator('.entries .badge').getByText('1 unread').waitFor();
  await other.locator('.thread').getByText('Noodles?', { exact: true }).waitFor();
  await other.getByRole('heading', { name: 'Lunch club 3 members' }).waitFor();
  await other.getByRole('searchbox').fill('nood');
  await other.locator('.entries').getByText('Noodles?').waitFor();

  // Who has read it is said when somebody asks.
  await side(page, 'hal').locator('header .badge').waitFor({ state: 'hidden' });
  const noodles = side(page, 'gus').locator('.message').first();
  await noodles.hover();
  await noodles.getByRole('button', { name: 'Who has read it' }).click();
  await noodles.getByText('read by hal').waitFor();

  // An admin deletes what others wrote, and sees the form to add somebody.
  await side(page, 'hal').getByRole('button', { name: 'Members' }).click();
  const his = side(page, 'hal').locator('group-panel');
  await his.getByText('gus', { exact: true }).waitFor();
  assert.equal(await his.getByLabel('Who is to be added').isVisible(), false);
  const loads = []; // after which the deleted message would be gone, and so would be what is said of it
  page.on('request', (request) => { if (/users.hal.conversations.[^/]+.messages/.test(request.url())) loads.push(request.url()); });
  await panel.getByLabel('Role of hal').selectOption('admin');
  await his.getByLabel('Who is to be added').waitFor();
  await side(page, 'hal').locator('.message').first().hover();
  await side(page, 'hal').locator('.message').first().getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete for all?' }).click();
  for (const user of ['gus', 'hal']) await shows(page, user, ['This message was deleted.', 'At noon']);
  assert.deepEqual(loads, [], 'what another role loads');

  // Who is removed sees nothing of it any more, and who leaves neither.
  await panel.getByRole('button', { name: 'Remove hal' }).click();
  await panel.getByRole('button', { name: 'Remove?' }).click();
  await side(page, 'hal').getByText('hal is no longer in this group.').waitFor();
  await shows(page, 'hal', []);
  await until(async () => (await members()).length === 2, 'two members');
  await panel.getByRole('button', { name: 'Leave', exact: true }).click();
  await panel.getByRole('button', { name: 'Leave the group?' }).click();
  await shows(page, 'gus', []);
  await context.close();
}

/** Who was removed from a group and added again while the connection was lost sees nothing of before. */
export async function rejoined({ newBrowser, base, headers, open, send, shows }) {
  const context = await newBrowser();
  const call = async (method, path, data) => {
    const answer = await context.request.fetch(`${base}/v1/${path}`, { method, headers, data });
    assert.ok(answer.ok(), await answer.text());
    return answer;
  };
  await call('PUT', 'groups/~again', { name: 'Again', owner: 'rita', history: 'none' });
  await call('POST', 'groups/~again/members', { users: ['remy'] });
  const { id } = await send(context, 'rita', '~again', 'Before');
  await call('PUT', 'users/remy/conversations/~again/read-marker', { messageId: id }); // or else the page would, perhaps when remy is out
  const { next } = await (await call('GET', 'users/remy/changes')).json();
  const away = gate();
  let streams = 0;
  await context.route('**/v1/users/remy/changes*', async (route) => {
    if (route.request().headers().accept !== 'text/event-stream') return route.fallback();
    if (++streams === 1) return route.fulfill({ contentType: 'text/event-stream', body: `retry: 100\nid: ${next}\nevent: ready\ndata: {"cursor":"${next}"}\n\n` });
    await away.opened;
    return route.continue();
  });
  const [chat, inbox] = [await open(context, '#/chat/remy,~again'), await open(context, '#/inbox/remy/~again')];
  await shows(chat, 'remy', ['Before']);
  await inbox.locator('.thread').getByText('Before', { exact: true }).waitFor();
  await until(() => streams === 2, 'another attempt to connect');
  await call('DELETE', 'groups/~again/members/remy');
  await call('POST', 'groups/~again/members', { users: ['remy'] });
  await send(context, 'rita', '~again', 'Since');
  away.open();
  await shows(chat, 'remy', ['Since']);
  await inbox.locator('.thread').getByText('Since', { exact: true }).waitFor();
  assert.equal(await inbox.locator('.thread').getByText('Before', { exact: true }).count(), 0);
  await context.close();
}

/** Opens a group of a long name among many sides: its button is in view, and its field is one line high. Then writes too much. */
export async function longGroup({ newBrowser, base, headers, open, live, side, texts }) {
  const context = await newBrowser({ viewport: { width: 1280, height: 800 } });
  const name = 'Design review of the quarterly planning documents and their translations';
  const made = await context.request.put(`${base}/v1/groups/~review`, { headers, data: { name, owner: 'lia' } });
  assert.ok(made.ok(), await made.text());
  const page = await open(context, '#/chat/lia/mia/nia/pia');
  await live(page);
  await side(page, 'lia').getByRole('button', { name }).click();
  const field = side(page, 'lia').getByRole('textbox', { name: `Message from lia to ${name}` });
  await field.waitFor();
  let row, chosen;
  await until(async () => {
    [row, chosen] = await side(page, 'lia').locator('.peers').evaluate((peers) => [peers, peers.querySelector('[aria-current]')].map((element) => element.getBoundingClientRect().toJSON()));
    return chosen.left >= row.left && chosen.right <= row.right;
  }, () => `the button in its row, but ${JSON.stringify(chosen)} is not in ${JSON.stringify(row)}`);
  await until(async () => (await field.boundingBox()).height < 40, 'an empty field of one line');

  await field.fill('x'.repeat(4097));
  await side(page, 'lia').getByText('1 too many').waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Enter');
  await until(async () => (await texts(page, 'lia')).join() === 'x'.repeat(4096), 'the text without its last character, and nothing else');
  await context.close();
}

/** Makes a group with a hostile name and hostile texts, and returns its address as it is in a route. */
export async function hostileGroup(context, base, headers) {
  const put = async (method, path, data) => {
    const answer = await context.request.fetch(`${base}${path}`, { method, headers, data });
    assert.ok(answer.ok(), await answer.text());
  };
  const address = '~hostile@a:b|c+d=e~f';
  await put('PUT', `/v1/groups/${encodeURIComponent(address)}`, { name: hostile[0], owner: 'hostage' });
  await put('POST', `/v1/groups/${encodeURIComponent(address)}/members`, { users: hostileNames });
  for (const sender of hostileNames) for (const text of hostile.slice(0, 4)) await put('POST', '/v1/messages', { sender, recipient: address, text });
  return encodeURIComponent(address);
}
