import assert from 'node:assert/strict';
import { test } from 'node:test';

import { afterMessage, isListed, isMuted, lineOf, unreadIn, type Line } from '../src/store/line.ts';
import { count } from '../src/store/unread.ts';

const message = (id: string, sender = 'alice') => ({ id, sender, recipient: 'bob', text: id, sentAt: '' });
/** A conversation of bob and alice whose last message is 5, with one message unread. */
const line = (more: Partial<Line> = {}): Line => ({ ...lineOf({ peer: 'alice', position: '5', lastMessage: message('5'), unreadCount: 1, hidden: false }), ...more });
const soon = new Date(Date.now() + 60_000).toISOString();

test('a message that is newer becomes the last and brings back a hidden conversation, whoever sent it', () => {
  for (const [sender, unread] of [['alice', 2], ['bob', 1]] as const) {
    const after = afterMessage(line({ hidden: true }), message('6', sender), 'bob');
    assert.deepEqual([after?.hidden, after?.position, after?.lastMessage?.id, after && count(after.unread)], [false, '6', '6', unread]);
  }
});

test('an edit leaves a hidden conversation hidden, of the last message as of an older one', () => {
  for (const id of ['5', '4']) {
    const after = afterMessage(line({ hidden: true }), { ...message(id), text: 'edited' }, 'bob');
    assert.deepEqual([after?.hidden, after?.position, after?.lastMessage?.text], [true, '5', id === '5' ? 'edited' : '5']);
  }
});

test('a message that comes again leaves a conversation hidden', () => {
  assert.equal(afterMessage(line({ hidden: true }), message('5'), 'bob')?.hidden, true);
});

test('only the service knows what is last once the last message is deleted, and whether it is hidden then', () => {
  assert.equal(afterMessage(line({ hidden: true }), { ...message('5'), deletedAt: 'x' }, 'bob'), undefined);
});

test('a conversation without a message has its first one', () => {
  const empty = lineOf({ peer: '~team', position: '3', unreadCount: 0, hidden: true });
  assert.deepEqual([afterMessage(empty, message('4'), 'bob')?.hidden, afterMessage(empty, message('4'), 'bob')?.position], [false, '4']);
});

test('a conversation without a message is in a list only if it is in a group', () => {
  const muted = { peer: 'alice', position: '0', unreadCount: 0, hidden: true, mutedUntil: soon };
  assert.equal(isListed(muted), false);
  assert.equal(isListed({ ...muted, lastMessage: message('5') }), true);
  assert.equal(isListed({ ...muted, peer: '~team', position: '3', group: { name: 'Team', memberCount: 2 } }), true);
});

test('muted and hidden conversations do not count in the badge', () => {
  assert.equal(unreadIn([line(), line({ hidden: true }), line({ mutedUntil: soon }), line({ mutedUntil: '2020-01-01T00:00:00Z' })]), 2);
  assert.deepEqual([isMuted(line({ mutedUntil: soon })), isMuted(line({ mutedUntil: '2020-01-01T00:00:00Z' })), isMuted(line())], [true, false, false]);
});

test('what the service says keeps messages that came after it', () => {
  const newer = afterMessage(line(), message('6'), 'bob');
  const again = lineOf({ peer: 'alice', position: '5', lastMessage: message('5'), unreadCount: 1, hidden: false }, newer);
  assert.equal(count(again.unread), 2);
});
