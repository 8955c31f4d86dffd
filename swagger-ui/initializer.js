'use strict';

// Swagger UI has a dark mode, but leaves it to the page to say when.
const dark = matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

const snippets = window.requestSnippets(() => window.ui.specSelectors.specJson().toJS());

window.ui = SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  layout: 'BaseLayout',
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [() => ({
    fn: {
      requestSnippetGenerator_go: snippets.go,
      requestSnippetGenerator_typescript: snippets.typescript,
      requestSnippetGenerator_python: snippets.python,
    },
  })],
  requestSnippetsEnabled: true,
  requestSnippets: {
    generators: {
      curl_bash: { title: 'curl', syntax: 'bash' },
      go: { title: 'Go', syntax: 'go' },
      typescript: { title: 'TypeScript', syntax: 'javascript' },
      python: { title: 'Python', syntax: 'python' },
    },
    defaultExpanded: true,
    languages: ['curl_bash', 'go', 'typescript', 'python'],
  },
});
