import { createMessageService, ProblemError, type Message } from 'message-service-client';

export const baseUrl = process.env['BASE_URL'] ?? 'http://localhost:8080';
/** A service key with all scopes, if the service requires authentication. */
export const serviceKey = process.env['SERVICE_KEY'];
export const api = createMessageService(baseUrl, { token: serviceKey });

let users = 0;
export const newUser = (): string => `u${Date.now()}-${users++}`;

export async function send(recipient: string, text: string): Promise<Message> {
  const { data, error } = await api.POST('/v1/messages', { body: { sender: 'zoe', recipient, text } });
  if (error) throw new ProblemError(error);
  return data;
}
