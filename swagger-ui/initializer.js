import { operations } from './contract.js';
import { samples } from './snippets.js';

// Swagger UI has a dark mode, but leaves it to the page to say when.
const dark = matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

// Swagger UI calls a generator with the request, an immutable map, and shows the text
// that comes back.
const generator = (language) => (request) => {
  const url = new URL(request.get('url'));
  const method = request.get('method').toLowerCase();
  for (const operation of operations(window.ui.specSelectors.specJson().toJS())) {
    const pattern = operation.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const match = url.pathname.match(new RegExp(`^${pattern}$`));
    if (!match || operation.method !== method) continue;
    const path = Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]));
    const header = Object.fromEntries(request.get('headers') || []);
    const body = request.get('body');
    const values = { path, query: Object.fromEntries(url.searchParams), header, body: body?.toJS ? body.toJS() : body };
    return samples(operation, values, url.origin)[language];
  }
  return '';
};

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

window.ui = window.SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  layout: 'BaseLayout',
  presets: [window.SwaggerUIBundle.presets.apis],
  plugins: [linesOfJSON, ownServer, () => ({
    fn: {
      requestSnippetGenerator_curl: generator('curl'),
      requestSnippetGenerator_go: generator('go'),
      requestSnippetGenerator_typescript: generator('typescript'),
      requestSnippetGenerator_python: generator('python'),
    },
  })],
  requestSnippetsEnabled: true,
  requestSnippets: {
    generators: {
      curl: { title: 'curl', syntax: 'bash' },
      go: { title: 'Go', syntax: 'go' },
      typescript: { title: 'TypeScript', syntax: 'javascript' },
      python: { title: 'Python', syntax: 'python' },
    },
    defaultExpanded: true,
    languages: ['curl', 'go', 'typescript', 'python'],
  },
});
