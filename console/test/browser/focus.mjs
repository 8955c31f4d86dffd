// The part of the test of the console about where the focus is, and what is there for those who see less.
import assert from 'node:assert/strict';
import { gate, refusal, until } from './checks.mjs';

/** What is drawn anew keeps the focus, and where only the list or a conversation is shown, the focus goes from one to the other. */
export async function focus({ newBrowser, open, live, send }) {
  const context = await newBrowser();
  for (const peer of ['vera', 'walt']) await send(context, peer, 'will', `From ${peer}`);
  const page = await open(context, '#/inbox/will/walt');
  await live(page);
  const entry = (peer) => page.locator('.entries').getByRole('button', { name: peer });
  const hasFocus = (locator) => locator.and(page.locator(':focus')).waitFor();
  const isOpen = (peer) => page.locator('.entries [aria-current]').getByText(peer, { exact: true }).waitFor({ state: 'attached' });

  await entry('vera').focus();
  await page.keyboard.press('Enter');
  await isOpen('vera');
  await hasFocus(entry('vera')); // the conversation that was opened
  await send(context, 'walt', 'will', 'More from walt');
  await entry('More from walt').waitFor();
  await send(context, 'vera', 'will', 'More from vera');
  await entry('More from vera').waitFor(); // now the first of the list
  await hasFocus(entry('vera')); // the conversation that has moved

  const call = page.locator('.calls button').last();
  await call.focus();
  await page.keyboard.press('Enter');
  await hasFocus(page.locator('.calls [aria-current]')); // the request that was chosen

  await page.setViewportSize({ width: 390, height: 800 });
  const back = page.getByRole('button', { name: 'Back to the conversations' });
  await back.focus();
  await page.keyboard.press('Enter');
  await hasFocus(entry('vera')); // the conversation that was left
  await entry('walt').focus();
  await page.keyboard.press('Enter');
  await hasFocus(back); // the way back

  const requests = page.getByRole('button', { name: /^The request behind it/ });
  const points = () => requests.evaluate((head) => getComputedStyle(head.querySelector('.icon:last-child')).rotate); // what is in it is drawn anew by any request
  assert.equal(await points(), 'none');
  await requests.focus();
  await page.keyboard.press('Enter');
  assert.equal(await points(), '180deg');
  await page.getByRole('tab', { name: 'Go' }).focus();
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'Go' }).waitFor({ state: 'hidden' });
  await hasFocus(requests); // what opens the requests
  await context.close();
}

/** Each message says who wrote it, also where that is to be seen by its place only. */
export async function voices({ newBrowser, open, live, send, side }) {
  const context = await newBrowser();
  await send(context, 'vera', 'wanda', 'From vera');
  const page = await open(context, '#/chat/vera/wanda');
  await live(page);
  for (const user of ['vera', 'wanda']) {
    await side(page, user).getByText('From vera').waitFor();
    assert.match(await side(page, user).getByRole('listitem').filter({ hasText: 'From vera' }).innerText(), /^vera:\s+From vera/);
  }
  await context.close();
}

/** What is written but not sent is there again after another conversation, another screen, and an edit, whatever becomes of that. */
export async function unsent({ newBrowser, open, live, send, shows, side }) {
  const context = await newBrowser();
  await send(context, 'yves', 'yuri', 'To be edited');
  const page = await open(context, '#/chat/yves/yuri', 403);
  await live(page);
  const pane = side(page, 'yves');
  const field = pane.getByRole('textbox', { name: /^Message from/ });
  const comeBack = async (there, back) => {
    await there.click();
    await back.click();
  };
  const [chat, feed] = ['Chat', 'Feed'].map((name) => page.getByRole('link', { name, exact: true }));
  await field.fill('Half a sent');
  await comeBack(feed, chat);
  assert.equal(await field.inputValue(), 'Half a sent');
  await page.evaluate(() => { location.hash = '#/chat/yves,yoko/yuri'; });
  await pane.getByRole('textbox', { name: 'Message from yves to yoko' }).waitFor();
  assert.equal(await field.inputValue(), '');
  await pane.getByRole('button', { name: 'yuri' }).first().click();
  await pane.getByRole('textbox', { name: 'Message from yves to yuri' }).waitFor();
  assert.equal(await field.inputValue(), 'Half a sent');
  const act = async (name) => {
    await pane.locator('.message').hover();
    await pane.getByRole('button', { name, exact: true }).click();
  };
  await act('Edit');
  await comeBack(feed, chat);
  assert.equal(await field.inputValue(), 'Half a sent');

  await act('Reply');
  await act('Edit');
  assert.equal(await field.inputValue(), 'To be edited');
  await page.keyboard.press('Escape');
  await pane.locator('.context').getByText('Reply to yves').waitFor();
  assert.equal(await field.inputValue(), 'Half a sent');
  await act('Edit');
  await field.fill('Was edited');
  await page.keyboard.press('Enter');
  await pane.locator('.context').getByText('Reply to yves').waitFor();
  assert.equal(await field.inputValue(), 'Half a sent');
  for (const user of ['yves', 'yuri']) await shows(page, user, ['Was edited']);

  // An edit that is refused is there again, before what was written.
  const refused = refusal(403, 'Not by you.');
  const answer = { with: (route) => route.fulfill(refused) };
  await page.route('**/v1/messages/*', (route) => (route.request().method() === 'PATCH' ? answer.with(route) : route.fallback()));
  await act('Edit');
  await field.fill('Edited again');
  await page.keyboard.press('Enter');
  await pane.getByRole('alert').getByText('Not changed. Not by you.').waitFor();
  assert.equal(await field.inputValue(), 'Edited again');
  await page.keyboard.press('Escape');
  assert.equal(await field.inputValue(), 'Half a sent');

  // Refused after another conversation was opened, it says so all the same.
  const elsewhere = gate();
  answer.with = async (route) => {
    await elsewhere.opened;
    await route.fulfill(refused);
  };
  await act('Edit');
  await page.keyboard.press('Enter');
  await feed.click();
  await page.getByText('Feed of', { exact: true }).waitFor();
  elsewhere.open();
  await page.getByRole('alert').getByText('Not changed. Not by you.').waitFor();
  await context.close();
}

