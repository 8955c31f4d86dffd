// Writes the samples of every operation of the contract at BASE_URL into the folder SAMPLES:
// without values, and with a value for every parameter and member and a credential. Files are named
// <operation>_<0 or 1>_<media type>.<language>.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from '../contract.js';
import { exampleOf, samples } from '../snippets.js';

const base = process.env.BASE_URL;
const document = await (await fetch(`${base}/openapi.json`)).json();

const typical = (schema) => {
  if (schema.nullable) return null;
  if (schema.type === 'object') return { client: 'android/4.2', 'it\'s "odd"': [1, true, null, { __proto__: 2 }], line: 'a\u2028\n\\' };
  if (schema.type === 'array') return [typical(document.components.schemas[schema.items.$ref.split('/').pop()])];
  if (schema.format === 'date-time') return '2026-11-23T12:00:00.366Z';
  return exampleOf({ name: "o'brien", schema });
};

let count = 0;
for (const operation of operations(document)) {
  const filled = { path: {}, query: {}, header: {}, token: true };
  for (const { name, in: where, schema } of operation.parameters) filled[where][name] = typical(schema);
  if (operation.body) {
    filled.body = Object.fromEntries(Object.entries(operation.body.members).map(([name, { schema }]) => [name, typical(schema)]));
  }
  for (const [i, values] of [{}, filled].entries()) {
    for (const [j, accept] of (operation.media.length ? operation.media : [undefined]).entries()) {
      for (const [language, text] of Object.entries(samples(operation, { ...values, accept }, base))) {
        assert.ok(text.includes(base), `${operation.id}: ${text}`);
        assert.equal(/TOKEN/.test(text), i === 1 && operation.schemes.length > 0, `${operation.id}: ${text}`);
        writeFileSync(join(process.env.SAMPLES, `${operation.id}_${i}_${j}.${language}`), text);
        count += 1;
      }
    }
  }
}

// A body that the SDKs cannot send gets a sentence instead of a sample, and throws nothing.
const [send] = operations(document).filter(({ id }) => id === 'sendMessage');
for (const body of ['{"sender": "alice",', 'null', '{"": 1}', '{"__proto__": 1}', '{"text": {"a": 1}}', '{"text": 1e400}']) {
  const { curl, ...others } = samples(send, { body }, base);
  assert.ok(curl.includes(base));
  for (const text of Object.values(others)) assert.equal(text, 'This request cannot be made with the SDK.', body);
}

// Bidirectional controls in a text are escaped: they could make the code look like other code.
for (const text of Object.values(samples(send, { body: '{"sender": "alice", "recipient": "bob", "text": "a\u202e\u2066b"}' }, base))) {
  assert.ok(text.includes('a\\u202e\\u2066b'), text);
}
console.log(`${count} samples`);
