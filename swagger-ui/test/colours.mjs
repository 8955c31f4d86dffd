// Tests which colours the documentation has.
import assert from 'node:assert/strict';
import { base, browser } from './page.mjs';

// The page has its scheme from the first frame on: that of the system, unless another was chosen in the console.
export async function followsTheScheme() {
  for (const [chosen, isDark] of [[undefined, true], ['light', false]]) {
    const page = await browser.newPage({ colorScheme: 'dark' });
    if (chosen) await page.addInitScript((theme) => localStorage.setItem('console.theme', theme), chosen);
    await page.route('**/swagger-ui-bundle.js', () => undefined); // it never comes
    await page.goto(`${base}/docs/`, { waitUntil: 'commit' });
    await page.locator('#swagger-ui').waitFor({ state: 'attached' });
    assert.equal(await page.evaluate(() => document.documentElement.classList.contains('dark-mode')), isDark, `${chosen} in the console`);
    await page.close();
  }
}

// unmuted returns what is less important, but is not muted.
export const unmuted = (page) => page.evaluate(() => {
  const secondary = [
    '.navigation label', '.tag > .renderedMarkdown p', '.tag > .renderedMarkdown td', '.errors-table caption', '.errors-table th[scope=col]', '.errors-table td:first-child', '.authorize .about',
  ];
  const probe = document.querySelector('.page').appendChild(document.createElement('span'));
  probe.style.color = 'var(--soft)';
  const { color } = getComputedStyle(probe);
  probe.remove();
  const isOther = (element, pseudo) => getComputedStyle(element, pseudo).color !== color;
  return [...secondary.filter((selector) => isOther(document.querySelector(selector))), ...isOther(document.querySelector('#filter'), '::placeholder') ? ['a placeholder'] : []];
});
