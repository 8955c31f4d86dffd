import { escape } from './literal.js';

// addressOf returns the URL of a request, and the headers but for those of its body.
export function addressOf(request) {
  const path = request.path.replace(/\{(\w+)\}/g, (_, name) => (
    encodeURIComponent(request.parameters.find((p) => p.in === 'path' && p.name === name).value)));
  const query = new URLSearchParams(request.parameters.filter((p) => p.in === 'query').map((p) => [p.name, p.value]));
  const given = request.parameters.filter((p) => p.in === 'header').map((p) => [p.name, p.value]);
  return {
    url: `${request.origin}${path}${query.size ? `?${query}` : ''}`,
    headers: Object.fromEntries([...(request.accept ? [['Accept', request.accept]] : []), ...given]),
  };
}

// curl writes a command for a POSIX shell and curl 7.82 or newer.
export function curl(request) {
  const { url, headers } = addressOf(request);
  const usual = request.body ? 'post' : 'get';
  return [
    `curl ${request.stream === 'events' ? '-N ' : ''}${request.method === usual ? '' : `-X ${request.method.toUpperCase()} `}${word(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${word(`${name}: ${value}`)}`),
    ...(request.body ? [`--json ${word(compact(request.body.text))}`] : []),
  ].join(' \\\n  ');
}

// word quotes for a shell, where that is needed.
const word = (text) => (/^[\w.:/~@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// compact writes JSON as people do on a command line. What is not JSON is sent as it is.
function compact(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  // White space between members goes; numbers keep every digit, so nothing is parsed.
  return text.trim().replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string) => string ?? '')
    .replace(/("(?:[^"\\]|\\.)*")|([,:])/g, (_, string, mark) => (string === undefined ? `${mark} ` : escape(string)));
}
