import { operations } from '../contract.js';

// The document as plain objects, and its operations by id, cached for the current document.
let source;
let read;

export function contractOf(system) {
  const json = system.specSelectors.specJson();
  if (json !== source) {
    source = json;
    const document = json.toJS();
    const list = document.paths ? operations(document) : [];
    read = { document, operations: list, byId: new Map(list.map((operation) => [operation.id, operation])) };
  }
  return read;
}

// hashOf returns the fragment that leads to an operation or to one of its fields.
export const hashOf = (operation, field) => `#/${[operation.tag, operation.id, ...(field ? [field] : [])].map(encodeURIComponent).join('/')}`;
export const idOf = (operation, field) => ['operation', operation.id, ...(field ? [field] : [])].join('-');
export const schemaHash = (name) => `#/schemas/${encodeURIComponent(name)}`;

// firstSentence shortens a description for a table; the list of schemas has the whole of it.
export function firstSentence(text = '') {
  const [paragraph] = text.trim().split(/\n\n/);
  const line = paragraph.replace(/\s+/g, ' ');
  const end = line.search(/[.;](?=\s)/);
  return end < 0 ? line : `${line.slice(0, end)}.`;
}
