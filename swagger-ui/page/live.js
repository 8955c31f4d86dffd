// The answer to a request that was executed.
export const live = (system) => {
  const h = system.React.createElement;

  function LiveAnswer({ response, getComponent }) {
    if (!response || !response.size) return null;
    const Code = getComponent('Code');
    const headers = response.get('headers')?.toJS() ?? {};
    const status = response.get('status');
    const isJSON = /^application\/(problem\+)?json\b/.test(headers['content-type']);
    const body = response.get('text');
    const text = typeof body === 'string' ? body : ''; // an answer without a content type, such as 204, is an empty Blob
    return h(
      'div', { className: 'live' },
      h(
        'p', { role: 'status' },
        status ? h('strong', { className: status < 400 ? 'status' : 'status bad' }, status) : h('strong', { className: 'status bad' }, 'No answer'),
        response.get('duration') !== undefined && ` in ${response.get('duration')} ms`,
        !status && ' The server cannot be reached.',
      ),
      text && h(Code, { text: isJSON ? pretty(text) : text, syntax: isJSON ? 'json' : undefined, getComponent, role: 'group', 'aria-label': 'Answer' }),
      status && h('details', null, h('summary', null, 'Headers'), h('pre', { tabIndex: 0 }, Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\n'))),
    );
  }

  return { components: { LiveAnswer } };
};

export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
