// The part of the test of the console about a server that does not answer, or refuses.
import assert from 'node:assert/strict';

/** A feed without an answer has one line in the list of requests. */
async function feeds({ newBrowser, open, side }) {
  const context = await newBrowser();
  await context.route('**/v1/users/uma/changes*', (route) => route.abort());
  const page = await open(context, '#/chat/uma/ugo', 'net::ERR_FAILED');
  const lines = page.locator('.calls').getByRole('button', { name: 'GET /v1/users/uma/changes' });
  await lines.getByText(/No answer ×[3-9]/).waitFor();
  assert.equal(await lines.count(), 1);
  await context.unroute('**/v1/users/uma/changes*');
  await side(page, 'uma').locator('.state.live').waitFor();
  await context.close();
}

export async function faults(tools) {
  await Promise.all([feeds].map((one) => one(tools)));
}
