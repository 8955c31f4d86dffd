import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addressFor, isGroup, peerOf } from '../src/store/address.ts';

test('only the address of a group begins with ~', () => {
  assert.deepEqual(['~team-1', 'team~1', 'bob'].map(isGroup), [true, false, false]);
});

test('the conversation of a message is with the other user, or with the group', () => {
  assert.equal(peerOf('alice', { sender: 'alice', recipient: 'bob' }), 'bob');
  assert.equal(peerOf('alice', { sender: 'bob', recipient: 'alice' }), 'bob');
  assert.equal(peerOf('alice', { sender: 'alice', recipient: 'alice' }), 'alice');
  for (const sender of ['alice', 'bob']) assert.equal(peerOf('alice', { sender, recipient: '~team-1' }), '~team-1');
});

test('the address for a name has its words, without accents', () => {
  assert.equal(addressFor('Lunch club'), '~lunch-club');
  assert.equal(addressFor(' Équipe du café, n° 2!'), '~equipe-du-cafe-n-2');
  assert.equal(addressFor('咖啡'), '~group');
});
