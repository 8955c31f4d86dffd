// Uses the service from web pages in headless Chromium: with the TypeScript SDK, which is installed
// in the folder NODE_MODULES; with the EventSource sample of the contract, word for word; and from
// pages of other origins, which must be refused. TOKEN is a key of the server, if it requires one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer as createHTTPServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { base, browser, headers, problems } from './page.mjs';

try {
  const app = await browser.newPage();
  app.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  const serve = (path, contentType, body) => app.route(`${base}${path}`, (route) => route.fulfill({ contentType, body }));
  const file = (path) => readFileSync(join(process.env.NODE_MODULES, path));
  for (const name of readdirSync(join(process.env.NODE_MODULES, 'message-service-client/dist')).filter((name) => name.endsWith('.js'))) {
    await serve(`/app/sdk/${name}`, 'text/javascript', file(`message-service-client/dist/${name}`));
  }
  await serve('/app/fetch.js', 'text/javascript', file('openapi-fetch/dist/index.mjs'));
  await serve('/app/events.js', 'text/javascript', file('eventsource-parser/dist/index.js'));
  await serve('/app/', 'text/html; charset=utf-8', `<!doctype html>
    <script type="importmap">{"imports": {"openapi-fetch": "/app/fetch.js", "eventsource-parser": "/app/events.js"}}</script>
    <script type="module">
      import { createMessageService, exportUser, followChanges } from '/app/sdk/index.js';
      const api = createMessageService(location.origin, { token: '${process.env.TOKEN ?? ''}' });
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

  // The EventSource sample of the contract, which must also survive a lost connection.
  const { paths } = await (await fetch(`${base}/openapi.json`)).json();
  const [, sample] = /```js\n(.*?)```/s.exec(paths['/v1/users/{userId}/changes'].get.description);
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
    const answer = await fetch(base + path, { method, headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path} is answered ${answer.status}`);
    return answer.json();
  };
  // An EventSource sends no key, but it may have a ticket, with which it reconnects, too.
  const { ticket } = process.env.TOKEN ? await (await fetch(`${base}/v1/users/bob/stream-tickets`, { method: 'POST', headers })).json() : {};
  let awaited = logged('live from');
  await live.evaluate(ticket ? sample.replace('/changes', `/changes?ticket=${ticket}`) : sample);
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

  // Pages of other origins get no answer, and use up none of a user's streams.
  const elsewhere = createHTTPServer((_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>')).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  for (const [i, origin] of [`http://127.0.0.1:${elsewhere.address().port}`, `http://localhost:${elsewhere.address().port}`, `http://localhost:${port}`].entries()) {
    const feed = `${base}/v1/users/victim-${i}/changes`;
    const other = await browser.newPage();
    const statuses = [];
    other.on('response', (response) => { if (response.url().startsWith(base)) statuses.push([response.status(), response.request().method(), response.url().slice(base.length)]); });
    await other.goto(`${origin}/health`);
    const nine = other.waitForEvent('response', () => statuses.length >= 9);
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
    const own = await Promise.all(Array.from({ length: 10 }, () => fetch(feed, { headers: { ...headers, Accept: 'text/event-stream' } })));
    assert.deepEqual(own.map(({ status }) => status), Array(10).fill(200), `streams beside ${origin}`);
    await Promise.all(own.map(({ body }) => body.cancel()));
    // The browser hides the answers of an image and of an EventSource from the test, and tells it of the others on its own time.
    await nine;
    assert.equal(statuses.length, 9, `${origin} asked for ${JSON.stringify(statuses)}`);
    assert.deepEqual(statuses.filter(([status]) => status !== 403), [], `for ${origin}`);

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
    await other.waitForSelector('.operation');
    assert.equal(await follow(`${feed}?wait=60`), 403, `a link from ${origin} to a feed`);
    await other.close();
  }
  elsewhere.close();

  assert.deepEqual(problems, []);
} finally {
  await browser.close();
}
