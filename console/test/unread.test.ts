import assert from 'node:assert/strict';
import { test } from 'node:test';

import { count, counted, withMarker, withMessage, type Unread } from '../src/store/unread.ts';

/** Applies changes: `7` is a message, `-7` a deleted one, `=7` a read marker. 'ask' means that only the service knows. */
function after(start: Unread, ...changes: string[]): number | 'ask' {
  let unread: Unread | undefined = start;
  for (const change of changes) {
    if (!unread) return 'ask';
    unread = change.startsWith('=') ? withMarker(unread, change.slice(1)) : withMessage(unread, change.replace('-', ''), change.startsWith('-'));
  }
  return unread ? count(unread) : 'ask';
}

test('messages that the service has counted are not added again', () => {
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

test('a marker subtracts the messages up to it', () => {
  assert.equal(after(counted(2, '5'), '6', '7', '=5'), 2);
  assert.equal(after(counted(2, '5'), '6', '7', '=6'), 1);
  assert.equal(after(counted(2, '5'), '6', '7', '=7'), 0);
});

test('an older marker changes nothing', () => {
  assert.equal(after(counted(0, '5', '5'), '6', '=6', '=4', '7'), 1);
});

test('only the service knows how many it counted after a marker in the middle', () => {
  assert.equal(after(counted(3, '5'), '=4'), 'ask');
});

test('a new count keeps the messages that came after it', () => {
  const before = withMessage(withMessage(counted(1, '5'), '6', false)!, '7', false)!;
  assert.equal(count(counted(2, '6', '', before)), 3);
});

test('a hundred stands for a hundred or more', () => {
  assert.equal(after(counted(100, '5'), '6'), 100);
});
