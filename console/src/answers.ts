import { ProblemError, type Problem } from 'message-service-client';

import { named } from './text.ts';

const problemDocument = 'application/problem+json';

/** Waits for an answer and returns its data; throws a {@link ProblemError} if it is a problem. */
export async function answered<T>(answer: Promise<{ data?: T; error?: Problem }>): Promise<T> {
  const { data, error } = await answer;
  if (error) throw new ProblemError(error);
  return data as T;
}

/** A problem of this page's own making, or that takes the place of what a proxy says. */
export const problemOf = (status: number, title: string, detail: string): Problem => ({ type: 'about:blank', title, status, instance: 'about:blank', detail });

/** A refusal, as the service would answer. */
export function refusal(problem: Problem, headers = new Headers()): Response {
  const response = new Response(JSON.stringify(problem), { status: problem.status, headers });
  response.headers.delete('Content-Length');
  response.headers.set('Content-Type', problemDocument);
  return response;
}

/** Waits for an answer, and tells why it is a refusal or does not come. A refusal that is no problem document becomes one: that of a proxy may be anything. */
export async function heard(answer: Promise<Response>, failed: (reason: unknown) => void): Promise<Response> {
  const response = await answer.catch((error: unknown) => {
    failed(error);
    throw error;
  });
  if (response.ok) return response;
  const { status, headers } = response;
  const said: Partial<Problem> | null = headers.get('Content-Type')?.startsWith(problemDocument) ? await response.json().catch(() => null) : null;
  const problem = { ...problemOf(status, 'Refused', `Answered ${status}, and not by the service.`), ...(typeof said?.detail === 'string' && said), status };
  failed(new ProblemError(problem));
  return refusal(problem, headers);
}

/** The text to show for an error. `entries` are those of a list in the request, which an error names by their places. */
export function explain(error: unknown, entries: readonly string[] = []): string {
  if (error instanceof ProblemError) {
    const { status, detail, errors, type } = error.problem;
    if (type?.endsWith(':credential-required')) return 'This server answers only with a credential: sign in.'; // which the detail has no word for
    const first = status === 404 ? undefined : errors?.[0]; // what is not there is clearer than which parameter named it
    if (!first?.detail) return detail;
    return `${first.parameter ?? named(first.pointer ?? '', entries)} ${first.detail}.`.trim();
  }
  return 'There is no answer from the server.';
}

/** Whether the same request may succeed later. */
export function isTemporary(error: unknown): boolean {
  return !(error instanceof ProblemError) || error.problem.status === 429 || error.problem.status >= 500;
}
