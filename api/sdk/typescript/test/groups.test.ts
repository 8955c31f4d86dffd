import assert from 'node:assert/strict';
import { test } from 'node:test';

import { followChanges, ProblemError, type Change, type Message, type Problem } from 'message-service-client';
import { api } from './service.ts';

const run = Date.now();
const [ann, ben, cai] = [`ann-${run}`, `b+e|n:=~${run}`, `cai-${run}`];
/** With each character that may be in the address of a group. */
const group = `~t+e|a:m='@._~-${run}`;

function got<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new ProblemError(error);
  assert.ok(data !== undefined);
  return data;
}

const problemType = (name: string): string => `urn:problem-type:message-service:${name}`;

test('a group is made, joined, written to, read, followed, left and deleted', async () => {
  const path = { groupId: group };
  const make = (name: string) => api.PUT('/v1/groups/{groupId}', { params: { path }, body: { name, owner: ann } });
  const made = await make('Team');
  assert.deepEqual([made.response.status, made.data?.address, made.data?.memberCount], [201, group, 1]);
  assert.equal((await make('Team')).response.status, 200);
  assert.equal((await make('Another')).error?.type, problemType('group-exists'));
  const add = (users: string[]) => api.POST('/v1/groups/{groupId}/members', { params: { path }, body: { users } });
  assert.deepEqual(got(await add([ben, cai, ann])).members, [{ user: ben, outcome: 'added' }, { user: cai, outcome: 'added' }, { user: ann, outcome: 'already-member' }]);

  // Ben follows until he is removed.
  const changes: Change[] = [];
  const say = (text: string): Promise<Message> => api.POST('/v1/messages', { body: { sender: ann, recipient: group, text } }).then(got);
  const remove = (userId: string) => api.DELETE('/v1/groups/{groupId}/members/{userId}', { params: { path: { ...path, userId } } });
  for await (const change of followChanges(api, ben, { onReady: () => say('Noodles?') })) {
    changes.push(change);
    if (change.message) await remove(cai);
    if (change.membership?.user === cai) assert.equal((await remove(ben)).response.status, 204);
    if (change.membership?.user === ben) break;
  }
  assert.deepEqual(changes.map(({ type, message, membership }) => [type, message?.text ?? membership?.user, membership?.state]).filter(([type]) => type !== 'group'), [
    ['message', 'Noodles?', undefined], ['membership', cai, 'removed'], ['membership', ben, 'removed'],
  ]);
  const { message } = changes.find(({ type }) => type === 'message') ?? {};
  assert.ok(message);

  // Who is in sees the message by all that names the group, and who is not sees none of it.
  const { messages } = got(await api.GET('/v1/messages', { params: { query: { recipient: group } } }));
  assert.deepEqual(messages, [message]);
  assert.deepEqual(got(await add([ben])).members, [{ user: ben, outcome: 'added' }]);
  const conversation = { params: { path: { userId: ben, peerId: group } } };
  assert.deepEqual(got(await api.GET('/v1/users/{userId}/conversations/{peerId}/messages', conversation)).messages, [message]);
  const line = got(await api.GET('/v1/users/{userId}/conversations/{peerId}', conversation));
  assert.deepEqual([line.peer, line.lastMessage, line.unreadCount], [group, message, 0]); // unread is only what has come since he is in it again
  got(await api.PUT('/v1/users/{userId}/conversations/{peerId}/read-marker', { ...conversation, body: { messageId: message.id } }));
  assert.deepEqual(got(await api.GET('/v1/messages/{messageId}/readers', { params: { path: { messageId: message.id } } })), { users: [ben], count: 1 });
  const stranger = await api.GET('/v1/users/{userId}/conversations/{peerId}/messages', { params: { path: { userId: cai, peerId: group } } });
  assert.deepEqual([stranger.error?.status, stranger.error?.type], [404, problemType('not-found')]);

  const role = got(await api.PUT('/v1/groups/{groupId}/members/{userId}', { params: { path: { ...path, userId: ben } }, body: { role: 'owner' } }));
  assert.deepEqual([role.group, role.user, role.role, role.state], [group, ben, 'owner', 'active']);
  const members = got(await api.GET('/v1/groups/{groupId}/members', { params: { path } })).members;
  assert.deepEqual(members.map(({ user, role }) => [user, role]), [[ann, 'admin'], [ben, 'owner']]);
  const renamed = got(await api.PATCH('/v1/groups/{groupId}', { params: { path }, body: { name: 'Team 2', history: 'none' } }));
  assert.deepEqual([renamed.name, renamed.history, renamed.memberCount], ['Team 2', 'none', 2]);
  assert.equal((await api.DELETE('/v1/groups/{groupId}', { params: { path } })).response.status, 204);
  assert.equal((await api.GET('/v1/groups/{groupId}', { params: { path } })).response.status, 404);
  assert.equal((await make('Team')).error?.type, problemType('group-exists'));
});
