// Opens the documentation of the server at BASE_URL in headless Chromium. In every test it collects
// problems: console errors, requests to other origins, violations of the Content-Security-Policy.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { launch } = await import(`${process.env.TOOLS}/chromium.mjs`);
const axe = readFileSync(createRequire(`${process.env.TOOLS}/package.json`).resolve('axe-core/axe.min.js'), 'utf8');

export const browser = await launch();
export const base = process.env.BASE_URL;
export const problems = [];
const refusals = new WeakMap(); // the statuses that a page may be answered with, though they are errors

const { TOKEN } = process.env; // a key of the server, if it requires one
export const headers = TOKEN ? { Authorization: `Bearer ${TOKEN}` } : {};

// open opens the documentation, or one place in it, and gives it the key.
export async function open(options, hash = '', credential = TOKEN) {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(30_000);
  page.on('console', (message) => {
    const meant = refusals.get(page)?.some((status) => message.text().includes(`the server responded with a status of ${status}`));
    if (['error', 'warning'].includes(message.type()) && !meant) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== base) problems.push(`a request leaves the origin: ${url}`);
  });
  page.on('requestfailed', (request) => {
    // A stream that the page stops ends as a failed request.
    if (request.headers().accept !== 'text/event-stream') problems.push(`failed: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`Content-Security-Policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.goto(`${base}/docs/${credential ? `#key=${credential}&${hash.slice(1)}` : hash}`);
  await page.waitForSelector(hash ? '.operation .title[aria-expanded="true"]' : '.operation'); // what the address names is opened later
  return page;
}

// expectRefusals says that requests of a page from now on are meant to be refused with these statuses.
// Chromium reports a refusal on its own time, perhaps after the page has shown the answer.
export function expectRefusals(page, ...statuses) {
  refusals.set(page, statuses);
}

// shoot saves a screenshot into the folder SCREENSHOTS, if that is set.
export async function shoot(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}

// violations returns the accessibility violations that axe finds, as texts.
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`));
}

export const LANGUAGES = ['curl', 'Go', 'TypeScript', 'Python'];

// openOperation opens an operation, unless it is open, and returns it.
export async function openOperation(page, id) {
  const block = page.locator(`#operation-${id}`);
  const title = block.locator('.title');
  if (await title.getAttribute('aria-expanded') !== 'true') await title.click();
  await block.locator('.operation-body').waitFor();
  return block;
}

export const parameter = (block, name) => block.locator(`input[data-param-name="${name}"]`);

// offers waits until the page has filled in a field, which it does once it has drawn it, perhaps anew.
export async function offers(field, value) {
  const end = Date.now() + 30_000;
  while (await field.inputValue() !== value) assert.ok(Date.now() < end, `offered is ${await field.inputValue()}, not ${value}`);
}

// readSamples returns the code that an operation shows, by language.
export async function readSamples(block) {
  const samples = {};
  for (const title of LANGUAGES) {
    await block.getByRole('tab', { name: title, exact: true }).dispatchEvent('click'); // at once, wherever it is
    samples[title] = await block.locator('.samples pre').innerText();
  }
  return samples;
}

// tryOut opens an operation, fills it in, executes it, and returns status, samples and body.
export async function tryOut(page, id, fill) {
  const block = await openOperation(page, id);
  if (fill) await fill(block);
  await block.getByRole('button', { name: 'Execute' }).click();
  const status = await block.locator('.live .status').innerText();
  const received = block.locator('.live .code pre');
  return { status, samples: await readSamples(block), body: await received.count() ? await received.first().innerText() : '' };
}
