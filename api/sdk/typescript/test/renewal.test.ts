// Following a service that requires authentication with tokens that end meanwhile.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { createMessageService, followChanges } from 'message-service-client';
import { api, baseUrl, newUser, send } from './service.ts';

const [kid, secret] = (process.env['TOKEN_SECRETS'] ?? '').split('=') as [string, string];

/** Makes a user token that expires in some seconds. */
function mint(sub: string, seconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', kid })}.${encode({ sub, iat: now - 60, exp: now + seconds, aud: process.env['TOKEN_AUDIENCE'] })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Accepted after its end, in seconds. */
const leeway = 30;

test('following goes on with a new token when the old one ends, and no change is lost or comes twice', { timeout: 60_000 }, async () => {
  const userId = newUser();
  const tokens = [mint(userId, 3 - leeway), mint(userId, 3600), mint(userId, 3600)];
  let [asked, ready] = [0, 0];
  const own = createMessageService(baseUrl, { token: async () => tokens[asked++] ?? '' });
  const sent: string[] = [];
  const write = async (): Promise<void> => {
    while (ready < 2) { // until it is connected again
      sent.push(`${sent.length}`);
      await send(userId, sent.at(-1) ?? '');
    }
    await send(userId, 'The end');
  };
  let writing: Promise<void> | undefined;
  const seen: (string | undefined)[] = [];
  for await (const { message } of followChanges(own, userId, { onReady: () => { ready++; writing ??= write(); } })) {
    if (message?.text === 'The end') break;
    seen.push(message?.text);
  }
  await writing;
  assert.deepEqual([seen, asked, ready], [sent, 2, 2]);
});

test('following ends when the tokens of a user are revoked and there is no newer one', { timeout: 60_000 }, async () => {
  const userId = newUser();
  const token = mint(userId, 3600);
  let asked = 0;
  const own = createMessageService(baseUrl, { token: async () => { asked++; return token; } });
  const revoke = (): unknown => api.PUT('/v1/users/{userId}/token-revocation', {
    params: { path: { userId } }, body: { issuedBefore: new Date().toISOString() },
  });
  const following = (async () => { for await (const _ of followChanges(own, userId, { onReady: revoke })) assert.fail('There are no changes.'); })();
  await assert.rejects(following, (error) => (error as { problem?: { type: string } }).problem?.type === 'urn:problem-type:message-service:credential-revoked');
  assert.equal(asked, 2);
});
