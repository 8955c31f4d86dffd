import { fieldsOf, namesIn } from '../contract.js';
import { contractOf, firstSentence, idOf, schemaHash } from './document.js';

// Tables of the members of a schema, and the list of all schemas.
export const fields = (system) => {
  const h = system.React.createElement;

  // Renders the `code` of a text, and drops the marks of *emphasis* and links.
  const Words = ({ text }) => text.split(/`([^`]+)`/).map((part, i) => (i % 2 ? h('code', { key: i }, part) : part.replace(/\*+/g, '').replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')));

  // The first field of each name in an operation has an id, to which links lead.
  function FieldTable({ schema, caption, operation, kind, whole }) {
    const { document } = contractOf(system);
    const addresses = new Set(operation && namesIn(document, operation).filter((field) => field.kind === kind).map(({ name }) => name));
    const seen = new Set(); // the same description is not repeated for another member
    const rows = fieldsOf(document, schema).map((field) => {
      const text = whole ? (field.description || '').trim() : firstSentence(field.description);
      const about = seen.has(text) && !whole ? '' : text;
      seen.add(text);
      return { ...field, about };
    });
    if (!rows.length) return null;
    return h(
      'table', { className: 'fields-table' },
      h('caption', { className: caption ? undefined : 'hidden' }, caption || 'Members'),
      h('thead', { className: 'hidden' }, h('tr', null, ['Name', 'Type and limits', 'Meaning'].map((title) => h('th', { key: title, scope: 'col' }, title)))),
      h('tbody', null, rows.map((field, i) => h(
        'tr', { key: `${field.depth}${field.name}${i}`, id: addresses.delete(field.name) ? idOf(operation, field.name) : undefined },
        h('th', { scope: 'row', style: { paddingLeft: `${field.depth * 14}px` } }, h('code', null, field.name), field.required && h('span', { className: 'required' }, 'required')),
        h('td', null, h(Type, { name: field.type }), field.limits && h('span', { className: 'limits' }, field.limits)),
        h('td', null, h(Words, { text: field.about })),
      ))),
    );
  }

  function Type({ name }) {
    const known = contractOf(system).document.components.schemas;
    const [, before, last] = /^(.*?)(\w+)$/.exec(name);
    return Object.hasOwn(known, last) ? h('span', { className: 'type' }, before, h('a', { href: schemaHash(last) }, last)) : h('span', { className: 'type' }, name);
  }

  function Schemas() {
    const { document } = contractOf(system);
    return h(
      'section', { className: 'schemas', 'aria-labelledby': 'schemas' },
      h('h2', { id: 'schemas' }, 'Schemas'),
      Object.entries(document.components.schemas).map(([name, schema]) => h(
        'details', { key: name, id: `schema-${name}` },
        h('summary', null, h('h3', null, name), h('span', { className: 'type' }, schema.type)),
        h('p', null, h(Words, { text: schema.description || '' })),
        schema.properties && h(FieldTable, { schema: { $ref: `#/components/schemas/${name}` }, whole: true }),
      )),
    );
  }

  return { components: { FieldTable, Words, Schemas } };
};
