// The part of the test of the console about what is refused, also by a proxy, and what takes a while.
import assert from 'node:assert/strict';
import { accessible, expectFailures, gate, refusal, until } from './checks.mjs';

/** What a proxy answers in place of the service, which may be anything, is told in words while the action waits, and when it has failed. */
async function proxies({ newBrowser, open, live, side }) {
  const bodies = [
    { contentType: 'application/json', body: '{"message": "upstream"}' }, { contentType: 'text/html', body: '<h1>Bad gateway</h1>' }, { body: '' },
    { contentType: 'application/problem+json', body: '{"detail": 7}' }, { contentType: 'application/problem+json', body: '' },
  ];
  const context = await newBrowser();
  const page = await open(context, '#/chat/pia/per', 403, 503);
  await live(page);
  for (const body of bodies) {
    const seen = gate();
    let attempts = 0;
    await page.route('**/blocks/*', async (route) => {
      if (++attempts === 1) return route.fulfill({ status: 503, ...body });
      await seen.opened;
      return route.fulfill({ status: 403, ...body });
    });
    await side(page, 'pia').getByRole('button', { name: 'Block per' }).click();
    await page.getByRole('status').getByText('Not done yet, but tried again. Answered 503, and not by the service.', { exact: true }).waitFor();
    seen.open();
    await page.getByRole('alert').getByText('Answered 403, and not by the service.', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.unroute('**/blocks/*');
  }
  await context.close();
}

/** A token that is not accepted for now is tried again, which the dialog says. */
async function signIn({ newBrowser, base }) {
  const context = await newBrowser();
  const page = await context.newPage();
  expectFailures(page, 401, 429);
  const seen = gate();
  let attempts = 0;
  await page.route('**/v1/users/pia/conversations?*', async (route) => {
    if (++attempts === 1) return route.fulfill(refusal(429, 'Too many requests.'));
    await seen.opened;
    return route.fulfill(refusal(401, 'It has expired.'));
  });
  await page.goto(`${base}/console/#token=e30.${Buffer.from('{"sub": "pia"}').toString('base64url')}.e30&/chat/pia/per`);
  const said = page.getByRole('dialog', { name: 'Sign in' }).getByRole('alert');
  await said.getByText('Not done yet, but tried again. Too many requests.').waitFor();
  seen.open();
  await said.getByText('It has expired.', { exact: true }).waitFor();
  await context.close();
}

/** Makes a group of pola, its owner, and others. */
async function makeGroup({ base, headers }, context, address, ...users) {
  for (const [method, path, data] of [['PUT', '', { name: 'Pool', owner: 'pola' }], ['POST', '/members', { users }]]) {
    const answer = await context.request.fetch(`${base}/v1/groups/${address}${path}`, { method, headers, data });
    assert.ok(answer.ok(), await answer.text());
  }
}

/** Holds the requests of a method back until the second one, or the first if none is refused for now, may go on. Pressing again makes no other. */
async function held(page, method, isRefused, button, play) {
  const seen = gate();
  const asked = [];
  await page.route('**/v1/**', async (route) => {
    if (route.request().method() !== method) return route.fallback();
    if (asked.push(route.request().url()) === 1 && isRefused) return route.fulfill(refusal(429, 'Too many changes.'));
    await seen.opened;
    return route.continue();
  });
  await button.click();
  await play(page.locator('[aria-busy="true"][aria-disabled="true"]'));
  seen.open();
  await page.locator('[aria-busy]').waitFor({ state: 'detached' });
  assert.equal(asked.length, isRefused ? 2 : 1, asked.join());
  await page.unroute('**/v1/**');
}

/** What is under way says so, and is not done twice. */
async function underWay(tools) {
  const { newBrowser, base, headers, open, live, send, side, shows } = tools;
  const context = await newBrowser();
  await makeGroup(tools, context, '~pool', 'pit', 'pam');
  const { id } = await send(context, 'pola', '~pool', 'To go');
  const page = await open(context, '#/chat/pola,~pool/pit,~pool', 429);
  await live(page);
  const pane = side(page, 'pola');
  await pane.getByText('To go').hover();
  await pane.getByRole('button', { name: 'Delete', exact: true }).click();
  await held(page, 'DELETE', true, pane.getByRole('button', { name: 'Delete for all?' }), async (busy) => {
    const deleting = busy.and(page.getByRole('button', { name: 'Deleting…' }));
    await deleting.press('Enter');
    const edited = await context.request.patch(`${base}/v1/messages/${id}`, { headers, data: { text: 'To go, edited' } });
    assert.ok(edited.ok(), await edited.text());
    await pane.getByText('To go, edited').waitFor(); // it was drawn anew
    await deleting.press('Enter');
  });
  await shows(page, 'pit', ['This message was deleted.']);
  await pane.getByRole('button', { name: 'Members' }).click();
  await pane.getByRole('button', { name: 'Remove pam' }).click();
  await held(page, 'DELETE', true, pane.getByRole('button', { name: 'Remove?' }), async (busy) => {
    await busy.and(page.getByRole('button', { name: 'Removing…' })).press('Enter');
    await accessible(page, tools.found, 'what is under way');
  });
  await pane.getByText('2 members').waitFor();

  const inbox = await open(context, '#/inbox/pit/~pool');
  await live(inbox);
  const mute = inbox.getByRole('button', { name: 'Mute for 8 hours' });
  await held(inbox, 'PATCH', false, mute, (busy) => busy.and(mute).press('Enter'));
  await inbox.getByRole('button', { name: 'Unmute' }).waitFor();
  await context.close();
}

/** Of a group that was deleted it says so, and of one that the user is not in, nothing is offered that only members can do. */
async function gone(tools) {
  const { newBrowser, base, headers, open, live, side } = tools;
  const context = await newBrowser();
  await makeGroup(tools, context, '~gone', 'pete');
  const [inbox, chat] = [await open(context, '#/inbox/pete/~gone', 404), await open(context, '#/chat/pete,~gone/pola', 404)];
  for (const page of [inbox, chat]) await live(page);
  const offered = (page) => page.getByRole('button', { name: /^(Mute|Hide until|Search what|Members)/ }).or(page.getByRole('link', { name: 'Answer' })).filter({ visible: true });
  await until(async () => (await offered(inbox).count()) === 4 && (await offered(chat).count()) === 1, 'what a member can do');
  const deleted = await context.request.delete(`${base}/v1/groups/~gone`, { headers });
  assert.ok(deleted.ok(), await deleted.text());
  await inbox.locator('.thread').getByText('This group was deleted.').waitFor();
  await side(chat, 'pete').getByText('This group was deleted.').waitFor();
  for (const page of [inbox, chat]) await until(async () => (await offered(page).count()) === 0, 'nothing that only a member can do');
  const again = await open(context, '#/inbox/pete/~gone', 404);
  await again.locator('.thread').getByText('There is no such group').waitFor();
  await until(async () => (await offered(again).count()) === 0, 'nothing that only a member can do');
  await context.close();
}

/** An edit that fails while something else is written is kept, until it is taken up again. */
async function edits({ newBrowser, open, live, send, side, shows }) {
  const context = await newBrowser();
  await send(context, 'pola', 'paul', 'First');
  const page = await open(context, '#/chat/pola/paul', 403);
  await live(page);
  const pane = side(page, 'pola');
  const field = pane.getByRole('textbox', { name: /^Message from/ });
  const seen = gate();
  await page.route('**/v1/messages/*', async (route) => {
    if (route.request().method() !== 'PATCH') return route.fallback();
    await seen.opened;
    return route.fulfill(refusal(403, 'Not by you.'));
  });
  await pane.getByText('First').hover();
  await pane.getByRole('button', { name: 'Edit' }).click();
  await field.fill('First, edited');
  await field.press('Enter');
  await field.fill('Second');
  seen.open();
  await pane.getByRole('alert').getByText('Not changed. Not by you.').waitFor();
  await field.press('Enter');
  await shows(page, 'paul', ['First', 'Second']);
  await field.fill('Thi');
  await pane.getByRole('button', { name: 'Edit again' }).click();
  await until(async () => (await field.inputValue()) === 'First, edited', 'the edit');
  await field.press('Escape');
  await until(async () => (await field.inputValue()) === 'Thi', 'what was written meanwhile');
  await context.close();
}

/** On a small screen, what has failed covers nothing that can be pressed. */
async function small({ newBrowser, open, live, side }) {
  const context = await newBrowser({ viewport: { width: 390, height: 844 } });
  const page = await open(context, '#/chat/pola/prue', 403);
  await live(page);
  await page.route('**/blocks/*', (route) => route.fulfill(refusal(403, 'This is refused for a reason that takes a whole line, and then another.')));
  await side(page, 'pola').getByRole('button', { name: 'Block prue' }).click();
  await page.getByRole('alert').getByText('This is refused').waitFor();
  for (const name of ['Chat', 'Feed', 'Inbox', 'Service', 'API docs']) await page.getByRole('link', { name, exact: true }).click({ trial: true });
  for (const name of ['Make a group', 'Add a user', 'Dismiss']) await page.getByRole('button', { name }).click({ trial: true });
  await context.close();
}

/** An inbox without conversations leads to where one begins. */
async function empty({ newBrowser, open, live, side, found }) {
  const context = await newBrowser();
  const page = await open(context, '#/inbox/pepe');
  await live(page);
  await page.getByText('The inbox of pepe is empty.').waitFor();
  await accessible(page, found, 'an empty inbox');
  assert.equal(await page.locator('.thread').isVisible(), false);
  await page.getByRole('link', { name: 'Write a message in Chat' }).click();
  await side(page, 'pepe').getByRole('textbox', { name: 'Message from pepe to alice' }).waitFor();
  await context.close();
}

/** The button that marks as read goes when nothing is unread, and the focus to the one beside it. */
async function marked({ newBrowser, open, live, send }) {
  const context = await newBrowser();
  await send(context, 'pola', 'pim', 'Read me');
  const page = await open(context, '#/inbox/pim/pola');
  await live(page);
  const read = page.getByRole('button', { name: 'Mark as read' });
  await read.press('Enter');
  await read.waitFor({ state: 'hidden' });
  await until(() => page.getByRole('button', { name: 'First', exact: true }).and(page.locator(':focus')).count(), 'the focus on the button beside it');
  await context.close();
}

export async function refusals(tools) {
  for (const one of [proxies, signIn, underWay, gone, edits, small, empty, marked]) await one(tools); // one by one, so as not to load a slow machine
}
