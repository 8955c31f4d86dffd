import { escape } from './literal.js';

// addressOf returns the URL of a request and its headers, except for those of a body.
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
    ...(request.token ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...Object.entries(headers).map(([name, value]) => `-H ${word(`${name}: ${value}`)}`),
    ...(request.body ? [`--json ${word(compact(request.body.text))}`] : []),
  ].join(' \\\n  ');
}

// word quotes a word for a shell if necessary. Some take a ~ for a directory, or for a pattern (zsh with extended_glob).
const word = (text) => (/^[\w.:/@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// compact writes JSON on one line, with a space after commas and colons. Invalid JSON stays as it is.
function compact(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  // By text replacement, since parsing would lose digits of large numbers.
  return text.trim().replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string) => string ?? '')
    .replace(/("(?:[^"\\]|\\.)*")|([,:])/g, (_, string, mark) => (string === undefined ? `${mark} ` : escape(string)));
}
