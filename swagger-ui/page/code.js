// Code in a box of its own, with a button that copies it.
export const code = (system) => {
  const { createElement: h, useState } = system.React;

  // The bar is what stands at the left of the button; other properties are the box's.
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
