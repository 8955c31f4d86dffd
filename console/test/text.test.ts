import assert from 'node:assert/strict';
import { test } from 'node:test';

import { listed, named } from '../src/text.ts';

test('a few names are listed, and of many how many more there are', () => {
  assert.deepEqual([1, 2, 3, 4].map((n) => listed(['ann', 'ben', 'cai', 'dan'].slice(0, n))),
    ['ann', 'ann and ben', 'ann, ben and cai', 'ann, ben and 2 more']);
  assert.equal(listed(['ann', 'ben', 'cai'], 12), 'ann, ben and 10 more');
});

test('what a pointer names is an entry that was typed, or a member', () => {
  assert.deepEqual(['/users/1', '/users/2', '/name'].map((pointer) => named(pointer, ['ann', 'b b'])), ['b b', 'users/2', 'name']);
});
