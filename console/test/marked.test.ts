import assert from 'node:assert/strict';
import { test } from 'node:test';

import { excerptParts, parts, type Part } from '../src/marked.ts';

const written = (list: Part[]): string => list.map(({ text, isWord }) => (isWord ? `[${text}]` : text)).join('');

test('words are marked by code points, not by code units', () => {
  assert.equal(written(parts('🎉 Ｌunch 👩‍👩‍👧 at noon', [{ start: 2, end: 7 }, { start: 17, end: 21 }])), '🎉 [Ｌunch] 👩‍👩‍👧 at [noon]');
});

test('words may touch, and may be at either end', () => {
  assert.equal(written(parts('可能是', [{ start: 0, end: 2 }, { start: 2, end: 3 }])), '[可能][是]');
  assert.equal(written(parts('nothing', [])), 'nothing');
});

test('an excerpt begins with the text if a word is near the beginning', () => {
  assert.equal(written(excerptParts(`one two ${'three '.repeat(40)}`, [{ start: 4, end: 7 }], 19)), 'one [two] three three…');
});

test('an excerpt begins at a word a little before the first that was searched', () => {
  assert.equal(written(excerptParts(`${'hay '.repeat(20)}needle ${'hay '.repeat(20)}`, [{ start: 80, end: 86 }], 40)), '…hay hay hay [needle] hay hay hay hay hay h…');
});

test('an excerpt of a text without spaces is cut before the first word', () => {
  assert.equal(written(excerptParts(`${'的'.repeat(50)}可能`, [{ start: 50, end: 52 }], 40)), `…${'的'.repeat(8)}[可能]`);
});

test('an excerpt of wide characters shows the first word, too', () => {
  assert.equal(written(excerptParts('会議電車ラーメン明日天気東京ラーメン電車 🎉', [{ start: 21, end: 22 }], 40)), '…京ラーメン電車 [🎉]');
});
