// Opens the documentation of the server at BASE_URL in headless Chromium, as a
// newcomer would: reads it, tries operations out, and copies the code samples into the
// folder SAMPLES. Screenshots go to the folder SCREENSHOTS, if it is set. It
// fails on a console message, a request that leaves the origin, or a violation of
// the Content-Security-Policy. Then it uses the TypeScript SDK, which is installed
// in the folder NODE_MODULES, from a page of its own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHTTPServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

const { launch } = await import(`${process.env.TOOLS}/chromium.mjs`);
const browser = await launch();

const base = process.env.BASE_URL;
const problems = [];

async function open(options) {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(15_000);
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`); });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== base) problems.push(`a request leaves the origin: ${url}`);
  });
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`Content-Security-Policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.goto(`${base}/docs/`);
  await page.waitForSelector('.opblock-summary');
  return page;
}

const shoot = async (page, name) => {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
};

// tryOut opens an operation, fills it in, executes it and returns status and samples.
async function tryOut(page, id, fill) {
  const block = page.locator(`.opblock[id$="-${id}"]`);
  await block.locator('.opblock-summary-control').click();
  if (fill) await fill(block);
  await block.locator('button.execute').click();
  const status = await block.locator('.live-responses-table tr.response .response-col_status').first().innerText();
  const samples = {};
  for (const title of ['curl', 'Go', 'TypeScript', 'Python']) {
    await block.locator('.request-snippets .btn').filter({ hasText: new RegExp(`^${title}$`) }).click();
    samples[title] = await block.locator('.request-snippets pre').innerText();
  }
  return { status: status.split('\n')[0].trim(), samples, body: await block.locator('.live-responses-table tr.response .response-col_description pre').first().innerText() };
}

