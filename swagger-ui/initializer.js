import { answers } from './page/answers.js';
import { code } from './page/code.js';
import { fields } from './page/fields.js';
import { ids } from './page/ids.js';
import { layout } from './page/layout.js';
import { live } from './page/live.js';
import { navigation } from './page/navigation.js';
import { operation } from './page/operation.js';
import { parameters } from './page/parameters.js';
import { codeSamples } from './page/samples.js';
import { stream } from './page/stream.js';

// Swagger UI has a dark mode, but leaves it to the page to say when.
const dark = matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

// The page may have been reached by another name than the document gives as its server.
const ownServer = () => ({
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (update) => (document) => update({ ...document, servers: [{ url: location.origin }] }) } },
  },
});

// A plugin is given the system as it was before there were any plugins.
const withLatest = (plugin) => (system) => plugin(new Proxy({}, { get: (_, name) => system.getSystem()[name] }));

// Swagger UI reads the document, keeps what is filled in, checks it, sends requests, and
// renders Markdown and code. What is seen of an operation is ours: see page/operation.js.
window.ui = window.SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#swagger-ui',
  deepLinking: false, // page/routes.js
  tryItOutEnabled: true,
  validatorUrl: null,
  layout: 'Page',
  presets: [window.SwaggerUIBundle.presets.apis],
  plugins: [ownServer, ...[layout, navigation, operation, parameters, codeSamples, code, fields, answers, live, stream, ids].map(withLatest)],
});
