import type { Limits } from 'message-service-client';

import { answered, background } from '../api.ts';

let asked: Promise<Limits> | undefined;

/** The sizes the service accepts. They stay the same while it runs, so it is asked once, and again only if it did not answer. */
export function limits(): Promise<Limits> {
  asked ??= answered(background.GET('/v1/limits'));
  asked.catch(() => { asked = undefined; });
  return asked;
}
