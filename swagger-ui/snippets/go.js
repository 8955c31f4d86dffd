import { nameOf } from '../contract.js';
import { boolean, camel, integer, members, quote, text } from './literal.js';

const REPOSITORY = 'github.com/message-service/message-service';
const PACKAGES = {
  context: 'context', fmt: 'fmt', log: 'log', os: 'os', time: 'time',
  uuid: 'github.com/google/uuid', nullable: 'github.com/oapi-codegen/nullable',
  messageservice: `${REPOSITORY}/api/messageservice`, client: `${REPOSITORY}/gen/client`,
};

// go writes a program, formatted as by gofmt.
export function go(request) {
  const before = [];
  const value = (name, schema, given, required, type) => {
    if (schema.nullable) {
      const isTime = schema.format === 'date-time';
      if (given === null) return `nullable.NewNullNullable[${isTime ? 'time.Time' : 'map[string]any'}]()`;
      return `nullable.NewNullableWithValue(${isTime ? value(name, { ...schema, nullable: false }, given, true) : literal(given)})`;
    }
    if (schema.type === 'object') return literal(given);
    if (schema.type === 'array') return `[]client.${camel(nameOf(schema.items))}{${given.map(text).join(', ')}}`;
    if (schema.format === 'date-time') {
      before.push(`${name}, err := time.Parse(time.RFC3339, ${text(given)})`, ...orFatal);
      return required ? name : `&${name}`;
    }
    if (schema.type === 'integer') {
      const number = `${schema.format}(${integer(String(given))})`;
      return required ? number : `new(${number})`;
    }
    if (schema.type === 'boolean') return required ? `${boolean(String(given))}` : `new(${boolean(String(given))})`;
    const string = schema.format === 'uuid' ? `uuid.MustParse(${text(given)})` : text(given);
    if (required) return string;
    return schema['x-extensible-enum'] ? `new(client.${camel(type)}(${string}))` : `new(${string})`;
  };

  const path = request.parameters.filter((p) => p.in === 'path').map((p) => value(p.name, p.schema, p.value, true));
  let run;
  if (request.stream === 'events') {
    const after = request.parameters.find((p) => p.name === 'after');
    const options = after ? `&messageservice.FollowOptions{After: ${value('after', after.schema, after.value, false)}}` : 'nil';
    run = loop('change', `messageservice.Follow(${['ctx', 'api', ...path, options].join(', ')})`, 'change.Type, change.Cursor');
  } else if (request.stream === 'records') {
    run = loop('record', `messageservice.Export(${['ctx', 'api', ...path].join(', ')})`, 'record.Type');
  } else {
    const args = ['ctx', ...path];
    if (request.declared.some((p) => p.in !== 'path')) {
      const fields = request.parameters.filter((p) => p.in !== 'path').map((p) => [field(p, request.declared), value(p.name, p.schema, p.value, p.required)]);
      args.push(fields.length ? `&${struct(`${camel(request.id)}Params`, fields)}` : 'nil');
    }
    if (request.body) {
      const fields = members(request.body).map((m) => [camel(m.name), value(m.name, m.schema, m.value, m.required, m.type)]);
      args.push(struct(request.body.name, fields));
    }
    const answer = request.media.length ? 'string(answer.Body)' : 'answer.Status()';
    run = [`answer, err := messageservice.Check(${call(`api.${camel(request.id)}WithResponse`, args)})`, ...orFatal, `fmt.Println(${answer})`];
  }
  const create = call('messageservice.New', [quote(request.origin), ...(request.token ? ['messageservice.WithToken(os.Getenv("TOKEN"))'] : [])]);
  return program(['ctx := context.Background()', `api, err := ${create}`, ...orFatal, ...before, ...run]);
}

const orFatal = ['if err != nil {', '\tlog.Fatal(err)', '}'];

// field returns the name of a parameter's field; of two with one name, the generated client marks that of the query.
function field({ name, in: where }, declared) {
  const isShared = declared.filter((p) => camel(p.name) === camel(name)).length > 1;
  return camel(name) + (isShared && where === 'query' ? 'InQuery' : '');
}

// call writes a call, with one line for each argument if the line would be longer than 72 characters.
function call(name, args) {
  const line = `${name}(${args.join(', ')})`;
  if (line.split('\n', 1)[0].length <= 72) return line;
  return `${name}(\n${args.map((arg) => `\t${arg.replaceAll('\n', '\n\t')},\n`).join('')})`;
}

const loop = (name, sequence, shown) => [
  `for ${name}, err := range ${sequence} {`, ...orFatal.map((line) => `\t${line}`), `\tfmt.Println(${shown})`, '}',
];

function struct(name, fields) {
  const width = Math.max(...fields.map(([field]) => field.length));
  const lines = fields.map(([field, value]) => `\t${`${field}:`.padEnd(width + 1)} ${value},\n`);
  return fields.length ? `client.${name}{\n${lines.join('')}}` : `client.${name}{}`;
}

function literal(value) {
  if (Array.isArray(value)) return `[]any{${value.map(literal).join(', ')}}`;
  if (value && typeof value === 'object') return `map[string]any{${Object.entries(value).map(([k, v]) => `${quote(k)}: ${literal(v)}`).join(', ')}}`;
  return value === null ? 'nil' : quote(value);
}

// program puts statements into a main that imports what they use.
function program(statements) {
  const code = statements.join('\n').split('\n').map((line) => (line ? `\t${line}` : line)).join('\n');
  // Literals are blanked, since their text may look like the use of a package.
  const bare = code.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const used = Object.entries(PACKAGES).filter(([name]) => new RegExp(`\\b${name}\\.`).test(bare)).map(([, path]) => `\t${quote(path)}`);
  const isOurs = (line) => line.includes('.');
  const imports = [used.filter((line) => !isOurs(line)), used.filter(isOurs)].map((group) => group.sort().join('\n')).join('\n\n');
  return `package main\n\nimport (\n${imports}\n)\n\nfunc main() {\n${code}\n}\n`;
}
