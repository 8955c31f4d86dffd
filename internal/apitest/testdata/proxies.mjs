// Opens the service in Chromium through the proxy at PROXY, which speaks TLS; BASE_URL is the
// service itself, and TOKEN a key of it.
import assert from 'node:assert/strict';

const { launch } = await import(`${process.env.TOOLS}/chromium.mjs`);
const { BASE_URL: base, PROXY: proxy, TOKEN: token } = process.env;
const headers = { Authorization: `Bearer ${token}` };

const status = async () => (await fetch(`${base}/v1/status`, { headers })).json();
const streams = async () => (await status()).streams;
const browser = await launch();
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  await page.goto(`${proxy}/docs/`);
  await page.getByText('Send a message').first().waitFor();
  const protocols = await page.evaluate(() => ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type).map((entry) => entry.nextHopProtocol)));
  assert.deepEqual([...new Set(protocols)], ['h2'], 'how the page was loaded');
  const { servers } = await page.evaluate(async () => (await fetch('/openapi.json')).json());
  assert.equal(new URL(servers[0].url, proxy).origin, proxy, 'the origin that the contract names');

  // More streams than the six connections that a browser makes over HTTP/1.1, and each event as
  // it comes: a message is sent when the one before has arrived everywhere.
  assert.equal(await streams(), 0);
  await page.evaluate(async (headers) => {
    const users = Array.from({ length: 8 }, (_, i) => `user-${i}`);
    const refused = await fetch(`/v1/users/${users[0]}/changes`);
    if (refused.status !== 401) throw new Error(`without a credential it was answered ${refused.status}`);
    const tickets = await Promise.all(users.map(async (user) => (await fetch(`/v1/users/${user}/stream-tickets`, { method: 'POST', headers })).json()));
    const feeds = users.map((user, i) => new EventSource(`/v1/users/${user}/changes?ticket=${tickets[i].ticket}`));
    const inTime = (awaited, what) => Promise.race([Promise.all(awaited), new Promise((_, reject) => setTimeout(reject, 10_000, new Error(`${what} was held back`)))]);
    await inTime(feeds.map((feed) => new Promise((resolve) => feed.addEventListener('ready', resolve))), 'ready');
    for (const text of ['one', 'two', 'three']) {
      const arrived = feeds.map((feed) => new Promise((resolve) => feed.addEventListener('message', ({ data }) => resolve(JSON.parse(data).message.text), { once: true })));
      for (const recipient of users) {
        const answer = await fetch('/v1/messages', { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ sender: 'alice', recipient, text }) });
        if (answer.status !== 201) throw new Error(`a send was answered ${answer.status}`);
      }
      const texts = await inTime(arrived, text);
      if (texts.some((got) => got !== text)) throw new Error(`expected ${text}, got ${texts}`);
    }
  }, headers);
  assert.equal(await streams(), 8);
  const shared = (await status()).connections < 8;
  assert.equal(shared, process.env.SHARED === 'true', 'whether streams share a connection to the service');
  assert.deepEqual(problems, []);

  // When the browser leaves, the service hears of it.
  await context.close();
  for (const until = Date.now() + 15_000; await streams() > 0;) assert.ok(Date.now() < until, 'streams of a page that is gone');
} finally {
  await browser.close();
}
