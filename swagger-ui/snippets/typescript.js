import { boolean, integer, isObject, members, quote } from './literal.js';

// typescript writes a module.
export function typescript(request) {
  const create = `const api = createMessageService(${string(request.origin)}${request.token ? ', { token: process.env.TOKEN }' : ''});`;
  const path = request.parameters.filter((p) => p.in === 'path').map((p) => string(p.value));
  if (request.stream) {
    const after = request.parameters.find((p) => p.name === 'after');
    const [name, item] = request.stream === 'events' ? ['followChanges', 'change'] : [request.id, 'record'];
    const args = ['api', ...path, ...(request.stream === 'events' && after ? [`{ after: ${string(after.value)} }`] : [])];
    return [
      `import { createMessageService, ${name} } from 'message-service-client';`, '',
      create, '',
      `for await (const ${item} of ${name}(${args.join(', ')})) {`,
      `  console.log(${item});`,
      '}', '',
    ].join('\n');
  }
  const options = {};
  const value = ({ schema, value }) => {
    if (schema.type === 'boolean') return boolean(String(value));
    return schema.type === 'integer' ? Number(integer(value)) : value;
  };
  for (const p of request.parameters) {
    options.params ??= {};
    options.params[p.in] ??= {};
    options.params[p.in][p.name] = value(p);
  }
  if (request.body) options.body = Object.fromEntries(members(request.body).map((m) => [m.name, m.value]));
  const args = [string(request.path), ...(Object.keys(options).length ? [literal(options)] : [])];
  return [
    "import { createMessageService, ProblemError } from 'message-service-client';", '',
    create, '',
    `const { ${request.media.length ? 'data, ' : ''}error } = await api.${request.method.toUpperCase()}(${args.join(', ')});`,
    'if (error) throw new ProblemError(error);',
    ...(request.media.length ? ['console.log(data);'] : []), '',
  ].join('\n');
}

// string uses single quotes, as the SDK does.
const string = (value) => `'${quote(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

const key = (name) => {
  if (name === '__proto__') return "['__proto__']"; // without brackets it would set the prototype
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : string(name);
};

// literal writes a value with one line for each member; a nested value goes on one line if it fits.
function literal(value, indent = '') {
  if (typeof value === 'string') return string(value);
  if (!Array.isArray(value) && !isObject(value)) return quote(value);
  const deeper = `${indent}  `;
  const write = (inner) => (Array.isArray(value)
    ? value.map((item) => literal(item, inner))
    : Object.entries(value).map(([name, member]) => `${key(name)}: ${literal(member, inner)}`));
  const [open, close, space] = Array.isArray(value) ? ['[', ']', ''] : ['{', '}', ' '];
  const entries = write(deeper);
  if (!entries.length) return open + close;
  const line = `${open}${space}${entries.join(', ')}${space}${close}`;
  const fits = indent && !line.includes('\n') && indent.length + line.length <= 68;
  return fits ? line : `${open}\n${entries.map((entry) => `${deeper}${entry},\n`).join('')}${indent}${close}`;
}
