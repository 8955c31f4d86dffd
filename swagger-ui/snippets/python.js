import { boolean, integer, members, quote, snake, text } from './literal.js';

// python writes a program.
export function python(request) {
  const imports = new Set(['from message_service_client import Client']);
  const value = (schema, given) => {
    if (schema.format === 'uuid') return imports.add('from uuid import UUID') && `UUID(${text(given)})`;
    if (schema.format === 'date-time') return imports.add('from datetime import datetime') && `datetime.fromisoformat(${text(given)})`;
    if (schema.type === 'boolean') return boolean(String(given)) ? 'True' : 'False';
    return schema.type === 'integer' ? integer(String(given)) : text(given);
  };

  if (request.stream === 'events') {
    imports.add('from message_service_client.changes import follow_changes');
    const after = request.parameters.filter((p) => p.name === 'after').map((p) => `after=${value(p.schema, p.value)}`);
    const path = request.parameters.filter((p) => p.in === 'path').map((p) => value(p.schema, p.value));
    const args = [...path, 'client=client', ...after];
    return program(imports, request, [`for change in follow_changes(${args.join(', ')}):`, '    print(change)']);
  }

  // The generator adds the location to parameters that share a name, as in last_event_id_header.
  const isShared = (name) => request.declared.filter((p) => snake(p.name) === name).length > 1;
  const named = (p) => (isShared(snake(p.name)) ? `${snake(p.name)}_${p.in}` : snake(p.name));
  const args = ['client=client', ...request.parameters.map((p) => `${named(p)}=${value(p.schema, p.value)}`)];
  const models = ['Problem'];
  if (request.body) args.push(`body=${model(request.body, value, models)}`);
  const name = snake(request.id);
  imports.add(`from message_service_client.api.${snake(request.tag)} import ${name}`);
  if (request.stream === 'records') imports.add('from message_service_client.types import File');
  else imports.add(`from message_service_client.models import ${models.sort().join(', ')}`);
  const shown = request.media.length ? ['print(answer)'] : [];
  return program(imports, request, [
    `answer = ${name}.sync(`, ...args.map((arg) => `    ${arg.replaceAll('\n', '\n    ')},`), ')',
    ...(request.stream
      ? ['if isinstance(answer, File):', '    for line in answer.payload:', '        print(line)']
      : ['if isinstance(answer, Problem):', '    raise RuntimeError(answer.detail)', ...shown]),
  ]);
}

// Imports in the order of isort: the standard library first.
function program(imports, { origin, token }, statements) {
  const isOurs = (line) => line.startsWith('from message_service_client');
  const sorted = [...imports].sort();
  const standard = [...(token ? ['import os'] : []), ...sorted.filter((line) => !isOurs(line))];
  return [
    ...standard, ...(standard.length ? [''] : []), ...sorted.filter(isOurs), '',
    `with Client(base_url=${quote(origin)}${token ? ', token=os.environ["TOKEN"]' : ''}) as client:`, ...statements.map((line) => `    ${line.replaceAll('\n', '\n    ')}`), '',
  ].join('\n');
}

// model writes the body. An object without a named schema has no class, and an array has entries of
// its own class, so then the whole body is made from a dictionary.
function model(body, value, models) {
  models.push(body.name);
  const given = members(body);
  const whole = given.some((m) => m.value === null || m.schema.type === 'array' || (m.schema.type === 'object' && !m.type));
  if (whole) return `${body.name}.from_dict(${literal(Object.fromEntries(given.map((m) => [m.name, m.value])))})`;
  const fields = given.map((m) => {
    if (m.schema.type !== 'object') return `${snake(m.name)}=${value(m.schema, m.value)}`;
    models.push(m.type);
    return `${snake(m.name)}=${m.type}.from_dict(${literal(m.value)})`;
  });
  if (!fields.length) return `${body.name}()`;
  return `${body.name}(\n${fields.map((field) => `    ${field},\n`).join('')})`;
}

function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (value && typeof value === 'object') return `{${Object.entries(value).map(([k, v]) => `${quote(k)}: ${literal(v)}`).join(', ')}}`;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return quote(value);
}
