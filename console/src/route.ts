import { takeCredential } from '../../swagger-ui/fragment.js';
import { Emitter } from './emitter.ts';

/** A side of the chat: a user and their peer, by default the user of the next side. */
export interface Side {
  readonly user: string;
  readonly peer?: string | undefined;
}

/** What the page shows. It is in the fragment of the URL, so that a reload or a link leads there. */
export type Route =
  | { readonly screen: 'chat'; readonly sides: readonly Side[] }
  | { readonly screen: 'feed'; readonly user: string }
  | { readonly screen: 'inbox'; readonly user: string; readonly peer?: string | undefined; readonly at?: string | undefined; readonly hidden?: boolean; readonly q?: string | undefined; readonly within?: string | undefined }
  | { readonly screen: 'service' };

export type Screen = Route['screen'];

/** Reads a fragment such as `#/chat/alice/bob`, `#/chat/alice,carol/bob` or `#/inbox/bob/alice?at=…`. */
export function parse(fragment: string): Route {
  const [path = '', query = ''] = fragment.replace(/^#?\/?/, '').split('?', 2);
  // No user id has a comma or a slash in it.
  const [[screen] = [], ...parts] = path.split('/').map((part) => part.split(',').map(decode));
  const options = new URLSearchParams(query);
  const user = parts[0]?.[0] || 'bob';
  switch (screen) {
    case 'feed':
      return { screen, user };
    case 'inbox':
      return { screen, user, peer: parts[1]?.[0] || undefined, at: options.get('at') ?? undefined, hidden: options.has('hidden'), q: options.get('q') ?? undefined, within: options.get('within') ?? undefined };
    case 'service':
      return { screen };
    default: {
      const sides = parts.flatMap(([name, peer]) => (name ? [{ user: name, peer: peer || undefined }] : []));
      return { screen: 'chat', sides: sides.length > 0 ? sides : [{ user: 'alice' }, { user: 'bob' }] };
    }
  }
}

/** Writes a route as a fragment. */
export function format(route: Route): string {
  switch (route.screen) {
    case 'chat':
      return `#/chat/${route.sides.map(({ user, peer }) => encode(user) + (peer === undefined ? '' : `,${encode(peer)}`)).join('/')}`;
    case 'feed':
      return `#/feed/${encode(route.user)}`;
    case 'inbox': {
      const { user, peer, at, hidden, q, within } = route;
      const options = new URLSearchParams({ ...(at && { at }), ...(hidden && { hidden: 'true' }), ...(q && { q }), ...(within && { within }) });
      return `#/inbox/${encode(user)}${peer === undefined ? '' : `/${encode(peer)}`}${options.size > 0 ? `?${options}` : ''}`;
    }
    case 'service':
      return '#/service';
  }
}

// Characters of user ids that are allowed in a fragment stay readable.
const encode = (id: string): string => encodeURIComponent(id).replace(/%(40|3A|7C|2B|3D)/g, decodeURIComponent);

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The user for whom a route is shown. */
export function userOf(route: Route): string {
  return (route.screen === 'chat' ? route.sides[0]?.user : route.screen === 'service' ? undefined : route.user) ?? 'alice';
}

/** A route as it is for somebody who acts for one user only: their side of a chat first, and their own feed and inbox. */
function restrict(route: Route, user: string): Route {
  switch (route.screen) {
    case 'chat': {
      const own = route.sides.find((side) => side.user === user) ?? { user };
      const others = route.sides.filter((side) => side.user !== user);
      return { screen: 'chat', sides: [own, ...(others.length === route.sides.length ? others.slice(1) : others)] };
    }
    case 'feed':
      return { ...route, user };
    case 'inbox':
      return route.user === user ? route : { screen: 'inbox', user };
    case 'service':
      return route;
  }
}

/** The current route. */
class Router extends Emitter {
  current!: Route;
  /** A credential that came in the fragment of the URL, until somebody takes it. */
  credential: string | undefined;
  /** The only user whom the page may show. */
  #only: string | undefined;
  /** The last route of each screen, for the links to it. */
  readonly #lastOf = new Map<Screen, Route>();

  constructor() {
    super();
    this.#arrive();
    addEventListener('hashchange', () => this.#arrive()); // at any change of the fragment, also back to one of pushState
  }

  /** Goes to a route; with `replace` it makes no entry in the history. */
  go(route: Route, { replace = false } = {}): void {
    const fragment = format(route);
    if (fragment === location.hash) return;
    if (replace) history.replaceState(null, '', fragment);
    else history.pushState(null, '', fragment);
    this.#arrive();
  }

  /** The fragment of a screen, as it was last shown. */
  link(screen: Screen): string {
    return format(this.#lastOf.get(screen) ?? this.#restricted(parse(`#/${screen}`)));
  }

  /** Shows nothing of other users from now on. */
  showOnly(user: string | undefined): void {
    this.#only = user;
    this.#lastOf.clear();
    this.#arrive();
  }

  #arrive(): void {
    this.credential = takeCredential()?.value ?? this.credential;
    this.current = this.#restricted(parse(location.hash));
    this.#lastOf.set(this.current.screen, this.current);
    this.emit();
  }

  #restricted(route: Route): Route {
    return this.#only === undefined ? route : restrict(route, this.#only);
  }
}

export const router = new Router();
