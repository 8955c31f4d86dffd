// Swagger UI has a dark mode, which the page must switch on: as it was chosen in the console, or else as the
// system has it. This runs before the page is drawn, which else would be bright until everything is loaded.
const dark = matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => {
  let chosen;
  try {
    chosen = localStorage.getItem('console.theme');
  } catch {
    // localStorage may be disabled.
  }
  document.documentElement.classList.toggle('dark-mode', chosen ? chosen === 'dark' : dark.matches);
};
dark.addEventListener('change', followScheme);
addEventListener('storage', followScheme); // the console is another tab, perhaps
followScheme();
