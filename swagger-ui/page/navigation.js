import { namesIn } from '../contract.js';
import { contractOf, hashOf, schemaHash } from './document.js';

// The side navigation: all operations by tag, and a filter that finds operations by their name
// or path, and by the names of their parameters and members.
export const navigation = (system) => {
  const { createElement: h, useEffect, useMemo, useRef, useState } = system.React;

  function Navigation() {
    const { document: contract, operations } = contractOf(system);
    const [word, setWord] = useState('');
    const [isOpen, setOpen] = useState(false); // on narrow screens, where it is a menu
    const filter = useRef(null);
    const index = useMemo(() => operations.map((operation) => ({ operation, fields: namesIn(contract, operation) })), [operations]);
    useEffect(() => {
      const focus = (event) => {
        if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select')) return;
        event.preventDefault();
        setOpen(true);
        filter.current.focus();
      };
      addEventListener('keydown', focus);
      return () => removeEventListener('keydown', focus);
    }, []);

    const found = find(index, word);
    const schemas = Object.keys(contract.components.schemas).filter((name) => matches(word, name) && word);
    const close = () => setOpen(false);
    const groups = contract.tags.map(({ name }) => name).filter((tag) => found.some(({ operation }) => operation.tag === tag));
    return h(
      'nav', { className: isOpen ? 'navigation is-open' : 'navigation', 'aria-label': 'Operations' },
      h('button', { type: 'button', className: 'menu', 'aria-expanded': isOpen, 'aria-controls': 'operations-list', onClick: () => setOpen(!isOpen) }, 'Operations'),
      h(
        'div', { id: 'operations-list', className: 'list', onKeyDown: (event) => event.key === 'Escape' && (setWord(''), close()) },
        h('label', { htmlFor: 'filter' }, 'Find an operation, parameter or property'),
        h('input', { id: 'filter', ref: filter, type: 'search', value: word, placeholder: 'Press / to find', autoComplete: 'off', spellCheck: false, onChange: (event) => setWord(event.target.value) }),
        h('p', { role: 'status', className: word ? 'count' : 'hidden' }, word ? `${found.length} of ${operations.length} operations` : ''),
        groups.map((tag) => h(
          'div', { key: tag, className: 'group' },
          h('p', { id: `group-${tag}` }, tag),
          h('ul', { 'aria-labelledby': `group-${tag}` }, found.filter(({ operation }) => operation.tag === tag).map((hit) => h(Entry, { key: hit.operation.id, ...hit, close }))),
        )),
        schemas.length > 0 && h('div', { className: 'group' }, h('p', { id: 'group-schemas' }, 'Schemas'), h('ul', { 'aria-labelledby': 'group-schemas' }, schemas.map((name) => (
          h('li', { key: name }, h('a', { href: schemaHash(name), onClick: close }, name)))))),
      ),
    );
  }

  const Entry = ({ operation, fields, close }) => h(
    'li', null,
    h('a', { href: hashOf(operation), onClick: close }, h('span', { className: `method ${operation.method}` }, operation.method), h('span', null, operation.summary)),
    fields.length > 0 && h('ul', { className: 'fields' }, fields.map(({ kind, name }) => (
      h('li', { key: kind + name }, h('a', { href: hashOf(operation, name), onClick: close }, h('code', null, name), ` ${kind}`))))),
  );

  return { components: { Navigation } };
};

const matches = (word, ...texts) => texts.some((text) => text.toLowerCase().includes(word.trim().toLowerCase()));

// find returns the operations that match the word, by themselves or by a field, and up to six matching fields of each.
export const find = (index, word) => index.map(({ operation, fields }) => {
  if (!word.trim()) return { operation, fields: [] };
  const hits = fields.filter(({ name }) => matches(word, name));
  const named = matches(word, operation.id, operation.summary, operation.path, operation.method);
  return named || hits.length ? { operation, fields: hits.slice(0, 6) } : undefined;
}).filter(Boolean);
