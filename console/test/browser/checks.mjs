// Checks for every page of the console. Each one appends its findings to a list.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(`${process.env.TOOLS}/`);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Texts that a page might take for markup or code, which `markup` looks for, or that are hard to lay out. */
export const hostile = [
  '<img src=x data-hostile onerror="window.hostile=1">',
  '"><script data-hostile>window.hostile=1</script>',
  "'\"`<b data-hostile>bold</b>&lt;i data-hostile&gt;&amp;",
  '<a data-hostile href="javascript:window.hostile=1">link</a> javascript:window.hostile=1',
  '${window.hostile=1} {{7*7}} <%= 1 %>',
  '\u202Egnp.exe\u202C \u2066\u2067\u061C right to left \u200F',
  'z\u200Be\u200Cr\u200Do\uFEFF \u2060 width',
  'e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301 Z\u0351\u036B\u0343\u036A\u0302\u036B\u033D\u034F\u0334',
  '👩‍👩‍👧‍👦🏴‍☠️🇩🇪👍🏽 🥪',
  'W'.repeat(4000),
  `${'long words in a long text '.repeat(150)}`,
  'line\nafter\r\nline\u2028and\u0085more\ttab',
  '﷽﷽﷽ ⸻⸻ 𒐫𒐫',
];
export const hostileNames = ['obrien@example.org', 'a:b|c+d=e~f', '1.2-3_', `n${'a'.repeat(127)}`];

const expected = new WeakMap(); // what the errors of the requests of a page may be

/**
 * Says that requests of a page from now on are meant to fail with these statuses, or names of
 * errors. Chromium reports a failure on its own time, perhaps after the page has shown it.
 */
export function expectFailures(page, ...failures) {
  expected.set(page, failures.map((failure) => (typeof failure === 'number' ? `the server responded with a status of ${failure}` : failure)));
}

/** Reports console errors, exceptions, violations of the content security policy, and requests to other origins. */
export async function watch(context, base, found) {
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`csp: ${e.violatedDirective} ${e.blockedURI}`));
  });
  context.on('console', (message) => {
    const meant = expected.get(message.page())?.some((failure) => message.text().includes(failure));
    if (['error', 'warning'].includes(message.type()) && !meant) found.push(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => found.push(`exception: ${error.error().message}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== base) found.push(`foreign: ${url}`);
  });
}

/** Reports violations of accessibility rules, by axe. */
export async function accessible(page, found, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  for (const { id, nodes } of violations) found.push(`axe: ${where}: ${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' ')}`);
}

/** Reports texts that became elements or ran as code. */
export async function markup(page, found, where) {
  const { count, ran } = await page.evaluate(() => ({ count: document.querySelectorAll('[data-hostile]').length, ran: window.hostile !== undefined }));
  if (count > 0) found.push(`markup: ${where}: ${count} elements made from a text`);
  if (ran) found.push(`markup: ${where}: a text ran`);
}

/** Reports a page that scrolls horizontally. */
export async function sideways(page, found, where) {
  const { wide, screen } = await page.evaluate(() => ({ wide: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth), screen: innerWidth }));
  if (wide > screen) found.push(`sideways: ${where}: ${wide} px on ${screen} px`);
}

/** Proves that each check reports the fault planted for it, and nothing on a page without one. */
export async function prove(browser, base, policy) {
  const plants = {
    nothing: ['', []],
    'an inline script': ['<script>1</script>', ['csp']],
    'a foreign request': ['<img alt="" src="https://example.org/x.png">', ['csp', 'foreign']],
    'a missing label': ['<input>', ['axe']],
    'markup of a text': ['<b data-hostile>bold</b>', ['markup']],
    'a wide table': ['<pre>' + 'W'.repeat(400) + '</pre>', ['sideways']],
  };
  const open = async (name, body, headers) => {
    const found = [];
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, ignoreHTTPSErrors: true });
    await watch(context, base, found);
    const page = await context.newPage();
    await page.route(`${base}/planted`, (route) => route.fulfill({
      contentType: 'text/html', headers,
      body: `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Planted</title><main><h1>Planted</h1><p>Words.</p>${body}</main></html>`,
    }));
    await page.route('https://example.org/**', (route) => route.fulfill({ body: '' }));
    await page.goto(`${base}/planted`);
    await accessible(page, found, name);
    await markup(page, found, name);
    await sideways(page, found, name);
    await context.close();
    return found;
  };
  const wrong = [];
  const expect = (name, found, wanted) => {
    const kinds = [...new Set(found.map((what) => /csp: /.exec(what) ? 'csp' : what.split(':')[0]))].filter((kind) => kind !== 'console');
    if (kinds.sort().join() !== wanted.join()) wrong.push(`${name}: wanted [${wanted}], reported ${JSON.stringify(found)}`);
  };
  for (const [name, [body, wanted]] of Object.entries(plants)) expect(name, await open(name, body, { 'Content-Security-Policy': policy }), wanted);
  // Without the policy the request is made.
  expect('a foreign request that is allowed', await open('foreign', plants['a foreign request'][0], {}), ['foreign']);
  return wrong;
}

/** A refusal of the service, for `route.fulfill`. */
export const refusal = (status, detail, headers = {}) => ({
  status, headers, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'Refused', status, detail }),
});

/** A promise, and the function that fulfils it. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  return { open, opened };
}

/** Waits until a condition holds. */
export async function until(condition, what) {
  const end = Date.now() + 30_000;
  for (;;) {
    if (await condition()) return;
    assert.ok(Date.now() < end, `It never came to ${typeof what === 'function' ? await what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
