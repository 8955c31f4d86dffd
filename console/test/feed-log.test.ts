import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FeedLog } from '../src/store/feed-log.ts';

const message = (id: string) => ({ id, sender: 'alice', recipient: 'bob', text: id, sentAt: '' });
const change = (id: string) => ({ cursor: id, type: 'message', message: message(id) });

test('messages stored while the connection is cut wait, and are delivered once', () => {
  const log = new FeedLog();
  log.delivered(change('1'));
  log.stored(message('2'), true);
  log.stored(message('3'), true);
  assert.deepEqual([log.waiting, log.missed, log.cursor], [2, 0, '1']);
  log.delivered(change('2'));
  log.delivered(change('3'));
  assert.deepEqual([log.waiting, log.missed, log.repeated, log.received], [0, 0, 0, 3]);
  assert.deepEqual(log.rows.map(({ cursor, whileCut }) => [cursor, whileCut]), [['3', true], ['2', true], ['1', false]]);
});

test('a change may be delivered before the answer to its send', () => {
  const log = new FeedLog();
  log.delivered(change('1'));
  log.stored(message('1'), false);
  assert.deepEqual([log.waiting, log.missed, log.rows.length], [0, 0, 1]);
});

test('a stored message that the feed skips is missed', () => {
  const log = new FeedLog();
  log.stored(message('1'), false);
  log.stored(message('2'), false);
  log.delivered(change('2'));
  assert.deepEqual([log.waiting, log.missed], [0, 1]);
});

test('a change that is delivered again is repeated', () => {
  const log = new FeedLog();
  log.delivered(change('1'));
  log.delivered(change('1'));
  assert.deepEqual([log.repeated, log.rows.length], [1, 1]);
});
