import { samples } from '../snippets.js';
import { readValues } from './values.js';

const LANGUAGES = [['curl', 'curl', 'bash'], ['go', 'Go', 'javascript'], ['typescript', 'TypeScript', 'javascript'], ['python', 'Python', 'javascript']];

// The request as code, with the values of the form.
export const codeSamples = (system) => {
  const { createElement: h, useRef } = system.React;

  function Samples({ operation, contract, getComponent, language, choose }) {
    const Code = getComponent('Code');
    const tabs = useRef(null);
    const move = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: LANGUAGES.length - 1 }[event.key];
      if (!step) return;
      const next = (LANGUAGES.findIndex(([name]) => name === language) + step) % LANGUAGES.length;
      choose(LANGUAGES[next][0]);
      tabs.current.children[next].focus();
    };
    const id = `sample-${contract.id}`;
    const bar = h(
      'div', { role: 'tablist', 'aria-label': 'Language', ref: tabs, onKeyDown: move },
      LANGUAGES.map(([name, title]) => h('button', {
        key: name, type: 'button', role: 'tab', id: `${id}-${name}`, 'aria-selected': name === language, 'aria-controls': id,
        tabIndex: name === language ? 0 : -1, onClick: () => choose(name),
      }, title)),
    );
    return h('div', { className: 'samples' }, h(Code, {
      text: samples(contract, readValues(system, operation), location.origin)[language],
      syntax: LANGUAGES.find(([name]) => name === language)[2],
      bar, getComponent, role: 'tabpanel', id, 'aria-labelledby': `${id}-${language}`,
    }));
  }

  return { components: { Samples } };
};
