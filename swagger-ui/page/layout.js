import { contractOf } from './document.js';
import { followAddress } from './routes.js';

// The page: a banner, the navigation, and the contract itself.
export const layout = (system) => {
  const h = system.React.createElement;

  function Page({ specSelectors, getComponent, errSelectors }) {
    const Errors = getComponent('errors', true);
    const loading = specSelectors.loadingStatus();
    const ready = loading === 'success' && contractOf(system).operations.length > 0;
    system.React.useEffect(() => {
      if (!ready) return undefined;
      const follow = () => followAddress(system);
      follow();
      addEventListener('hashchange', follow);
      return () => removeEventListener('hashchange', follow);
    }, [ready]);
    if (loading === 'failed' || errSelectors.allErrors().size) return h('main', { className: 'swagger-ui failed' }, h('h1', null, 'The contract cannot be read.'), h(Errors));
    if (!ready) return h('main', { className: 'swagger-ui' }, h('p', { role: 'status' }, 'Reading the contract…'));
    const [Authorize, Navigation, Introduction, Operations, Schemas] = ['Authorize', 'Navigation', 'Introduction', 'operations', 'Schemas'].map((name) => getComponent(name, true));
    return h(
      'div', { className: 'swagger-ui page' },
      h('a', { className: 'skip', href: '#content' }, 'Skip to the content'),
      h('header', { className: 'banner' }, h('a', { href: './' }, contractOf(system).document.info.title), h('span', null, 'API'), h(Authorize)),
      h(Navigation),
      h('main', { id: 'content', tabIndex: -1 }, h(Introduction), h(Operations), h(Schemas)),
    );
  }

  function Introduction({ getComponent }) {
    const { info } = contractOf(system).document;
    const { console: home } = document.documentElement.dataset; // set by the server if it has a console
    const Markdown = getComponent('Markdown', true);
    return h(
      'section', { className: 'introduction', 'aria-labelledby': 'title' },
      h('h1', { id: 'title' }, info.title),
      h(
        'p', { className: 'facts' },
        h('span', null, `Version ${info.version}`),
        home && h('a', { href: home }, 'Console'),
        h('a', { href: '/openapi.yaml' }, 'openapi.yaml'),
        h('a', { href: '/openapi.json' }, 'openapi.json'),
        info.license && h('a', { href: info.license.url, rel: 'noopener noreferrer' }, `${info.license.name} license`),
      ),
      h(Markdown, { source: info.description.replaceAll('http://localhost:8080', location.origin) }),
    );
  }

  function OperationTag({ tag, tagObj, children, getComponent }) {
    const Markdown = getComponent('Markdown', true);
    const description = tagObj.getIn(['tagDetails', 'description']);
    return h('section', { className: 'tag', 'aria-labelledby': `tag-${tag}` }, h('h2', { id: `tag-${tag}` }, tag), description && h(Markdown, { source: description }), children);
  }

  return { components: { Page, Introduction, OperationTag } };
};
