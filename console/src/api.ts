import { createMessageService, ProblemError, type MessageService } from 'message-service-client';

import { explain, heard, refusal } from './answers.ts';
import { calls } from './calls.ts';
import { sayStatus } from './dom.ts';
import { notUsed, session } from './session.ts';

/** How a request is listed: as one that follows an action of the user, as one that the page makes by itself, or not at all. */
type Listed = 'action' | 'page' | 'no';

/** Those of the last sign in. */
const clients = new Map<string, MessageService>();
let { signIns: clientsSince } = session;

/** A client of the service that served this page, for requests as a user. */
function clientOf(user: string | undefined, listed: Listed): MessageService {
  if (session.signIns !== clientsSince) clients.clear();
  clientsSince = session.signIns;
  const name = `${listed} ${user ?? ''}`;
  const client = clients.get(name) ?? make(user, listed);
  clients.set(name, client);
  return client;
}

function make(user: string | undefined, listed: Listed, refused?: (reason: string) => void): MessageService {
  const { signIns } = session;
  const failed = (request: Request, reason: unknown): void => {
    if (reason instanceof ProblemError && reason.problem.status === 401) session.refused(request.headers.get('Authorization'), reason.problem);
    if (refused) refused(explain(reason));
    else if (listed === 'action') waits(request, explain(reason));
  };
  const client = createMessageService(location.origin, {
    token: session.source(user),
    fetch: async (request) => {
      if (session.signIns !== signIns) return refusal(notUsed); // what was to be sent, or sent again, with a credential of before the last sign in
      return heard(listed === 'no' ? fetch(request) : calls.fetch(request, listed === 'action'), (reason) => failed(request, reason));
    },
  });
  client.use({ onResponse: ({ request }) => waitsNoMore(request), onError: ({ request }) => waitsNoMore(request) });
  return client;
}

/** Why requests that follow an action are not done so far, by what they are. */
const waiting = new Map<string, string>();
/** Milliseconds after which a refusal that was not the last answer is shown. */
const shownAfter = 300;

const nameOf = ({ method, url }: Request): string => `${method} ${url}`;
const showWaiting = (): void => sayStatus([...waiting.values()].at(-1) ?? '');

function waits(request: Request, reason: string): void {
  waiting.set(nameOf(request), `Not done yet, but tried again. ${reason}`);
  setTimeout(showWaiting, shownAfter);
}

function waitsNoMore(request: Request): void {
  if (waiting.delete(nameOf(request))) showWaiting();
}

/** A client for requests as a user, that follow an action of the user of this page. */
export const api = (user: string): MessageService => clientOf(user, 'action');
/** The same, for one request. `refused` is told why each attempt failed, also those after which it is made again. */
export const attempts = (user: string, refused: (reason: string) => void): MessageService => make(user, 'action', refused);
/** The same, for requests that the page makes by itself. */
export const background = (user: string): MessageService => clientOf(user, 'page');
/** A client for requests about the service, which no user makes. */
export const service = (listed: Listed): MessageService => clientOf(undefined, listed);
