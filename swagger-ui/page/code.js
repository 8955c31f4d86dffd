// A box with code and a copy button.
export const code = (system) => {
  const { createElement: h, useRef, useState } = system.React;

  // The bar is to the left of the button; other properties go to the element around the text.
  function Code({ text, syntax, bar, getComponent, ...box }) {
    const Highlighter = getComponent('SyntaxHighlighter', true);
    const [done, setDone] = useState({});
    const shown = useRef(null);
    // Without access to the clipboard, as in a page without TLS, it selects the text instead.
    const copy = async () => {
      const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
      if (!isCopied) getSelection().selectAllChildren(shown.current);
      setDone({ text, label: isCopied ? 'Copied' : 'Press Ctrl+C' });
    };
    return h(
      'div', { className: 'code' },
      h('div', { className: 'bar' }, bar || h('span'), h('button', { type: 'button', onClick: copy }, done.text === text ? done.label : 'Copy')),
      h('div', { className: 'text', tabIndex: 0, ref: shown, ...box }, syntax ? h(Highlighter, { language: syntax }, text) : h('pre', null, h('code', null, text))),
    );
  }

  return { components: { Code } };
};
