'use strict';

// Swagger UI has a dark mode, but leaves it to the page to say when.
const dark = matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

const snippets = window.requestSnippets(() => window.ui.specSelectors.specJson().toJS());

// Swagger UI takes an export, which is lines of JSON, for one JSON value: it would
// quote the example and say that an answer cannot be parsed. As text it shows both.
const asText = (contentType) => (contentType === 'application/x-ndjson' ? 'text/plain' : contentType);
const linesOfJSON = () => ({
  wrapComponents: {
    responseBody: (ResponseBody, { React }) => (props) => React.createElement(ResponseBody, { ...props, contentType: asText(props.contentType) }),
  },
  afterLoad() {
    const { getSampleSchema } = this.fn;
    this.fn.getSampleSchema = (schema, contentType, ...rest) => getSampleSchema(schema, asText(contentType), ...rest);
  },
});

// The page may have been reached by another name than the document gives as its server.
const ownServer = () => ({
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (update) => (document) => update({ ...document, servers: [{ url: location.origin }] }) } },
  },
});

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
  plugins: [linesOfJSON, ownServer, () => ({
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
