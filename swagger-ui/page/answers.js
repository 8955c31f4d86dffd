import { fieldsOf, nameOf } from '../contract.js';
import { contractOf, firstSentence } from './document.js';

// The answers of an operation: the members of the successful one, and a table of the errors,
// whose rows can be expanded.
export const answers = (system) => {
  const { createElement: h, Fragment, useState } = system.React;

  function Answers({ operation, getComponent }) {
    const [FieldTable, Words] = [getComponent('FieldTable'), getComponent('Words')];
    const good = operation.answers.filter(({ status }) => status.startsWith('2'));
    const shown = new Set(); // answers of several statuses may have one schema
    const isNew = ([schema]) => !shown.has(nameOf(schema)) && shown.add(nameOf(schema));
    return h(
      'div', null,
      h('h4', null, 'Answers'),
      good.map(({ status, description, headers, content }) => h(
        'div', { key: status, className: 'good' },
        h('p', null, h('strong', { className: 'status' }, status), ' ', h(Words, { text: firstSentence(description) }), headers && h('span', { className: 'headers' }, ' Headers: ', Object.keys(headers).map((name, i) => [i > 0 && ', ', h('code', { key: name }, name)]), '.')),
        tables(content).filter(isNew).map(([schema, caption]) => h(FieldTable, { key: caption, schema, caption, operation, kind: 'in the answer' })),
      )),
    );
  }

  function ErrorTable({ operation, getComponent }) {
    const Words = getComponent('Words');
    const [opened, setOpened] = useState('');
    const [isWhole, setWhole] = useState(false);
    const rows = errorsOf(operation);
    const common = commonErrors(contractOf(system).operations);
    const shared = rows.filter(({ key }) => common.has(key));
    const statuses = [...new Set(shared.map(({ status }) => status))].join(', ');
    return h(
      'table', { className: 'errors-table' },
      h('caption', null, 'Errors, as ', h('code', null, 'application/problem+json')),
      h('thead', null, h('tr', null, ['Status', 'Type', 'When'].map((title) => h('th', { key: title, scope: 'col' }, title)))),
      h('tbody', null, (isWhole ? rows : rows.filter((row) => !shared.includes(row))).map((row) => {
        const isOpen = opened === row.key;
        const id = `error-${operation.id}-${row.key}`;
        return h(
          Fragment, { key: row.key },
          h(
            'tr', null,
            h('td', null, row.status),
            h('th', { scope: 'row' }, row.more || row.examples.length
              ? h('button', { type: 'button', 'aria-expanded': isOpen, 'aria-controls': isOpen ? id : undefined, onClick: () => setOpened(isOpen ? '' : row.key) }, row.type)
              : row.type),
            h('td', null, row.when),
          ),
          isOpen && h('tr', { id, className: 'opened' }, h('td', { colSpan: 3 }, row.more && h(Words, { text: row.more }), row.examples.map((example, i) => (
            h('div', { key: i }, h('p', null, example.summary), h('pre', { tabIndex: 0 }, JSON.stringify(example.value, null, 2))))))),
        );
      })),
      shared.length > 0 && h('tfoot', null, h('tr', null, h('td', { colSpan: 3 }, h(
        'button', { type: 'button', 'aria-expanded': isWhole, onClick: () => setWhole(!isWhole) }, isWhole ? 'Only those of this operation' : `And those that all have: ${statuses}`)))),
    );
  }

  return { components: { Answers, ErrorTable } };
};

// isLong reports whether the answer takes more room than the description and the
// parameters, so that the errors fit better in the left column.
export const isLong = (document, operation) => operation.answers.some(({ status, content }) => (
  status.startsWith('2') && tables(content).some(([schema]) => fieldsOf(document, schema).length * 80 > operation.description.length + operation.parameters.length * 150)));

// An operation with both a page and a stream has the same entries in both, so only the page is shown.
function tables(content = {}) {
  const { 'application/json': json, ...others } = content;
  if (json) return [[json.schema, undefined]];
  return Object.values(others).filter((media) => media['x-itemSchema']).map((media) => [media['x-itemSchema'], 'Each line']);
}

// commonErrors returns the keys of the errors that all operations have but the public ones.
function commonErrors(operations) {
  const [first, ...others] = operations.filter(({ schemes }) => schemes.length > 0).map((operation) => new Set(errorsOf(operation).map(({ key }) => key)));
  return new Set([...first].filter((key) => others.every((keys) => keys.has(key))));
}

// errorsOf lists the problems of an operation by status and type. Answers are shared between
// operations, so it leaves out examples about a parameter or member that this operation lacks.
export function errorsOf(operation) {
  const parameters = new Set(operation.parameters.map(({ name }) => name));
  const hasFeed = operation.parameters.some(({ type }) => type === 'Cursor');
  const isElsewhere = ({ value }) => (value.errors || []).some(({ parameter }) => parameter === 'Idempotency-Key' && !parameters.has(parameter))
    || (value.type.endsWith(':cursor-ahead') && !hasFeed);
  const isShown = ({ value }) => (value.errors || []).every(({ pointer }) => !pointer || operation.body?.members[pointer.slice(1)]);
  return operation.answers.filter(({ status }) => !status.startsWith('2')).flatMap(({ status, description, content }) => {
    const examples = Object.values(content['application/problem+json'].examples).filter((example) => !isElsewhere(example));
    const types = [...new Set(examples.map(({ value }) => value.type))];
    return types.map((type) => {
      const own = examples.filter(({ value }) => value.type === type && isShown({ value }));
      const when = types.length > 1 && own.length ? inOneSentence(own.map(({ summary }) => summary)) : firstSentence(description).replaceAll('`', '');
      const whole = description.replace(/\s+/g, ' ').trim();
      return {
        key: `${status}-${type.split(':').pop()}`,
        status: status === 'default' ? examples.find(({ value }) => value.type === type).value.status : status,
        type: type.split(':').pop(),
        when,
        more: whole.replaceAll('`', '') === when ? '' : whole,
        examples: own,
      };
    });
  }).sort((a, b) => a.status - b.status); // in the contract, the answers of every operation come last
}

// Joins summaries; all but the first lose their initial capital, except for words such as "JSON".
const inOneSentence = ([first, ...others]) => [first, ...others.map((text) => text.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase()))].join('; ');
