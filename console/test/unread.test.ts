import assert from 'node:assert/strict';
import { test } from 'node:test';

import { count, counted, withMarker, withMessage, type Unread } from '../src/store/unread.ts';

/** Applies messages, `-` before the id of one that was deleted, and markers, `=` before them. */
function after(start: Unread, ...changes: string[]): number | 'ask' {
  let unread: Unread | undefined = start;
  for (const change of changes) {
    if (!unread) return 'ask';
    unread = change.startsWith('=') ? withMarker(unread, change.slice(1)) : withMessage(unread, change.replace('-', ''), change.startsWith('-'));
  }
  return unread ? count(unread) : 'ask';
}

test('what the service counted is not counted again', () => {
  assert.equal(after(counted(2, '5'), '4', '5'), 2);
});

test('new messages are added, each once, edited or not', () => {
  assert.equal(after(counted(2, '5'), '6', '7', '6'), 4);
});

test('a message that is deleted before it was read no longer counts', () => {
  assert.equal(after(counted(0, '5', '5'), '6', '7', '-6'), 1);
  assert.equal(after(counted(0, '5', '5'), '-6'), 0);
});

test('only the service knows whether a deleted message was among those it counted', () => {
  assert.equal(after(counted(2, '5', '3'), '-4'), 'ask');
  assert.equal(after(counted(2, '5', '3'), '-2'), 2);
  assert.equal(after(counted(0, '5', '3'), '-4'), 0);
});

test('a marker takes away what is not newer', () => {
  assert.equal(after(counted(2, '5'), '6', '7', '=5'), 2);
  assert.equal(after(counted(2, '5'), '6', '7', '=6'), 1);
  assert.equal(after(counted(2, '5'), '6', '7', '=7'), 0);
});

test('a marker does not go back', () => {
  assert.equal(after(counted(0, '5', '5'), '6', '=6', '=4', '7'), 1);
});

test('how many are left behind a marker in the middle is up to the service', () => {
  assert.equal(after(counted(3, '5'), '=4'), 'ask');
});

test('a count that was asked for keeps what has come since', () => {
  const before = withMessage(withMessage(counted(1, '5'), '6', false)!, '7', false)!;
  assert.equal(count(counted(2, '6', '', before)), 3);
});

test('a hundred stands for more', () => {
  assert.equal(after(counted(100, '5'), '6'), 100);
});
