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
  | { readonly screen: 'inbox'; readonly user: string; readonly peer?: string | undefined; readonly at?: string | undefined; readonly q?: string | undefined; readonly within?: string | undefined }
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
      return { screen, user, peer: parts[1]?.[0] || undefined, at: options.get('at') ?? undefined, q: options.get('q') ?? undefined, within: options.get('within') ?? undefined };
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
      const { user, peer, at, q, within } = route;
      const options = new URLSearchParams({ ...(at && { at }), ...(q && { q }), ...(within && { within }) });
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

/** The current route. */
class Router extends Emitter {
  current = parse(location.hash);
  /** The last route of each screen, for the links to it. */
  readonly #lastOf = new Map<Screen, Route>();

  constructor() {
    super();
    addEventListener('hashchange', () => this.#arrive());
    addEventListener('popstate', () => this.#arrive());
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
    return format(this.#lastOf.get(screen) ?? parse(`#/${screen}`));
  }

  #arrive(): void {
    this.current = parse(location.hash);
    this.#lastOf.set(this.current.screen, this.current);
    this.emit();
  }
}

export const router = new Router();
