import { operations } from '../../swagger-ui/contract.js';
import { samples } from '../../swagger-ui/snippets.js';

import type { Call } from './calls.ts';
import { session } from './session.ts';

type Operation = ReturnType<typeof operations>[number];

/** The languages of the samples, with their names. */
export const languages = { curl: 'curl', go: 'Go', typescript: 'TypeScript', python: 'Python' } as const;
export type Language = keyof typeof languages;

let contract: Promise<Operation[]> | undefined;

/** The operations of the contract that the server serves. The API documentation makes its samples from the same. */
function load(): Promise<Operation[]> {
  contract ??= fetch('/openapi.json').then(async (response) => {
    if (!response.ok) throw new Error(response.statusText);
    return operations(await response.json());
  });
  contract.catch(() => { contract = undefined; });
  return contract;
}

/** The summary of an operation, and code for a request in each language. */
export interface Sample {
  readonly summary: string;
  readonly code: Readonly<Record<Language, string>>;
}

/** The sample for a request; undefined if no operation of the contract matches it. */
export async function sampleOf(call: Call): Promise<Sample | undefined> {
  for (const operation of await load()) {
    const path = operation.method.toUpperCase() === call.method ? match(operation.path, call.url.pathname) : undefined;
    if (!path) continue;
    const values = {
      path,
      query: Object.fromEntries(call.url.searchParams),
      header: Object.fromEntries(operation.parameters.filter((p) => p.in === 'header').map((p) => [p.name, call.headers[p.name.toLowerCase()]])),
      body: call.body,
      token: session.isSignedIn,
      accept: call.headers['accept']?.includes('text/event-stream') ? 'text/event-stream' : undefined,
    };
    return { summary: operation.summary, code: samples(operation, values, location.origin) as Record<Language, string> };
  }
  return undefined;
}

/** The parameters of a path by name; undefined if the path does not match the template. */
function match(template: string, path: string): Record<string, string> | undefined {
  const names: string[] = [];
  const pattern = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return '([^/]+)';
  });
  const found = new RegExp(`^${pattern}$`).exec(path);
  return found ? Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? '')])) : undefined;
}
