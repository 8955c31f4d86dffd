import { createMessageService, ProblemError, type MessageService, type Problem, type components } from 'message-service-client';

import { answered, explain, heard, isTemporary, problemOf } from './answers.ts';
import { calls } from './calls.ts';
import { Emitter } from './emitter.ts';

/** Seconds for which a token is made. */
const tokenLives = 3600;
/** A token that expires sooner than this, in milliseconds, is replaced before it is used. */
const renewBefore = 60_000;
/** What may follow `Bearer` (RFC 6750). */
const bearer = /^[\w.~+/-]+=*$/;

type Token = components['schemas']['CreatedToken'];
type Tokens = Map<string, Promise<Token>>;

/** Why nothing is sent with a credential of before the last sign in. */
export const notUsed: Problem = problemOf(401, 'Ended', 'It belongs to a credential that is no longer used.');

/**
 * For whom the page makes its requests: nobody in particular while the server does not ask, and then by the
 * credential that the user has entered. It is held in memory only, so that a reload forgets it. With a service key
 * the page makes a token for each user it shows, or if the key may not, it uses the key for all of them. With the
 * token of a user it acts as that user only.
 */
class Session extends Emitter {
  /** Whether the server requires a credential and has none that it accepts. */
  isRefused = false;
  /** Whether the user is being asked for one. */
  isAsking = false;
  /** Whether one is being tried. */
  isTrying = false;
  /** Why the last one was refused. */
  reason = '';
  /** How often the user has signed in. */
  signIns = 0;
  /** The user whose token was entered. */
  user: string | undefined;
  #credential: string | undefined;
  /** The tokens that were made with the credential, by user; undefined if it makes none. */
  #tokens: Tokens | undefined;

  get isSignedIn(): boolean {
    return this.#credential !== undefined;
  }

  /** Whether requests can be made as a user. */
  actsAs(user: string): boolean {
    return this.user === undefined || this.user === user;
  }

  /** Takes a credential if the server accepts it; `shown` is the user for whom a key makes its first token. */
  async signIn(credential: string, shown: string): Promise<void> {
    if (!bearer.test(credential)) return this.ask(true, 'This is neither a service key nor the token of a user.');
    let wasTold = false;
    const wait = (reason: unknown): void => {
      if (!isTemporary(reason) || (wasTold && !this.isAsking)) return; // who does not want to be asked is not asked again
      wasTold = true;
      this.#insist(`Not done yet, but tried again. ${explain(reason)}`);
    };
    this.isTrying = true;
    try {
      const user = subjectOf(credential);
      const tokens: Tokens = new Map();
      const makesTokens = user === undefined && await tryToken(tokens, credential, shown);
      if (user !== undefined) await answered(withCredential(credential, wait).GET('/v1/users/{userId}/conversations', { params: { path: { userId: user }, query: { limit: 1 } } }));
      this.#credential = credential;
      this.#tokens = makesTokens ? tokens : undefined;
      this.user = user;
      this.signIns++;
      this.isRefused = this.isTrying = false;
      this.ask(false);
    } catch (error) {
      this.isTrying = false;
      this.#insist(explain(error));
    }
  }

  /** Asks for a credential, or no longer. */
  ask(isAsking: boolean, reason = ''): void {
    this.isAsking = isAsking;
    this.reason = reason;
    this.emit();
  }

  /** Asks for a credential once the server has refused a request with this header. */
  refused(authorization: string | null, { detail }: Problem): void {
    const current = this.#credential === undefined ? null : `Bearer ${this.#credential}`;
    if (authorization !== current || this.isRefused) return;
    this.#insist(this.isSignedIn ? detail : '');
  }

  #insist(reason: string): void {
    this.isRefused = true;
    this.ask(true, reason);
  }

  /** The credential for requests as a user, or of the page itself, or where it comes from; undefined while none is needed. */
  source(user: string | undefined): string | (() => Promise<string>) | undefined {
    const [credential, tokens] = [this.#credential, this.#tokens];
    if (credential === undefined || user === undefined || !tokens) return credential;
    let last: string | undefined;
    return async () => {
      if (tokens !== this.#tokens) throw new ProblemError(notUsed);
      last = await this.#tokenOf(tokens, user, credential, last); // it is asked again only if the last one was refused
      return last;
    };
  }

  async #tokenOf(tokens: Tokens, user: string, key: string, refused: string | undefined): Promise<string> {
    const known = await tokens.get(user)?.catch(() => undefined);
    if (known && known.token !== refused && Date.parse(known.expiresAt) - Date.now() > renewBefore) return known.token;
    try {
      return (await makeToken(tokens, key, user)).token;
    } catch (error) {
      if (isProblem(error, 422)) return key; // it is not the id of a user, for which the request itself is refused, too
      if (isProblem(error, 401)) this.refused(`Bearer ${key}`, error.problem);
      throw error;
    }
  }
}

function makeToken(tokens: Tokens, key: string, userId: string): Promise<Token> {
  const token = answered(withCredential(key).POST('/v1/tokens', { body: { userId, ttlSeconds: tokenLives } }));
  tokens.set(userId, token);
  return token;
}

/** Whether tokens can be made with a key: it may lack the scope (403), and the server a secret to sign with (409). */
async function tryToken(tokens: Tokens, key: string, user: string): Promise<boolean> {
  try {
    await makeToken(tokens, key, user);
    return true;
  } catch (error) {
    if (isProblem(error, 403, 409, 422)) return error.problem.status === 422;
    throw error;
  }
}

const isProblem = (error: unknown, ...statuses: number[]): error is ProblemError => error instanceof ProblemError && statuses.includes(error.problem.status);

/** The user of a token, which is a JWT; undefined for a service key. */
function subjectOf(credential: string): string | undefined {
  const [, claims = ''] = credential.split('.');
  try {
    const bytes = Uint8Array.from(atob(claims.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
    const { sub }: { sub?: unknown } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}

/** A client for requests with a credential of the page. */
function withCredential(token: string, failed: (reason: unknown) => void = () => undefined): MessageService {
  return createMessageService(location.origin, { token, fetch: (request) => heard(calls.fetch(request, false), failed) });
}

export const session = new Session();