try {
  const page = await open({ viewport: { width: 1280, height: 900 } });
  assert.equal(await page.title(), 'Message Service API');
  await shoot(page, 'desktop-light');

  // A newcomer meets the operations in this order.
  const summaries = await page.locator('.opblock-summary-description').allInnerTexts();
  assert.deepEqual(summaries.slice(0, 2), ['Send a message', 'List recent messages']);

  const parameter = (block, name) => block.locator(`tr[data-param-name="${name}"] input`);
  const sent = await tryOut(page, 'sendMessage', async (block) => {
    await block.locator('.examples-select-element').first().selectOption('metadata');
    await parameter(block, 'Idempotency-Key').fill(crypto.randomUUID());
  });
  assert.equal(sent.status, '201', 'Try it out on sendMessage');
  assert.match(sent.body, /"client": "android\/4.2"/);
  const { id } = JSON.parse(sent.body);
  await shoot(page, 'sent');
  const listed = await tryOut(page, 'listMessages', async (block) => {
    await parameter(block, 'recipient').fill('alice');
    await parameter(block, 'since').fill('2026-01-01T00:00:00+01:00');
    await parameter(block, 'before').fill('ffffffff-ffff-ffff-ffff-ffffffffffff');
    await parameter(block, 'limit').fill('20');
  });
  assert.equal(listed.status, '200', 'Try it out on listMessages');
  assert.match(listed.body, new RegExp(id));
  const others = { getMessage: await tryOut(page, 'getMessage', (block) => parameter(block, 'messageId').fill(id)) };
  others.editMessage = await tryOut(page, 'editMessage', async (block) => {
    await parameter(block, 'messageId').fill(id);
    await block.locator('.body-param__text').fill('{"text": "Lunch at one?", "metadata": null}');
  });
  assert.match(others.editMessage.body, /"editedAt"/);
  others.setReadMarker = await tryOut(page, 'setReadMarker', async (block) => {
    await parameter(block, 'userId').fill('alice');
    await parameter(block, 'peerId').fill('bob');
    await block.locator('.body-param__text').fill(JSON.stringify({ messageId: id }));
  });
  others.listConversations = await tryOut(page, 'listConversations', (block) => parameter(block, 'userId').fill('alice'));
  assert.match(others.listConversations.body, /"unreadCount": 0/);
  others.exportUser = await tryOut(page, 'exportUser', (block) => parameter(block, 'userId').fill('alice'));
  const lines = (text) => text.trim().split('\n').map((line) => JSON.parse(line).type);
  assert.deepEqual(lines(others.exportUser.body), ['message', 'readMarker', 'end']);
  const example = page.locator('.opblock[id$="-exportUser"] .responses-table:not(.live-responses-table) tr[data-code="200"] pre');
  assert.deepEqual(lines(await example.first().innerText()), ['message', 'readMarker', 'block', 'end']);
  for (const name of ['getLimits', 'getHealth']) others[name] = await tryOut(page, name);
  for (const [name, { status }] of Object.entries(others)) assert.equal(status, '200', `Try it out on ${name}`);
  await shoot(page, 'tried-out');
  for (const [name, { samples }] of Object.entries({ sendMessage: sent, listMessages: listed, ...others })) {
    for (const [title, text] of Object.entries(samples)) writeFileSync(join(process.env.SAMPLES, `${name}.${title.toLowerCase()}`), text);
  }

  // What cannot be a sample does not hide the answer.
  const block = page.locator('.opblock[id$="-sendMessage"]');
  for (const body of ['{"sender": "alice",', 'null', '{"sender": "alice", "recipient": "bob", "text": "x", "": 1}', '{"text": {"a": 1}}']) {
    await block.locator('textarea.body-param__text').fill(body);
    const answered = page.waitForResponse((response) => response.url() === `${base}/v1/messages` && response.request().method() === 'POST');
    await block.locator('button.execute').click();
    const { status } = await (await answered).json();
    assert.ok(status === 400 || status === 422);
    for (const title of ['Go', 'TypeScript', 'Python', 'curl']) {
      await block.locator('.request-snippets .btn').filter({ hasText: new RegExp(`^${title}$`) }).click();
    }
    await block.locator('.live-responses-table').getByText(`"status": ${status}`).first().waitFor();
  }
  // The browser reports each refused request on its console.
  for (let i = problems.length - 1; i >= 0; i--) if (/the server responded with a status of 4(00|22)/.test(problems[i])) problems.splice(i, 1);

  // The models can be read.
  await page.locator('.models-control, .models h4 button').first().click();
  await page.locator('.models').getByText('SendMessageRequest', { exact: true }).first().waitFor();

  for (const [name, options] of Object.entries({
    'desktop-dark': { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
    'narrow-light': { viewport: { width: 390, height: 800 } },
    'narrow-dark': { viewport: { width: 390, height: 800 }, colorScheme: 'dark' },
  })) {
    const other = await open(options);
    for (const id of ['listMessages', 'sendMessage']) {
      await other.locator(`.opblock[id$="-${id}"] .opblock-summary-control`).click();
      await other.locator(`.opblock[id$="-${id}"] button.execute`).click();
      await other.locator(`.opblock[id$="-${id}"] .live-responses-table tr.response`).waitFor();
    }
    const overflow = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${name}: the page is ${overflow} pixels too wide`);
    await shoot(other, name);
  }

  const app = await browser.newPage();
  app.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  const serve = (path, contentType, body) => app.route(`${base}${path}`, (route) => route.fulfill({ contentType, body }));
  const file = (path) => readFileSync(join(process.env.NODE_MODULES, path));
  for (const name of ['index', 'changes', 'problem', 'retry']) {
    await serve(`/app/sdk/${name}.js`, 'text/javascript', file(`message-service-client/dist/${name}.js`));
  }
  await serve('/app/fetch.js', 'text/javascript', file('openapi-fetch/dist/index.mjs'));
  await serve('/app/events.js', 'text/javascript', file('eventsource-parser/dist/index.js'));
  await serve('/app/', 'text/html; charset=utf-8', `<!doctype html>
    <script type="importmap">{"imports": {"openapi-fetch": "/app/fetch.js", "eventsource-parser": "/app/events.js"}}</script>
    <script type="module">
      import { createMessageService, exportUser, followChanges } from '/app/sdk/index.js';
      const api = createMessageService(location.origin);
      const body = { sender: 'alice', recipient: 'browser', text: 'From a page 👋' };
      const sent = await api.POST('/v1/messages', { body });
      const inbox = await api.GET('/v1/messages', { params: { query: { recipient: 'browser' } } });
      const exported = [];
      for await (const { message } of exportUser(api, 'browser')) exported.push(message.text);
      const followed = [];
      const send = () => api.POST('/v1/messages', { body: { ...body, text: 'Later 👋' } });
      for await (const { message } of followChanges(api, 'browser', { after: sent.data.id, onReady: send })) {
        followed.push(message.text);
        break;
      }
      document.title = JSON.stringify([sent.data.text, inbox.data.messages.length, exported, followed]);
    </script>`);
  await app.goto(`${base}/app/`);
  await app.waitForFunction(() => document.title !== '');
  assert.equal(await app.title(), '["From a page 👋",1,["From a page 👋"],["Later 👋"]]');

  // The EventSource of the contract, as it stands there, also across a lost connection.
  const { paths } = await (await fetch(`${base}/openapi.json`)).json();
  const [, script] = /```js\n(.*?)```/s.exec(paths['/v1/users/{userId}/changes'].get.description);
  const sockets = new Set();
  const { hostname, port } = new URL(base);
  const proxy = createServer((socket) => {
    const onward = connect(port, hostname);
    for (const [one, other] of [[socket, onward], [onward, socket]]) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy()).pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const live = await browser.newPage();
  live.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  await live.goto(`http://127.0.0.1:${proxy.address().port}/health`);
  const logged = (text) => live.waitForEvent('console', (message) => message.text().includes(text));
  const send = async (text, path = '/v1/messages', method = 'POST', body = { sender: 'alice', recipient: 'bob', text }) => {
    const answer = await fetch(base + path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path} is answered ${answer.status}`);
    return answer.json();
  };
  let awaited = logged('live from');
  await live.evaluate(script);
  await awaited;
  awaited = logged('one: to a page');
  const { id: first } = await send('one: to a page');
  await awaited;
  awaited = logged(`messageId: ${first}`);
  await send('', '/v1/users/bob/conversations/alice/read-marker', 'PUT', { messageId: first });
  await awaited;
  awaited = Promise.all([logged('live from'), logged('two: while it was away')]);
  for (const socket of sockets) socket.destroy();
  await send('two: while it was away');
  await awaited;
  await live.close();
  proxy.close();

  // Pages of other origins get nothing and take nothing from a user, whatever they try.
  const elsewhere = createHTTPServer((_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>')).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  for (const [i, origin] of [`http://127.0.0.1:${elsewhere.address().port}`, `http://localhost:${elsewhere.address().port}`, `http://localhost:${port}`].entries()) {
    const feed = `${base}/v1/users/victim-${i}/changes`;
    const other = await browser.newPage();
    const statuses = [];
    other.on('response', (response) => { if (response.url().startsWith(base)) statuses.push([response.status(), response.request().method(), response.url().slice(base.length)]); });
    await other.goto(`${origin}/health`);
    await other.evaluate(async ([base, feed]) => {
      const ended = (target) => new Promise((resolve) => { target.onload = target.onerror = resolve; });
      const image = new Image();
      image.src = `${base}/v1/limits`;
      await ended(image);
      await Promise.all(Array.from({ length: 6 }, () => ended(new EventSource(feed))));
      const body = '{"sender": "eve", "recipient": "bob", "text": "Hello"}';
      const tries = Array.from({ length: 6 }, () => [`${feed}?wait=60&after=ffffffff-ffff-ffff-ffff-ffffffffffff`, {}]);
      tries.push([`${base}/v1/messages`, { method: 'POST', body }], [`${base}/ready`, {}]);
      await Promise.all(tries.map(([url, init]) => fetch(url, { ...init, mode: 'no-cors' })));
      const frame = document.createElement('iframe');
      frame.src = `${base}/v1/messages`;
      document.body.append(frame);
      await ended(frame);
    }, [base, feed]);
    // Of an image and an EventSource the browser does not tell how they were answered.
    assert.equal(statuses.length, 9, `${origin} asked for ${JSON.stringify(statuses)}`);
    assert.deepEqual(statuses.filter(([status]) => status !== 403), [], `for ${origin}`);
    const own = await Promise.all(Array.from({ length: 10 }, () => fetch(feed, { headers: { Accept: 'text/event-stream' } })));
    assert.deepEqual(own.map(({ status }) => status), Array(10).fill(200), `streams beside ${origin}`);
    await Promise.all(own.map(({ body }) => body.cancel()));

    const follow = async (url) => {
      await other.goto(`${origin}/health`);
      await other.evaluate((url) => {
        const link = document.createElement('a');
        link.href = url;
        link.textContent = 'There';
        document.body.append(link);
      }, url);
      const [response] = await Promise.all([other.waitForResponse(url), other.getByText('There').click()]);
      return response.status();
    };
    assert.equal(await follow(`${base}/docs/`), 200, `a link from ${origin}`);
    await other.waitForSelector('.opblock-summary');
    assert.equal(await follow(`${feed}?wait=60`), 403, `a link from ${origin} to a feed`);
    await other.close();
  }
  elsewhere.close();

  assert.deepEqual(problems, []);
  console.log('1 passed, 0 failed');
} finally {
  await browser.close();
}
