// Hides a page as a browser hides a tab in the background: it says so, and the timers that are set
// from then on run once a minute at most. Headless Chromium takes every tab for visible.
export async function hide(page) {
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
    Object.defineProperty(document, 'hidden', { get: () => true });
    for (const name of ['setTimeout', 'setInterval']) {
      const usual = window[name].bind(window);
      window[name] = (what, wait = 0, ...more) => usual(what, Math.max(wait, 60_000), ...more);
    }
    document.dispatchEvent(new Event('visibilitychange'));
  });
}
