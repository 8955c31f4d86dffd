// Names and literals, for all languages.

// quote returns a literal of a number, string or boolean that is valid in Go, JavaScript and
// Python. (Python's booleans differ: its caller writes them.)
export function quote(value) {
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new Error('a number beyond 53 bits');
  return escape(JSON.stringify(value));
}

// escape replaces invisible characters in a literal by \u escapes. Among them are bidirectional
// controls, with which a text could make the code around it look like other code (CVE-2021-42574).
export const escape = (literal) => literal.replace(
  /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
);

// integer returns the literal of an integer of up to 15 digits, and throws for any other text.
export function integer(text) {
  if (!/^-?\d{1,15}$/.test(text)) throw new Error('not an integer');
  return String(Number(text));
}

// boolean reads a boolean, and throws for any other text.
export function boolean(text) {
  if (text !== 'true' && text !== 'false') throw new Error('not a boolean');
  return text === 'true';
}

// text returns the literal of a string, and throws for any other value.
export function text(value) {
  if (typeof value !== 'string') throw new Error('not a string');
  return quote(value);
}

const words = (name) => name.replace(/([a-z])([A-Z])/g, '$1 $2').split(/[^A-Za-z0-9]+/);
export const camel = (name) => words(name).map((w) => (/^(id|ttl)$/i.test(w) ? w.toUpperCase() : w[0].toUpperCase() + w.slice(1))).join('');
export const snake = (name) => words(name).map((w) => w.toLowerCase()).join('_');

export const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// members returns the members of a body with their schemas, and throws if one is unknown or has another type.
export function members(body) {
  const value = JSON.parse(body.text);
  if (!isObject(value)) throw new Error('not an object');
  return Object.entries(value).map(([name, member]) => {
    if (!Object.hasOwn(body.members, name)) throw new Error('not a member');
    const { name: type, schema } = body.members[name];
    if (schema.type === 'string' && !(schema.nullable && member === null)) text(member);
    else quote(member);
    return { name, value: member, required: body.required.includes(name), type, schema };
  });
}
