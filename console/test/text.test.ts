import assert from 'node:assert/strict';
import { test } from 'node:test';

import { listed, named, shortTime } from '../src/text.ts';

test('a few names are listed, and of many how many more there are', () => {
  assert.deepEqual([1, 2, 3, 4].map((n) => listed(['ann', 'ben', 'cai', 'dan'].slice(0, n))),
    ['ann', 'ann and ben', 'ann, ben and cai', 'ann, ben and 2 more']);
  assert.equal(listed(['ann', 'ben', 'cai'], 12), 'ann, ben and 10 more');
});

test('what a pointer names is an entry that was typed, or a member', () => {
  assert.deepEqual(['/users/1', '/users/2', '/name'].map((pointer) => named(pointer, ['ann', 'b b'])), ['b b', 'users/2', 'name']);
});

test('a time in a list has the year if that is another one', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: new Date(2026, 2, 4, 12).getTime() });
  const has = (time: Date): boolean[] => ['2025', '2026'].map((year) => shortTime(time).includes(year));
  assert.deepEqual([new Date(2025, 11, 31), new Date(2026, 0, 1), new Date(2026, 2, 4, 9, 5)].map(has), [[true, false], [false, false], [false, false]]);
});
