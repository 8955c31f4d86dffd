import { nameOf, resolver } from '../contract.js';
import { contractOf } from './document.js';

// Remembers the ids in answers by the name of their schema, newest first, to fill in the forms
// of later requests.
const remembered = new Map();
const listeners = new Set();

const NONE = [];
export const idsOf = (type) => remembered.get(type) || NONE;
export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

const KEPT = 10;

function remember(type, value) {
  remembered.set(type, [value, ...idsOf(type).filter((known) => known !== value)].slice(0, KEPT));
}

// learn walks through an answer along its schema. A string is an id if its schema has a name and
// the format uuid.
function learn(document, node, value) {
  const resolve = resolver(document);
  const schema = resolve(node);
  if (!schema || value === null || value === undefined) return;
  if (schema.type === 'string' && schema.format === 'uuid' && nameOf(node)) remember(nameOf(node), value);
  // In reverse, so that the first entry of a list is remembered last and offered first.
  if (schema.type === 'array') [...value].reverse().forEach((entry) => learn(document, schema.items, entry));
  Object.entries(schema.properties || {}).reverse().forEach(([name, member]) => learn(document, member, value[name]));
}

// learnFrom remembers the ids in an answer, or in one event of a stream.
export function learnFrom(system, node, value) {
  learn(contractOf(system).document, node, value);
  listeners.forEach((listener) => listener());
}

export const ids = (system) => ({
  statePlugins: {
    spec: {
      wrapActions: {
        setResponse: (setResponse) => (path, method, response) => {
          const operation = contractOf(system).operations.find((o) => o.path === path && o.method === method);
          const media = operation.answers.find(({ status }) => status === String(response.status))?.content?.['application/json'];
          if (response.ok && media && response.obj) learnFrom(system, media.schema, response.obj);
          return setResponse(path, method, response);
        },
      },
    },
  },
});

// withIds puts remembered ids into an example of a body.
export function withIds(body, example) {
  return Object.fromEntries(Object.entries(example).map(([name, value]) => {
    const { name: type, schema } = body.members[name] || {};
    return [name, schema?.format === 'uuid' ? idsOf(type)[0] ?? value : value];
  }));
}
