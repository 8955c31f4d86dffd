import type { Limits } from 'message-service-client';

import { answered } from '../answers.ts';
import { service } from '../api.ts';

let asked: Promise<Limits> | undefined;

/** The limits of the service. They do not change while it runs, so they are requested once, and again only after a failure. */
export function limits(): Promise<Limits> {
  asked ??= answered(service('page').GET('/v1/limits'));
  asked.catch(() => { asked = undefined; });
  return asked;
}
