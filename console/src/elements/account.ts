import { el, icon } from '../dom.ts';
import { session } from '../session.ts';

/** Shows for whom the page acts, and signs in or out. Nothing while the server requires no credential. */
export function account(): HTMLElement {
  const box = el('div', { class: 'account' });
  const draw = (): void => {
    if (session.isRefused) box.replaceChildren(el('button', { type: 'button', class: 'button primary', on: { click: () => session.ask(true) } }, icon('key'), 'Sign in'));
    else if (session.isSignedIn) {
      box.replaceChildren(el('span', { class: 'acting' }, session.user ?? 'Service key'),
        // Everything that was read is in the memory of the page, which a reload empties.
        el('button', { type: 'button', class: 'button', title: `Forget the ${session.user === undefined ? 'service key' : `token of ${session.user}`}`, on: { click: () => location.reload() } }, icon('leave'), 'Log out'));
    }
  };
  session.listen(draw, new AbortController().signal);
  return box;
}
