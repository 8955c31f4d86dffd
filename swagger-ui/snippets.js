'use strict';

// Shows how each SDK makes the request that was tried out. Everything is read from
// the contract: operations, parameters, types. Swagger UI calls a generator with
// the request, an immutable map, and shows the text that comes back.
window.requestSnippets = (specification) => {
  const resolve = (node) => (node && node.$ref
    ? resolve(node.$ref.slice(2).split('/').reduce((part, name) => part[name], specification()))
    : node);
  const refName = (node) => node.$ref && node.$ref.split('/').pop();

  // describe finds the operation of a request and the arguments it was given.
  const describe = (request) => {
    const url = new URL(request.get('url'));
    const method = request.get('method').toLowerCase();
    const headers = Object.fromEntries([...(request.get('headers') || [])].map(([name, value]) => [name.toLowerCase(), value]));
    for (const [template, item] of Object.entries(specification().paths)) {
      const names = [];
      const pattern = template.replace(/\{(\w+)\}/g, (_, name) => { names.push(name); return '([^/]+)'; });
      const match = url.pathname.match(new RegExp(`^${pattern}$`));
      if (!match || !item[method]) continue;
      const operation = item[method];
      const given = (p) => {
        if (p.in === 'path') return decodeURIComponent(match[1 + names.indexOf(p.name)]);
        return (p.in === 'query' ? url.searchParams.get(p.name) : headers[p.name.toLowerCase()]) ?? undefined;
      };
      const declared = [...(item.parameters || []), ...(operation.parameters || [])].map(resolve);
      const content = operation.requestBody && operation.requestBody.content['application/json'];
      const text = request.get('body');
      const [answer] = Object.keys(resolve(operation.responses['200'] || operation.responses['201'] || {}).content || {});
      return {
        origin: url.origin, template, method, id: operation.operationId, tag: operation.tags[0],
        declared,
        parameters: declared.map((p) => ({ name: p.name, in: p.in, schema: resolve(p.schema), value: given(p) })).filter((p) => p.value !== undefined),
        body: text && content && { name: refName(content.schema), schema: resolve(content.schema), value: typeof text === 'string' ? JSON.parse(text) : text.toJS() },
        stream: answer === 'application/x-ndjson',
      };
    }
    throw new Error('The contract has no such operation.');
  };

  // A literal that Go, JavaScript and Python read alike.
  const quote = (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Error('a number beyond 53 bits');
    return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  };
  const integer = (text) => {
    if (!/^-?\d{1,15}$/.test(text)) throw new Error('not an integer');
    return text;
  };
  const words = (name) => name.replace(/([a-z])([A-Z])/g, '$1 $2').split(/[^A-Za-z0-9]+/);
  const camel = (name) => words(name).map((w) => (/^id$/i.test(w) ? 'ID' : w[0].toUpperCase() + w.slice(1))).join('');
  const snake = (name) => words(name).map((w) => w.toLowerCase()).join('_');

  const goLiteral = (value) => {
    if (Array.isArray(value)) return `[]any{${value.map(goLiteral).join(', ')}}`;
    if (value && typeof value === 'object') return `map[string]any{${Object.entries(value).map(([k, v]) => `${quote(k)}: ${goLiteral(v)}`).join(', ')}}`;
    return value === null ? 'nil' : quote(value);
  };

  const go = (request) => {
    const r = describe(request);
    const before = [];
    const value = (name, schema, text, required) => {
      if (schema.nullable) {
        if (text === null) return 'nullable.NewNullNullable[map[string]any]()';
        return `nullable.NewNullableWithValue(${goLiteral(text)})`;
      }
      if (schema.type === 'object') return goLiteral(text);
      if (schema.format === 'date-time') {
        before.push(`${name}, err := time.Parse(time.RFC3339, ${quote(text)})`, 'if err != nil {', '\treturn err', '}');
        return required ? name : `&${name}`;
      }
      const literal = { uuid: `uuid.MustParse(${quote(text)})`, int32: `int32(${text})`, int64: `int64(${text})` }[schema.format] || quote(text);
      if (schema.type === 'integer') integer(String(text));
      if (schema.type === 'string' && typeof text !== 'string') throw new Error('not a string');
      return required ? literal : `new(${literal})`;
    };
    const struct = (name, fields) => (fields.length ? `client.${name}{\n${fields.map((f) => `\t${f},\n`).join('')}}` : `client.${name}{}`);
    const args = ['ctx', ...r.parameters.filter((p) => p.in === 'path').map((p) => value(p.name, p.schema, p.value, true))];
    if (r.declared.some((p) => p.in !== 'path')) {
      const fields = r.parameters.filter((p) => p.in !== 'path').map((p) => `${camel(p.name)}: ${value(p.name, p.schema, p.value, false)}`);
      args.push(fields.length ? `&${struct(`${camel(r.id)}Params`, fields)}` : 'nil');
    }
    if (r.body) {
      const required = r.body.schema.required || [];
      args.push(struct(r.body.name, Object.entries(r.body.value).map(([name, v]) => (
        `${camel(name)}: ${value(name, resolve(r.body.schema.properties[name]), v, required.includes(name))}`))));
    }
    const begin = [`api, err := messageservice.New(${quote(r.origin)})`, 'if err != nil {', '\treturn err', '}', ...before];
    if (r.stream) {
      args.splice(1, 0, 'api');
      return [
        ...begin,
        `for record, err := range messageservice.Export(${args.join(', ')}) {`, '\tif err != nil {', '\t\treturn err', '\t}',
        '\tfmt.Println(record.Type)', '}',
      ].join('\n');
    }
    return [
      ...begin,
      `answer, err := messageservice.Check(api.${camel(r.id)}WithResponse(${args.join(', ')}))`, 'if err != nil {', '\treturn err', '}',
      'fmt.Println(string(answer.Body))',
    ].join('\n');
  };

  const typescript = (request) => {
    const r = describe(request);
    const options = {};
    for (const p of r.parameters) {
      options.params ??= {};
      options.params[p.in] ??= {};
      options.params[p.in][p.name] = p.schema.type === 'integer' ? Number(p.value) : p.value;
    }
    if (r.body) options.body = r.body.value;
    Object.values(r.body ? r.body.value : {}).forEach(quote); // throws at what it cannot write
    if (r.stream) {
      return [
        `import { createMessageService, ${r.id} } from 'message-service-client';`, '',
        `const api = createMessageService(${quote(r.origin)});`,
        `for await (const record of ${r.id}(${['api', ...r.parameters.map((p) => quote(p.value))].join(', ')})) {`,
        '  console.log(record);',
        '}',
      ].join('\n');
    }
    const second = Object.keys(options).length ? `, ${JSON.stringify(options, null, 2)}` : '';
    return [
      "import { createMessageService } from 'message-service-client';", '',
      `const api = createMessageService(${quote(r.origin)});`,
      `const { data, error } = await api.${r.method.toUpperCase()}(${quote(r.template)}${second});`,
      'if (error) throw new Error(error.detail);',
      'console.log(data);',
    ].join('\n');
  };

  const pythonLiteral = (value) => {
    if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
    if (value && typeof value === 'object') return `{${Object.entries(value).map(([k, v]) => `${quote(k)}: ${pythonLiteral(v)}`).join(', ')}}`;
    return { null: 'None', true: 'True', false: 'False' }[String(value)] && typeof value !== 'string'
      ? { null: 'None', true: 'True', false: 'False' }[String(value)] : quote(value);
  };

  const python = (request) => {
    const r = describe(request);
    const imports = new Set();
    const value = (schema, text) => {
      if (schema.format === 'uuid') return imports.add('from uuid import UUID') && `UUID(${quote(text)})`;
      if (schema.format === 'date-time') return imports.add('from datetime import datetime') && `datetime.fromisoformat(${quote(text)})`;
      return schema.type === 'integer' ? integer(text) : quote(text);
    };
    // The generator tells parameters of one name apart by where they are.
    const isShared = (name) => r.declared.filter((p) => snake(p.name) === name).length > 1;
    const named = (p) => (isShared(snake(p.name)) ? `${snake(p.name)}_${p.in}` : snake(p.name));
    const args = r.parameters.map((p) => `${named(p)}=${value(p.schema, p.value)}`);
    if (r.body) {
      imports.add(`from message_service_client.models import ${r.body.name}`);
      args.push(`body=${r.body.name}.from_dict(${pythonLiteral(r.body.value)})`);
    }
    const name = snake(r.id);
    imports.add('from message_service_client import Client');
    if (r.stream) imports.add('from message_service_client.types import File');
    imports.add(`from message_service_client.api.${snake(r.tag)} import ${name}`);
    return [
      ...[...imports].sort(), '',
      `with Client(base_url=${quote(r.origin)}) as client:`,
      `    answer = ${name}.sync(`,
      ...['client=client', ...args].map((a) => `        ${a},`),
      '    )',
      ...(r.stream ? ['    if isinstance(answer, File):', '        for line in answer.payload:', '            print(line)'] : ['    print(answer)']),
    ].join('\n');
  };

  // Swagger UI shows nothing of an answer when a generator throws, and any text can
  // be sent as a body.
  const safely = (generate) => (request) => {
    try {
      return generate(request);
    } catch {
      return 'This request cannot be made with the SDK.';
    }
  };
  return { go: safely(go), typescript: safely(typescript), python: safely(python) };
};
