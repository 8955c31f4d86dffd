// The part of the test of the console about credentials. TOKEN is a key of the server that may do everything.
import assert from 'node:assert/strict';
import { accessible, expectFailures, sideways, until } from './checks.mjs';

/** Notes what a page puts into a BroadcastChannel, where other tabs could read it. */
const eavesdrop = () => {
  globalThis.heard = [];
  const { postMessage } = BroadcastChannel.prototype;
  BroadcastChannel.prototype.postMessage = function (data) {
    globalThis.heard.push(this.name, JSON.stringify(data));
    return postMessage.call(this, data);
  };
};

/** Checks that no credential is where it could be read later: in storage, a URL, the page itself, or a message to other tabs. */
async function hidden(page, ...credentials) {
  const kept = await page.evaluate(() => JSON.stringify([
    { ...localStorage }, { ...sessionStorage }, document.cookie, location.href, globalThis.heard, document.documentElement.outerHTML,
    [...document.querySelectorAll('code-sample')].map(({ textContent }) => textContent)]));
  for (const credential of [...credentials, 'eyJ']) assert.ok(!kept.includes(credential), `${credential.slice(0, 3)}… is in ${kept}`);
}

export async function identity({ newBrowser, base, key, found, side, type, shows }) {
  const call = async (method, path, body) => {
    const answer = await context.request.fetch(`${base}${path}`, { method, headers: { Authorization: `Bearer ${key}` }, ...(body && { data: body }) });
    assert.ok(answer.ok(), await answer.text());
    return answer.status() === 204 ? undefined : answer.json();
  };
  const context = await newBrowser();
  await context.addInitScript(eavesdrop);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  expectFailures(page, 401, 403, 503);
  const dialog = page.getByRole('dialog', { name: 'Sign in' });
  const signIn = async (credential) => {
    await dialog.getByLabel('Service key or user token').fill(credential);
    await page.keyboard.press('Enter');
  };
  /** Revokes all tokens made until now; those of the same second would stay. */
  const revokeAll = async () => {
    const next = Math.ceil((Date.now() + 1) / 1000) * 1000;
    await until(() => Date.now() >= next, 'the next second');
    await call('PUT', '/v1/token-revocation', { issuedBefore: new Date(next).toISOString() });
  };
  const live = (user) => side(page, user).locator('.state.live').waitFor();

  // Nobody has signed in: the page asks, refuses what is no credential, and can be left alone.
  await page.goto(`${base}/console/#/chat/nora/otto`);
  await dialog.waitFor();
  await accessible(page, found, 'the dialog');
  for (const [wrong, reason] of [['two words', 'This is neither'], ['k'.repeat(40), 'neither a service key of this server nor a signed JWT']]) {
    await signIn(wrong);
    await dialog.getByRole('alert').getByText(reason).waitFor();
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await side(page, 'nora').locator('.banner').getByText('This server answers only with a credential: sign in.').waitFor();
  await page.getByRole('button', { name: 'Sign in' }).click();

  // With a key that makes tokens both sides are live, and each acts by its own token.
  const { secret: shop, key: { id } } = await call('POST', '/v1/keys', { name: 'console', scopes: ['messages:read', 'messages:write', 'tokens:create'] });
  const used = new Map();
  const sent = []; // all credentials, in order
  const since = new Map(); // the place in it of the first feed that was asked for with each, when somebody has signed in with it
  page.on('request', (request) => {
    const { authorization } = request.headers();
    const user = /^\/v1\/users\/(\w+)\/changes/.exec(new URL(request.url()).pathname)?.[1];
    if (user) used.set(user, authorization);
    if (user && !since.has(authorization)) since.set(authorization, sent.length);
    if (authorization) sent.push(authorization);
  });
  await signIn(shop);
  for (const user of ['nora', 'otto']) await live(user);
  assert.equal(new Set(used.values()).size, 2);
  assert.ok([...used.values()].every((value) => /^Bearer eyJ/.test(value)));
  await type(page, 'nora', 'Signed in');
  await shows(page, 'otto', ['Signed in']);
  await page.locator('code-sample').getByText('Authorization: Bearer $TOKEN').waitFor();
  await page.locator('.calls').getByRole('button', { name: 'POST /v1/tokens' }).first().click();
  await page.locator('.answer').getByText('"token": "…"').waitFor();
  await hidden(page, shop);

  // Revoked tokens are renewed, and a revoked key is asked for again.
  const before = used.get('otto');
  await revokeAll();
  await until(() => used.get('otto') !== before, 'another token');
  await live('otto');
  await call('POST', '/v1/messages', { sender: 'nora', recipient: 'otto', text: 'With another token' });
  await shows(page, 'otto', ['Signed in', 'With another token']);
  // One that has yet to be sent is not sent with what was used before the next sign in.
  let release;
  const signedIn = new Promise((resolve) => { release = resolve; });
  let attempts = 0;
  await page.route('**/v1/messages', async (route) => {
    if (++attempts > 1) await signedIn;
    await route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, contentType: 'application/problem+json', body: '{"detail": "Not now."}' });
  });
  await type(page, 'nora', 'Held back');
  await side(page, 'nora').getByText('Not sent yet, but tried again. Not now.').waitFor();
  await until(() => attempts === 2, 'another attempt');
  await call('DELETE', `/v1/keys/${id}`);
  await revokeAll();
  await dialog.getByRole('alert').getByText('revoked').waitFor();

  // The token of a user is used for this user, and nothing is left of the others.
  const { token: own } = await call('POST', '/v1/tokens', { userId: 'otto' });
  await signIn(own);
  await until(() => used.get('otto') === `Bearer ${own}`, 'the token of otto');
  release();
  await live('otto');
  await shows(page, 'otto', ['Signed in', 'With another token']);
  assert.equal(await page.locator('.calls').getByText('users/nora/').count(), 0);
  const unsent = side(page, 'otto').getByRole('textbox', { name: /^Message from/ });
  await unsent.fill('For otto to finish');
  await revokeAll();
  await dialog.getByRole('alert').getByText('revoked').waitFor();

  // A key that may not make tokens is used for both sides, and what was used before it never again.
  const { secret: plain } = await call('POST', '/v1/keys', { name: 'plain', scopes: ['messages:read', 'messages:write'] });
  await signIn(plain);
  await until(() => ['nora', 'otto'].every((user) => used.get(user) === `Bearer ${plain}`), 'the key on both sides');
  for (const user of ['nora', 'otto']) await live(user);
  assert.equal(await unsent.inputValue(), '', 'what was written before the sign in');
  await page.unroute('**/v1/messages');
  await side(page, 'nora').getByText('Not sent. It belongs to a credential that is no longer used.').waitFor();
  await side(page, 'nora').getByRole('button', { name: 'Discard' }).click();
  await type(page, 'nora', 'With the key');
  await shows(page, 'otto', ['Signed in', 'With another token', 'With the key']);
  await hidden(page, plain, shop);
  const last = [own, plain].map((credential) => sent.slice(since.get(`Bearer ${credential}`)));
  assert.deepEqual([...new Set(last[0])], [own, plain].map((credential) => `Bearer ${credential}`), 'credentials after the token');
  assert.deepEqual([...new Set(last[1])], [`Bearer ${plain}`], 'credentials after the key');

  // To log out is to forget everything.
  await page.getByRole('button', { name: 'Log out' }).click();
  await dialog.waitFor();
  await until(async () => (await page.getByText('Signed in', { exact: true }).count()) === 0, 'no message');

  // A token in the URL is taken out of it, and shows its user only, wherever the page goes.
  const { token } = await call('POST', '/v1/tokens', { userId: 'otto' });
  await page.goto('about:blank');
  await page.goto(`${base}/console/#token=${token}&/chat/nora/otto`);
  await live('otto');
  assert.equal(new URL(page.url()).hash, '#/chat/nora/otto');
  await side(page, 'nora').getByText('You are signed in with the token of otto').waitFor();
  await page.getByRole('banner').getByText('otto').waitFor();
  await hidden(page, token);
  await accessible(page, found, 'signed in as otto');
  await page.setViewportSize({ width: 320, height: 700 });
  await sideways(page, found, 'signed in as otto');
  await page.goto(`${base}/console/#/feed/nora`);
  await page.getByText('Feed of', { exact: true }).waitFor();
  await until(async () => (await page.getByLabel('Whose feed is shown').inputValue()) === 'otto', 'the feed of otto');
  await page.getByRole('button', { name: 'Cut, send five, resume' }).click();
  await page.getByText('nothing missed, nothing repeated').waitFor();
  await page.getByRole('link', { name: 'Service', exact: true }).click();
  await page.getByText('Not for this credential').waitFor();
  await context.close();
}
