// Imports the document that the server serves into Postman and Insomnia: each has every
// operation then, at the address of the server.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.TOOLS}/generators/`);
const { convert: importIntoInsomnia } = require('insomnia-importers');
const { convert: importIntoPostman } = require('openapi-to-postmanv2');

const server = process.env.BASE_URL;
const text = await (await fetch(`${server}/openapi.json`)).text();
const operations = Object.entries(JSON.parse(text).paths).flatMap(([path, item]) =>
  Object.keys(item).filter((name) => name !== 'parameters').map((method) => `${method.toUpperCase()} ${path}`)).sort();
assert.ok(operations.length > 10, 'the document has operations');

const collection = await new Promise((resolve, reject) => importIntoPostman({ type: 'string', data: text }, {}, (error, answer) =>
  error || !answer.result ? reject(error ?? new Error(answer.reason)) : resolve(answer.output[0].data)));
const requests = (items) => items.flatMap(({ item, request }) => (item ? requests(item) : request));
assert.equal(collection.variable.find(({ key }) => key === 'baseUrl').value, server, 'the address in Postman');
assert.deepEqual(requests(collection.item).map(({ method, url: { host, path } }) => {
  assert.deepEqual(host, ['{{baseUrl}}']);
  return `${method} /${path.map((part) => part.replace(/^:(.*)/, '{$1}')).join('/')}`;
}).sort(), operations, 'the operations in Postman');

const { resources } = (await importIntoInsomnia(text)).data;
const [{ data: variables }] = resources.filter(({ _type, data }) => _type === 'environment' && data.host);
assert.equal(`${variables.scheme}://${variables.host}${variables.base_path}`, server, 'the address in Insomnia');
assert.deepEqual(resources.filter(({ _type }) => _type === 'request').map(({ method, url }) =>
  `${method} ${url.replace('{{ base_url }}', '').replaceAll('{{ ', '{').replaceAll(' }}', '}')}`).sort(), operations, 'the operations in Insomnia');
