// Makes a page behave as in a background tab: its visibilityState is hidden, and timers set from now
// on run at most once a minute. In headless Chromium every tab counts as visible.
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
