import { el } from './dom.ts';

const words = 'import|from|package|func|var|const|let|await|async|for|range|of|in|if|else|err|nil|return|new|throw|with|as|print|raise|true|false|null|None|True|False';
const token = new RegExp([
  '(?<comment>(?<![:\\w"\'])//[^\\n]*|(?<=^|\\s)#[^\\n]*)',
  '(?<string>"(?:[^"\\\\\\n]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|`[^`]*`)',
  `(?<word>\\b(?:${words})\\b)`,
  '(?<number>(?<![\\w./:-])\\d+(?![\\w./:-]))',
].join('|'), 'g');

/** Highlights the strings, numbers, keywords and comments of code in any language of the samples. */
export function highlight(code: string): Node[] {
  const nodes: Node[] = [];
  let end = 0;
  for (const match of code.matchAll(token)) {
    const [kind] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    nodes.push(document.createTextNode(code.slice(end, match.index)), el('span', { class: `code-${kind}` }, match[0]));
    end = match.index + match[0].length;
  }
  return [...nodes, document.createTextNode(code.slice(end))];
}
