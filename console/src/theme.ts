export type Theme = 'light' | 'dark';

const name = 'console.theme';

/** Shows the page in light or dark, overriding the system's setting. */
export function showTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}

/** Stores the choice for the next visit. */
export function storeTheme(theme: Theme): void {
  try {
    localStorage.setItem(name, theme);
  } catch {
    // localStorage may be disabled.
  }
}

/** The choice of an earlier visit. */
export function storedTheme(): Theme | undefined {
  try {
    const theme = localStorage.getItem(name);
    return theme === 'light' || theme === 'dark' ? theme : undefined;
  } catch {
    return undefined;
  }
}
