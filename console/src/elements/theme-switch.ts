import { el, icon } from '../dom.ts';
import { showTheme, storedTheme, storeTheme, type Theme } from '../theme.ts';

/** Switches between light and dark; until it is used the page follows the system's setting. */
export function themeSwitch(): HTMLElement {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = (): boolean => (document.documentElement.dataset['theme'] ?? (dark.matches ? 'dark' : 'light')) === 'dark';
  const button = el('button', { type: 'button', class: 'icon-button', on: {
    click: () => {
      const theme: Theme = isDark() ? 'light' : 'dark';
      storeTheme(theme);
      showTheme(theme);
      draw();
    },
  } });
  const draw = (): void => {
    const label = isDark() ? 'Light colours' : 'Dark colours';
    button.setAttribute('aria-label', label);
    button.title = label;
    button.replaceChildren(icon(isDark() ? 'sun' : 'moon'));
  };
  dark.addEventListener('change', draw);
  addEventListener('storage', () => { // it was switched in another tab
    const theme = storedTheme();
    if (theme) showTheme(theme);
    draw();
  });
  draw();
  return button;
}
