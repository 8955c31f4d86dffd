// Reads what an OpenAPI document says of its operations, with references followed, so
// that nothing here or in the page repeats a name, a limit or a type of the contract.

// resolver follows references inside a document.
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
// - parameters: { name, in, required, description, schema, example };
// - body, where there is one: { name, required, schema, members, examples }, members
//   being its properties by name, each { name, schema }, the name that of its schema;
// - answers: { status, description, headers, content };
// - media: the media types of the answer that says all went well.
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
        .map((parameter) => ({ ...parameter, schema: resolve(parameter.schema) })),
      body: readBody(resolve, operation.requestBody),
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
  };
}
