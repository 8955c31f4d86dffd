import { limitsOf, typeOf } from '../contract.js';
import { idOf } from './document.js';
import { idsOf, subscribe, withIds } from './ids.js';
import { readParameters } from './values.js';

// The form of an operation: a field for each parameter, and the body.
export const parameters = (system) => {
  const { createElement: h, useEffect, useRef, useSyncExternalStore } = system.React;

  function Parameters({ operation, contract, getComponent }) {
    const list = readParameters(system, operation);
    if (!list.length) return null;
    return h('div', null, h('h4', null, 'Parameters'), list.map((parameter) => (
      h(Parameter, { key: parameter.in + parameter.name, parameter, contract, getComponent }))));
  }

  function Parameter({ parameter, contract, getComponent }) {
    const Words = getComponent('Words');
    const { name, in: where, required, schema, type, example, value, errors, change } = parameter;
    const known = useSyncExternalStore(subscribe, () => idsOf(type));
    const offered = useRef(''); // the last value filled in by the page, which a newer offer may replace
    useEffect(() => {
      const offer = required || example !== undefined ? example ?? known[0] : undefined;
      if (offer === undefined || (value !== '' && value !== offered.current)) return;
      offered.current = offer;
      if (offer !== value) change(offer);
    }, [known]);
    const id = idOf(contract, name);
    const facts = [`${typeOf(parameter)} in ${where}`, limitsOf(schema)].filter(Boolean).join(' · ');
    return h(
      'div', { className: 'parameter', id },
      h('label', { htmlFor: `${id}-value` }, h('code', null, name), required && h('span', { className: 'required' }, 'required')),
      h('input', {
        id: `${id}-value`, 'data-param-name': name, value, required, spellCheck: false, autoComplete: 'off',
        list: known.length ? `${id}-known` : undefined,
        placeholder: schema.default !== undefined ? `${schema.default}` : '',
        'aria-invalid': errors.length > 0, 'aria-describedby': `${id}-about`,
        onChange: (event) => change(event.target.value),
      }),
      known.length > 0 && h('datalist', { id: `${id}-known` }, known.map((one) => h('option', { key: one, value: one }))),
      h(
        'div', { id: `${id}-about`, className: 'about' },
        h('span', { className: 'limits' }, `${facts}. `), h(Words, { text: parameter.description.trim() }),
        errors.map((error, i) => h('strong', { key: i, role: 'alert', className: 'invalid' }, String(error.get ? error.get('error') : error))),
      ),
    );
  }

  function Body({ operation, contract, getComponent }) {
    const { body } = contract;
    const FieldTable = getComponent('FieldTable');
    const [path, method] = [operation.get('path'), operation.get('method')];
    const text = system.oas3Selectors.requestBodyValue(path, method);
    const set = (value) => system.oas3Actions.setRequestBodyValue({ value, pathMethod: [path, method] });
    const chosen = useRef(0);
    const offered = useRef('');
    const known = useSyncExternalStore(subscribe, () => Object.values(body.members).map(({ name }) => idsOf(name)[0]).join());
    const offer = () => {
      offered.current = JSON.stringify(withIds(body, body.examples[chosen.current]), null, 2);
      set(offered.current);
    };
    useEffect(() => {
      if (text === undefined || text === null || text === offered.current) offer();
    }, [known]);
    return h(
      'div', null,
      h('h4', null, 'Body'),
      h(FieldTable, { schema: { $ref: `#/components/schemas/${body.name}` }, operation: contract, kind: 'in the request' }),
      body.examples.length > 1 && h(
        'label', { className: 'examples' }, 'Example ',
        h('select', { onChange: (event) => { chosen.current = Number(event.target.value); offer(); } }, body.titles.map((title, i) => h('option', { key: i, value: i }, title))),
      ),
      h('textarea', { className: 'body-text', 'aria-label': 'Body', spellCheck: false, rows: Math.min(12, (text || '').split('\n').length), value: text || '', onChange: (event) => set(event.target.value) }),
    );
  }

  return { components: { Parameters, Body } };
};
