export type Theme = 'light' | 'dark';

const name = 'console.theme';

/** Shows the page in light or dark, whatever the system says. */
export function showTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}

/** Keeps the choice for the next time. */
export function storeTheme(theme: Theme): void {
  try {
    localStorage.setItem(name, theme);
  } catch {
    // A browser may keep nothing.
  }
}

/** The choice of the last time. */
export function storedTheme(): Theme | undefined {
  try {
    const theme = localStorage.getItem(name);
    return theme === 'light' || theme === 'dark' ? theme : undefined;
  } catch {
    return undefined;
  }
}
