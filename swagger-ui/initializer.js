import { answers } from './page/answers.js';
import { authorize } from './page/authorize.js';
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

// Requests go to the origin of the page, whatever server the document names.
const ownServer = () => ({
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (update) => (document) => update({ ...document, servers: [{ url: location.origin }] }) } },
  },
});

// A plugin gets the system as it was before any plugin was added; this proxy looks names up in the current one.
const withLatest = (plugin) => (system) => plugin(new Proxy({}, { get: (_, name) => system.getSystem()[name] }));

// Swagger UI reads the document, keeps and validates the form values, sends requests, and renders
// Markdown and code. How an operation is shown is our own: see page/operation.js.
window.ui = window.SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#swagger-ui',
  deepLinking: false, // page/routes.js
  tryItOutEnabled: true,
  validatorUrl: null,
  persistAuthorization: false,
  layout: 'Page',
  presets: [window.SwaggerUIBundle.presets.apis],
  plugins: [ownServer, ...[layout, authorize, navigation, operation, parameters, codeSamples, code, fields, answers, live, stream, ids].map(withLatest)],
});
