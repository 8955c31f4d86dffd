// Writes a request as curl and as code of each SDK. It has no side effects and needs no page, so
// the console and tests import it too.
import { curl } from './snippets/curl.js';
import { go } from './snippets/go.js';
import { python } from './snippets/python.js';
import { typescript } from './snippets/typescript.js';

// samples returns { curl, go, typescript, python }, each a whole program.
// - operation is one of operations() of contract.js.
// - values are { path, query, header, body, accept, token }: the first three by the name of the
//   parameter, each value as a string or in its own type; body a value or its JSON text; accept
//   one of several media types; token whether the server requires a credential, which the program
//   then reads from the environment variable TOKEN. An absent required value is taken from the
//   examples of the contract; an absent optional one is left out.
// - origin is that of the server, such as http://localhost:8080.
export function samples(operation, values, origin) {
  const request = describe(operation, values, origin);
  return {
    curl: curl(request),
    go: safely(go, request),
    typescript: safely(typescript, request),
    python: safely(python, request),
  };
}

// curl can send any text as a body or parameter, but the SDKs have types that may not allow it.
function safely(generate, request) {
  try {
    return generate(request);
  } catch {
    return 'This request cannot be made with the SDK.';
  }
}

// describe combines an operation with the values of a request.
export function describe(operation, values, origin) {
  const parameters = operation.parameters.map((parameter) => {
    const given = (values[parameter.in] || {})[parameter.name];
    const value = given === undefined || given === '' ? undefined : String(given);
    return { ...parameter, value: value ?? (parameter.required ? String(exampleOf(parameter)) : undefined) };
  }).filter(({ value }) => value !== undefined);
  const body = operation.body && (values.body ?? operation.body.examples[0]);
  const accept = values.accept ?? operation.media[0];
  return {
    ...operation,
    origin,
    declared: operation.parameters,
    parameters,
    body: operation.body && { ...operation.body, text: typeof body === 'string' ? body : JSON.stringify(body) },
    token: Boolean(values.token) && operation.schemes.length > 0,
    accept: operation.media.indexOf(accept) > 0 ? accept : undefined,
    stream: { 'application/x-ndjson': 'records', 'text/event-stream': 'events' }[accept],
  };
}

// exampleOf returns a value that a parameter may have.
export function exampleOf({ name, example, schema }) {
  return example ?? schema.example ?? schema.default ?? schema.enum?.[0] ?? (schema.format === 'uuid' ? '01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42' : name);
}
