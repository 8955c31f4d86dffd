import { addressOf } from '../snippets/curl.js';
import { describe } from '../snippets.js';
import { credentialFor } from './authorize.js';
import { learnFrom } from './ids.js';
import { pretty } from './live.js';
import { readValues } from './values.js';

const KEPT = 200; // the newest events that are shown

// Shows server-sent events as they arrive. Swagger UI itself would wait for the end of the
// answer, which never comes.
export const stream = (system) => {
  const { createElement: h, useEffect, useReducer, useRef } = system.React;

  function EventStream({ operation, contract }) {
    const [state, report] = useReducer(reduce, { events: [], status: '', isOpen: false });
    const connection = useRef(null);
    const stop = () => connection.current?.abort();
    const credential = credentialFor(system, contract);
    useEffect(() => stop, [credential]); // with another one, or none, it is somebody else's

    const start = async () => {
      stop();
      connection.current = new AbortController();
      const { signal } = connection.current;
      report({ type: 'start' });
      try {
        const { url, headers } = addressOf(describe(contract, readValues(system, operation), location.origin));
        if (credential) headers.Authorization = `Bearer ${credential}`;
        const answer = await fetch(url, { headers, signal });
        if (!answer.ok) return report({ type: 'end', status: `Refused with ${answer.status}: ${(await answer.json()).detail}` });
        for await (const event of readEvents(answer.body)) {
          report({ type: 'event', event });
          learnFrom(system, itemOf(contract), JSON.parse(event.data));
        }
        return report({ type: 'end', status: 'The server ended the stream.' });
      } catch (error) {
        return report({ type: 'end', status: signal.aborted ? 'Stopped.' : `Lost: ${error.message}` });
      }
    };

    return h(
      'div', { className: 'stream' },
      h(
        'p', { className: 'controls' },
        state.isOpen
          ? h('button', { type: 'button', className: 'btn stop', onClick: stop }, 'Stop')
          : h('button', { type: 'button', className: 'btn execute', onClick: start }, 'Follow'),
        h('span', { role: 'status' }, state.status || 'Shows each event as it is stored.'),
      ),
      state.events.length > 0 && h('ol', { className: 'events', role: 'log', 'aria-label': 'Events', tabIndex: 0 }, state.events.map((event) => h(
        'li', { key: event.number },
        h('strong', null, event.type), ' ', h('code', { className: 'event-id' }, event.id), h('pre', null, pretty(event.data)),
      ))),
    );
  }

  return { components: { EventStream } };
};

const itemOf = (contract) => contract.answers.find(({ status }) => status === '200').content['text/event-stream']['x-itemSchema'];

function reduce(state, action) {
  switch (action.type) {
    case 'start': return { events: [], count: 0, isOpen: true, status: 'Connecting…' };
    case 'event': {
      const count = state.count + 1;
      const events = [{ ...action.event, number: count }, ...state.events].slice(0, KEPT);
      return { ...state, count, events, status: `Live, ${count} ${count === 1 ? 'event' : 'events'}.` };
    }
    default: return { ...state, isOpen: false, status: action.status };
  }
}

// readEvents parses the part of https://html.spec.whatwg.org/multipage/server-sent-events.html
// that our server uses: lines end with \n, and comments are skipped.
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { type: 'message', id: '', data: [] };
      for (const line of block.split('\n')) {
        const [, field, text] = /^(\w+): ?(.*)$/s.exec(line) ?? [];
        if (field === 'data') event.data.push(text);
        if (field === 'event') event.type = text;
        if (field === 'id') event.id = text;
      }
      if (event.data.length) yield { ...event, data: event.data.join('\n') };
    }
  }
}
