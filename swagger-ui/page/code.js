// A box with code and a copy button.
export const code = (system) => {
  const { createElement: h, useState } = system.React;

  // The bar is to the left of the button; other properties go to the element around the text.
  function Code({ text, syntax, bar, getComponent, ...box }) {
    const Highlighter = getComponent('SyntaxHighlighter', true);
    const [copied, setCopied] = useState();
    const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(text), () => setCopied(undefined));
    return h(
      'div', { className: 'code' },
      h('div', { className: 'bar' }, bar || h('span'), h('button', { type: 'button', onClick: copy }, copied === text ? 'Copied' : 'Copy')),
      h('div', { className: 'text', tabIndex: 0, ...box }, syntax ? h(Highlighter, { language: syntax }, text) : h('pre', null, h('code', null, text))),
    );
  }

  return { components: { Code } };
};
