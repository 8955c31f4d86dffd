import { ProblemError, type Problem } from 'message-service-client';

import { named } from './text.ts';

/** Waits for an answer and returns its data; throws a {@link ProblemError} if it is a problem. */
export async function answered<T>(answer: Promise<{ data?: T; error?: Problem }>): Promise<T> {
  const { data, error } = await answer;
  if (error) throw new ProblemError(error);
  return data as T;
}

/** The text to show for an error. `entries` are those of a list in the request, which an error names by their places. */
export function explain(error: unknown, entries: readonly string[] = []): string {
  if (error instanceof ProblemError) {
    const { status, detail, errors, type } = error.problem;
    if (type?.endsWith(':credential-required')) return 'This server answers only with a credential: sign in.'; // which the detail has no word for
    const first = status === 404 ? undefined : errors?.[0]; // what is not there is clearer than which parameter named it
    if (!first) return detail;
    return `${first.parameter ?? named(first.pointer ?? '', entries)} ${first.detail}.`.trim();
  }
  return 'There is no answer from the server.';
}

/** Whether the same request may succeed later. */
export function isTemporary(error: unknown): boolean {
  return !(error instanceof ProblemError) || error.problem.status === 429 || error.problem.status >= 500;
}
