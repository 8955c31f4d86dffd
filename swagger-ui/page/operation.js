import { isLong } from './answers.js';
import { contractOf, idOf, hashOf } from './document.js';
import { readParameters } from './values.js';

// These cannot be undone, and their forms are filled in with an example: the page asks for confirmation.
const ERASING = ['deleteGroup', 'deleteMessage', 'eraseUser'];

// The language of the samples, shared by all operations.
let language = 'curl';
const listeners = new Set();
const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const choose = (name) => {
  language = name;
  listeners.forEach((listener) => listener());
};

// One operation: its description and form at the left, its samples and answers at the right. It
// replaces Swagger UI's own, which is several screens long.
export const operation = (system) => {
  const { createElement: h, useState, useSyncExternalStore } = system.React;

  function Operation({ operation: state, response, onExecute, toggleShown, getComponent }) {
    const contract = contractOf(system).byId.get(state.get('operationId'));
    const isShown = state.get('isShown');
    const OperationBody = getComponent('OperationBody', true);
    const id = idOf(contract);
    const toggle = () => {
      history.replaceState(null, '', isShown ? location.pathname : hashOf(contract));
      toggleShown();
    };
    return h(
      'article', { id, className: `operation ${contract.method}${isShown ? ' is-open' : ''}`, 'aria-labelledby': `${id}-title` },
      h('h3', { id: `${id}-title` }, h(
        'button', { type: 'button', className: 'title', 'aria-expanded': isShown, 'aria-controls': isShown ? `${id}-body` : undefined, onClick: toggle },
        h('span', { className: `method ${contract.method}` }, contract.method), ' ',
        h('code', { className: 'path' }, contract.path.split('/').map((part, i) => [i > 0 && '/', i > 0 && h('wbr', { key: i }), part])), ' ',
        h('span', { className: 'summary' }, contract.summary),
      )),
      isShown && state.get('op').size > 0 && h(OperationBody, { operation: state, contract, response, onExecute, bodyId: `${id}-body` }),
    );
  }

  function OperationBody({ operation: state, contract, response, onExecute, bodyId, getComponent, specSelectors, specActions, oas3Selectors, oas3Actions }) {
    const [Markdown, Execute, Access, Parameters, Body, Samples, Answers, ErrorTable, LiveAnswer, EventStream] = [
      ['Markdown', true], ['execute'], ['Access'], ['Parameters'], ['Body'], ['Samples'], ['Answers'], ['ErrorTable'], ['LiveAnswer'], ['EventStream'],
    ].map((name) => getComponent(...name));
    const chosen = useSyncExternalStore(subscribe, () => language);
    const [asStream, setAsStream] = useState(false);
    const { path, method } = contract;
    const pathMethod = [path, method];
    const read = (value) => {
      setAsStream(value === 'text/event-stream');
      oas3Actions.setResponseContentType({ value, path, method });
    };
    const askFirst = (event) => {
      if (!ERASING.includes(contract.id) || !event.target.closest('.execute')) return;
      const values = readParameters(system, state).map(({ value }) => value).join(' ');
      if (!window.confirm(`${contract.summary}: ${values}\n\nThere is no way back.`)) event.stopPropagation();
    };
    const hasLongAnswer = isLong(contractOf(system).document, contract);
    const errors = h(ErrorTable, { operation: contract, getComponent });
    const shared = { operation: state, contract, getComponent };
    return h(
      'div', { id: bodyId, className: `operation-body${hasLongAnswer ? ' has-long-answer' : ''}` },
      h(
        'div', { className: 'left' },
        h(Markdown, { source: contract.description }),
        h(Parameters, shared),
        contract.body && h(Body, shared),
        contract.media.includes('text/event-stream') && h(
          'fieldset', { className: 'media' }, h('legend', null, 'Read it'),
          [['application/json', 'as pages'], ['text/event-stream', 'as a stream']].map(([value, title]) => h(
            'label', { key: value }, h('input', { type: 'radio', name: bodyId, checked: asStream === (value === 'text/event-stream'), onChange: () => read(value) }), title,
          )),
        ),
        !asStream && h('div', { className: 'controls', onClickCapture: askFirst }, h(Execute, { operation: state.get('op'), specActions, specSelectors, oas3Selectors, oas3Actions, path, method, onExecute, disabled: state.get('executeInProgress') }),
          response && h('button', { type: 'button', className: 'btn', onClick: () => { specActions.clearResponse(path, method); specActions.clearValidateParams(pathMethod); } }, 'Clear'),
          state.get('executeInProgress') && h('span', { role: 'status' }, 'Waiting for the answer…')),
        asStream ? h(EventStream, shared) : h(LiveAnswer, { response, getComponent }),
        hasLongAnswer && errors,
      ),
      h('div', { className: 'right' }, h(Samples, { ...shared, language: chosen, choose }), h(Access, shared), h(Answers, { operation: contract, getComponent }), !hasLongAnswer && errors),
    );
  }

  return { components: { operation: Operation, OperationBody } };
};
