import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Message } from 'message-service-client';
import { timeline, type Draft } from '../src/store/timeline.ts';

const message = (id: string, text: string, more: Partial<Message> = {}): Message => ({ id, sender: 'alice', recipient: 'bob', text, sentAt: '', ...more });
const draft = (key: string, text: string, more: Partial<Draft> = {}): Draft => (
  { key, sender: 'alice', recipient: 'bob', text, replyTo: undefined, at: 0, after: '', state: 'sending', ...more });
const shown = (...args: Parameters<typeof timeline>): string[] => timeline(...args).map((entry) => `${entry.key} ${entry.message?.text ?? `(${entry.draft?.text})`}`);

test('a draft is shown after the messages until it is stored', () => {
  assert.deepEqual(shown([message('1', 'Hello')], [draft('a', 'Hi')], new Map()), ['1 Hello', 'a (Hi)']);
});

test('a message that is delivered before the answer to its send replaces its draft', () => {
  assert.deepEqual(shown([message('1', 'Hi')], [draft('a', 'Hi')], new Map()), ['a Hi']);
});

test('after the answer the key stays, whether the draft is still there or not', () => {
  const sent = new Map([['1', 'a']]);
  assert.deepEqual(shown([message('1', 'Hi')], [draft('a', 'Hi')], sent), ['a Hi']);
  assert.deepEqual(shown([message('1', 'Hi')], [], sent), ['a Hi']);
});

test('two drafts with the same text are shown once each', () => {
  const drafts = [draft('a', 'ok'), draft('b', 'ok')];
  assert.deepEqual(shown([message('1', 'ok')], drafts, new Map()), ['a ok', 'b (ok)']);
  assert.deepEqual(shown([message('1', 'ok'), message('2', 'ok')], drafts, new Map([['2', 'b']])), ['a ok', 'b ok']);
  assert.deepEqual(shown([message('1', 'ok'), message('2', 'ok')], drafts, new Map()), ['a ok', 'b ok']);
  // The answer to the second came first.
  assert.deepEqual(shown([message('1', 'ok')], drafts, new Map([['1', 'b']])), ['b ok', 'a (ok)']);
});

test('an older message with the same text does not replace a draft', () => {
  assert.deepEqual(shown([message('1', 'ok')], [draft('a', 'ok', { after: '1' })], new Map()), ['1 ok', 'a (ok)']);
});

test('neither does a message of the other user, nor one that replies to another message', () => {
  const drafts = [draft('a', 'ok')];
  assert.deepEqual(shown([message('1', 'ok', { sender: 'bob', recipient: 'alice' })], drafts, new Map()), ['1 ok', 'a (ok)']);
  assert.deepEqual(shown([message('1', 'ok', { replyTo: '0' })], drafts, new Map()), ['1 ok', 'a (ok)']);
});

test('a message that was stored although its draft got no answer replaces the draft', () => {
  assert.deepEqual(shown([message('1', 'Hi')], [draft('a', 'Hi', { state: 'failed' })], new Map()), ['a Hi']);
});

test('a message that was edited before it is delivered is matched by the answer', () => {
  assert.deepEqual(shown([message('1', 'Hello')], [draft('a', 'Hi')], new Map([['1', 'a']])), ['a Hello']);
});