/** What is switched to dark colours in one tab is dark in the others. */
export async function themes({ newBrowser, open }) {
  const context = await newBrowser({ colorScheme: 'light' });
  const [one, other] = [await open(context, '#/service'), await open(context, '#/service')];
  await one.getByRole('button', { name: 'Dark colours' }).click();
  await other.getByRole('button', { name: 'Light colours' }).waitFor();
  assert.equal(await other.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await context.close();
}

/** With forced colours, which take away backgrounds, what is switched on and where one is can still be seen. */
export async function forced({ newBrowser, open, live }) {
  const context = await newBrowser({ forcedColors: 'active' });
  const page = await open(context, '#/feed/fern');
  await live(page);
  const outlines = (locator) => locator.evaluateAll((all) => all.map((element) => getComputedStyle(element).outlineStyle));
  assert.deepEqual(await outlines(page.getByRole('navigation', { name: 'Screens' }).getByRole('link')), ['none', 'solid', 'none', 'none']);
  assert.deepEqual(await outlines(page.getByRole('tab')), ['solid', 'none', 'none', 'none']);
  const knob = () => page.locator('.knob').evaluate((element) => [getComputedStyle(element), getComputedStyle(element, '::after')].map(({ backgroundColor }) => backgroundColor));
  const on = await knob();
  await page.getByRole('switch', { name: 'Connected' }).click();
  await page.locator('.state.cut').waitFor();
  const off = await knob();
  assert.ok(on[0] !== off[0] && new Set(on).size === 2 && new Set(off).size === 2, `${on} when it is on, ${off} when it is off`);
  await context.close();
}

/** In a window that is zoomed in to 200 or 400 % the page scrolls, and there is room for a conversation. */
export async function zoomed({ newBrowser, open, live }) {
  for (const viewport of [{ width: 640, height: 400 }, { width: 320, height: 256 }]) {
    const context = await newBrowser({ viewport });
    const page = await open(context, '#/chat/zara/zeno');
    await live(page);
    const { height } = await page.locator('message-thread').filter({ visible: true }).boundingBox();
    assert.ok(height > 120, `a conversation is ${height} px high on ${viewport.height}`);
    await page.getByRole('textbox', { name: 'Message from zara to zeno' }).focus();
    await until(() => page.locator('message-composer:focus-within').evaluate((element) => element.getBoundingClientRect().bottom <= innerHeight), 'the field in view');
    await context.close();
  }
}

/** All sides are in view at any width, and each has room for a conversation. */
export async function sides({ newBrowser, open, live }) {
  const context = await newBrowser();
  for (const [fragment, places] of Object.entries({ '#/chat/abe/bea/cal': { 1280: 1, 1024: 1, 800: 2 }, '#/chat/abe/bea/cal/dee': { 1800: 1, 1400: 2, 1280: 2, 720: 2 } })) {
    const page = await open(context, fragment);
    await live(page);
    for (const [width, rows] of Object.entries(places)) {
      await page.setViewportSize({ width: Number(width), height: 800 });
      const { wide, tops, heights } = await page.locator('.panes').evaluate((panes) => ({
        wide: panes.scrollWidth > panes.clientWidth,
        tops: [...panes.children].map((pane) => Math.round(pane.getBoundingClientRect().top)),
        heights: [...panes.querySelectorAll('message-thread')].map((thread) => thread.clientHeight),
      }));
      assert.equal(wide, false, `${fragment} scrolls sideways at ${width} px`);
      assert.equal(new Set(tops).size, rows, `${fragment} has rows at ${tops} at ${width} px`);
      assert.ok(Math.min(...heights) > 110, `${fragment} has conversations of ${heights} px at ${width} px`);
    }
    await page.close();
  }
  await context.close();
}
