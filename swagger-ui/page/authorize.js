import { takeCredential } from '../fragment.js';
import { contractOf } from './document.js';

// The credentials of the page. Swagger UI keeps them in memory, and sends them with the requests
// of the operations that accept them.

const SCHEMES = { key: 'serviceKey', token: 'userToken' }; // by what the fragment of the URL calls them
let given = takeCredential();

// credentialFor returns the credential that Swagger UI sends with a request of an operation.
export function credentialFor(system, contract) {
  const authorized = system.authSelectors.authorized();
  const scheme = contract.schemes.findLast((name) => authorized.has(name));
  return scheme && authorized.getIn([scheme, 'value']);
}

// needsCredential reports whether samples show one: the server requires it, or the page has one.
export const needsCredential = (system) => document.documentElement.dataset.auth === 'required' || system.authSelectors.authorized().size > 0;

export const authorize = (system) => {
  const { createElement: h, useEffect, useRef } = system.React;

  function Authorize({ getComponent, authSelectors, authActions }) {
    const Words = getComponent('Words');
    const schemes = contractOf(system).document.components.securitySchemes;
    const dialog = useRef(null);
    const authorized = authSelectors.authorized();
    const accept = (name, value) => value && authActions.authorize({ [name]: { name, schema: schemes[name], value } });
    useEffect(() => {
      const take = () => {
        given ??= takeCredential();
        if (given) accept(SCHEMES[given.kind], given.value);
        given = undefined;
      };
      take();
      addEventListener('hashchange', take);
      return () => removeEventListener('hashchange', take);
    }, []);
    const submit = (event) => {
      event.preventDefault();
      new FormData(event.target).forEach((value, name) => accept(name, value.trim()));
      event.target.reset();
      dialog.current.close();
    };
    return h(
      'div', { className: 'authorize' },
      h('button', { type: 'button', className: 'btn', onClick: () => dialog.current.showModal() }, authorized.size ? 'Authorized' : 'Authorize'),
      h(
        'dialog', { ref: dialog, 'aria-labelledby': 'authorize-title' },
        h(
          'form', { onSubmit: submit },
          h('h2', { id: 'authorize-title' }, 'Authorize'),
          h('p', null, 'Each request is sent with one of these that its operation accepts. Only this page keeps them, until it is reloaded.'),
          Object.entries(schemes).map(([name, { description }]) => h(
            'div', { key: name, className: 'scheme' },
            h('label', { htmlFor: `scheme-${name}` }, TITLES[name] ?? name),
            authorized.has(name)
              ? h('p', { className: 'given' }, 'In use. ', h('button', { type: 'button', className: 'btn', onClick: () => authActions.logout([name]) }, 'Log out'))
              : h('input', { id: `scheme-${name}`, name, type: 'password', autoComplete: 'off', spellCheck: false, 'aria-describedby': `scheme-${name}-about` }),
            h('p', { id: `scheme-${name}-about`, className: 'about' }, h(Words, { text: description.trim() })),
          )),
          h(
            'div', { className: 'controls' },
            h('button', { type: 'submit', className: 'btn execute' }, 'Authorize'),
            h('button', { type: 'button', className: 'btn', onClick: () => dialog.current.close() }, 'Close'),
          ),
        ),
      ),
    );
  }

  // Who may call an operation, from its x-access.
  function Access({ contract: { access } }) {
    if (access === 'public') return h('p', { className: 'access' }, h('strong', null, 'Who: '), 'anyone, without a credential.');
    const { scope, user, group } = access;
    return h(
      'p', { className: 'access' },
      h('strong', null, 'Who: '), 'a service key with ', h('code', null, scope),
      user === 'none' && ', no user',
      user === 'own' && `, or ${GROUP_ROLES[group] ?? 'a user about own messages'}`,
      Array.isArray(user) && [', or the user who is ', ...user.flatMap((name, i) => [i > 0 && ' or ', h('code', { key: name }, name)])],
      Array.isArray(user) && group && ', in groups as a member',
      '. ',
      h('button', { type: 'button', onClick: () => document.querySelector('.authorize dialog').showModal() }, 'Authorize'),
    );
  }

  return { components: { Authorize, Access } };
};

// Whom a role in the group of a request means.
const GROUP_ROLES = {
  member: 'a member of the group',
  admin: 'an admin of the group',
  owner: 'the owner of the group',
  'admin-or-self': 'an admin of the group, or a member for themselves',
  create: 'a user for themselves if the server lets users create groups',
};

const TITLES = { serviceKey: 'Service key', userToken: 'User token' };
