import type { components } from './schema.js';

/** A problem document (RFC 9457). Switch on `type`. */
export type Problem = components['schemas']['Problem'];

/** The type of a problem of the service. */
export const problemType = (name: string): string => `urn:problem-type:message-service:${name}`;

/** A {@link Problem} as an error to throw. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.status} ${problem.title}: ${problem.detail} (${problem.instance})`);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** Returns an error answer of a proxy as a problem document; undefined if it is one already, or no error. */
export function asProblem(response: Response): Response | undefined {
  if (response.ok || response.headers.get('Content-Type')?.startsWith('application/problem+json')) return undefined;
  // An unread body would keep its connection open.
  response.body?.cancel().catch(() => undefined);
  const problem: Problem = {
    type: 'about:blank',
    title: response.statusText || 'Error',
    status: response.status,
    detail: `Answered ${response.status} ${response.statusText}`.trim() + ', and not by the service.',
    instance: response.url,
  };
  const headers = new Headers(response.headers);
  for (const name of ['Content-Length', 'Content-Encoding']) headers.delete(name);
  headers.set('Content-Type', 'application/problem+json');
  const { status, statusText } = response;
  return new Response(JSON.stringify(problem), { status, statusText, headers });
}
