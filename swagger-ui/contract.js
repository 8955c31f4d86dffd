// Reads the operations of an OpenAPI document, with references resolved, so that neither this
// file nor the page repeats a name, a limit or a type of the contract.

// resolver returns a function that resolves references within a document.
export const resolver = (document) => {
  const resolve = (node) => (node && node.$ref
    ? resolve(node.$ref.slice(2).split('/').reduce((part, name) => part[name], document))
    : node);
  return resolve;
};

export const nameOf = (node) => (node && node.$ref ? node.$ref.split('/').pop() : undefined);

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

// operations lists the operations in the order of the document, each with
// - id, tag, method, path, summary, description;
// - parameters: { name, in, required, description, schema, type, example }, the type being
//   the name of the schema;
// - body, where there is one: { name, required, schema, members, examples }, members
//   being its properties by name, each { name, schema }, the name that of its schema;
//   titles are those of the examples;
// - schemes: the names of the security schemes it accepts, none if it is public; access, its x-access;
// - answers: { status, description, headers, content };
// - media: the media types of the successful answer.
export function operations(document) {
  const resolve = resolver(document);
  return Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item).filter((name) => METHODS.includes(name)).map((method) => {
    const operation = item[method];
    const answers = Object.entries(operation.responses).map(([status, answer]) => ({ status, ...resolve(answer) }));
    return {
      id: operation.operationId,
      tag: operation.tags[0],
      method,
      path,
      summary: operation.summary,
      description: operation.description,
      parameters: [...(item.parameters || []), ...(operation.parameters || [])].map(resolve)
        .map((parameter) => ({ ...parameter, type: nameOf(parameter.schema), schema: resolve(parameter.schema) })),
      body: readBody(resolve, operation.requestBody),
      schemes: (operation.security ?? document.security).flatMap(Object.keys),
      access: operation['x-access'],
      answers,
      media: Object.keys(answers.find(({ status }) => status.startsWith('2')).content || {}),
    };
  }));
}

function readBody(resolve, requestBody) {
  if (!requestBody) return undefined;
  const content = resolve(requestBody).content['application/json'];
  const schema = resolve(content.schema);
  return {
    name: nameOf(content.schema),
    required: schema.required || [],
    schema,
    members: Object.fromEntries(Object.entries(schema.properties).map(([name, member]) => [name, { name: nameOf(member), schema: resolve(member) }])),
    examples: Object.values(content.examples || {}).map((example) => resolve(example).value),
    titles: Object.values(content.examples || {}).map((example) => resolve(example).summary),
  };
}

// How many rows a table of members has at most, if it can be made shorter.
const most = 30;

// fieldsOf lists the members of a schema, each followed by the members of its own schema:
// { name, depth, type, required, limits, description }. The members of a schema are listed
// only once, and as deep as a table has room for, at most three levels: the name of a schema leads to the rest.
export function fieldsOf(document, node) {
  const [whole, shorter, shortest] = [2, 1, 0].map((deepest) => membersOf(document, node, deepest));
  return [whole, shorter].find((fields) => fields.length <= most) ?? shortest;
}

function membersOf(document, node, deepest, depth = 0, listed = new Set()) {
  const resolve = resolver(document);
  const schema = resolve(node) || {};
  listed.add(nameOf(node));
  return Object.entries(schema.properties || {}).flatMap(([name, member]) => {
    const resolved = resolve(member);
    const inner = resolved.type === 'array' ? resolved.items : member;
    const field = {
      name,
      depth,
      type: describeType(resolve, member),
      required: (schema.required || []).includes(name),
      limits: limitsOf(resolved),
      description: resolved.description,
    };
    const isLeaf = depth === deepest || listed.has(nameOf(inner)) || !resolve(inner).properties;
    return [field, ...(isLeaf ? [] : membersOf(document, inner, deepest, depth + 1, listed))];
  });
}

// namesIn lists the names of an operation's parameters and of the members of its request and
// answers, each once, with the kind of its first occurrence.
export function namesIn(document, operation) {
  const names = new Map(operation.parameters.map(({ name }) => [name, 'parameter']));
  const add = (schema, kind) => fieldsOf(document, schema).forEach(({ name }) => names.has(name) || names.set(name, kind));
  if (operation.body) add(operation.body.schema, 'in the request');
  for (const { status, content } of operation.answers) {
    if (status.startsWith('2')) Object.values(content || {}).forEach((media) => add(media['x-itemSchema'] || media.schema, 'in the answer'));
  }
  return [...names].map(([name, kind]) => ({ name, kind }));
}

function describeType(resolve, node) {
  const schema = resolve(node);
  if (schema.type === 'array') return `array of ${nameOf(schema.items) || resolve(schema.items).type}`;
  if (schema.type === 'object') return schema.properties ? nameOf(node) || 'object' : 'object';
  return { uuid: 'UUID', 'date-time': 'time' }[schema.format] || schema.type;
}

export const typeOf = ({ schema }) => describeType((node) => node, schema);

// limitsOf describes the constraints of a schema beyond its type in a few words.
export function limitsOf(schema) {
  const range = (low, high, unit) => {
    if (low === undefined && high === undefined) return [];
    const [from, to] = [low, high].map((n) => n?.toLocaleString('en'));
    if (low === high) return [`${to}${unit}`];
    if (low === undefined || (low === 0 && unit)) return [`at most ${to}${unit}`];
    return [high === undefined ? `at least ${from}${unit}` : `${from} to ${to}${unit}`];
  };
  const values = schema.enum || schema['x-extensible-enum'];
  return [
    ...(values || schema.format === 'uuid' || schema.format === 'date-time' ? [] : range(schema.minLength, schema.maxLength, ' characters')),
    ...range(schema.minimum, schema.maximum, ''),
    ...range(schema.minItems, schema.maxItems, ' entries'),
    ...(values ? [values.join(' or ')] : []),
    ...(schema.nullable ? ['or null'] : []),
    ...(schema.default === undefined ? [] : [`default ${schema.default}`]),
    ...(schema.deprecated ? ['deprecated'] : []),
  ].join(', ');
}
