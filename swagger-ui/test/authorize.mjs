// The part of the test of the documentation that gives the page credentials.
import assert from 'node:assert/strict';
import { expectRefusals, LANGUAGES, open, openOperation, readSamples, shoot, violations } from './page.mjs';

// A credential is taken out of the URL, sent where its operation accepts it, and gone after a reload.
export async function authorizes() {
  const page = await open({ viewport: { width: 1400, height: 900 } }, '#/Users/listBlocks', 'a-key');
  expectRefusals(page, 401); // the server may know none of these credentials
  assert.equal(await page.evaluate(() => location.hash), '#/Users/listBlocks');
  const execute = async (id) => {
    const block = await openOperation(page, id);
    const answered = page.waitForResponse((response) => response.url().includes('/v1/')); // the answer before stays until then
    await block.getByRole('button', { name: 'Execute' }).click();
    await (await answered).finished();
    return (await answered).request().headers().authorization;
  };
  assert.equal(await execute('listBlocks'), 'Bearer a-key');
  assert.equal(await execute('getLimits'), undefined, 'a public operation');
  const shown = await readSamples(page.locator('#operation-listBlocks'));
  assert.match(shown.curl, /-H "Authorization: Bearer \$TOKEN"/);
  for (const language of LANGUAGES) {
    assert.match(shown[language], /TOKEN/);
    assert.ok(!shown[language].includes('a-key'), language);
    assert.doesNotMatch((await readSamples(page.locator('#operation-getLimits')))[language], /TOKEN/);
  }
  // A stream ends with the credential that it was begun with.
  await page.route('**/changes*', () => undefined); // it has no answer
  const changes = await openOperation(page, 'listChanges');
  await changes.getByLabel('as a stream').check();
  const asked = page.waitForRequest('**/changes*');
  await changes.getByRole('button', { name: 'Follow', exact: true }).click();
  assert.equal((await asked).headers().authorization, 'Bearer a-key');

  // With the token of a user, too: it is sent instead, except where users may not go.
  await page.locator('#operation-listBlocks .access').getByRole('button', { name: 'Authorize' }).click();
  const dialog = page.getByRole('dialog', { name: 'Authorize' });
  assert.deepEqual(await violations(page), []);
  await shoot(page, 'authorize');
  await dialog.getByLabel('User token').fill(' a.user.token ');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await changes.getByText('Stopped.').waitFor();
  assert.equal(await execute('listBlocks'), 'Bearer a.user.token');
  assert.equal(await execute('getStatus'), 'Bearer a-key', 'only a service may read the state');
  await page.evaluate(() => { location.hash = '#token=another.user.token'; });
  await page.waitForFunction(() => location.hash === '');
  assert.equal(await execute('listBlocks'), 'Bearer another.user.token');
  await page.getByRole('button', { name: 'Authorized' }).click();
  await dialog.getByRole('button', { name: 'Log out' }).first().click();
  await dialog.getByRole('button', { name: 'Log out' }).click();
  await dialog.getByRole('button', { name: 'Close' }).click();
  assert.equal(await execute('listBlocks'), undefined);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
  assert.doesNotMatch(kept, /a-key|user\.token/);
  await page.close();
}
