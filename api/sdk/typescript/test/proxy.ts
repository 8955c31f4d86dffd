import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

import { baseUrl, serviceKey } from './service.ts';

/** A proxy in front of the service that knows the open streams, counts pages, and judges tokens of its own. */
export class Proxy {
  readonly streams = new Set<ServerResponse>();
  url = '';
  opened = 0;
  holds = false; // never answers a stream
  pages = 0;
  /** The status and the type of the problem with an Authorization, if it has tokens of its own. */
  judge: ((authorization: string | undefined) => [status: number, type: string] | undefined) | undefined;

  static async start(t: TestContext): Promise<Proxy> {
    const proxy = new Proxy();
    const server = createServer((asked, answer) => {
      const problem = proxy.judge?.(asked.headers.authorization);
      if (problem) return proxy.refuse(answer, ...problem);
      if (serviceKey !== undefined) asked.headers.authorization = `Bearer ${serviceKey}`;
      if (asked.headers.accept === 'text/event-stream') {
        proxy.opened++;
        proxy.streams.add(answer);
        answer.on('close', () => proxy.streams.delete(answer));
        if (proxy.holds) return;
      } else proxy.pages++;
      const upstream = request(new URL(asked.url ?? '', baseUrl), { method: asked.method ?? 'GET', headers: asked.headers }, (got) => {
        answer.writeHead(got.statusCode ?? 0, got.headers).flushHeaders();
        got.pipe(answer);
      });
      upstream.on('error', () => answer.destroy());
      answer.on('close', () => upstream.destroy());
      asked.pipe(upstream);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => { server.close(); server.closeAllConnections(); });
    proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return proxy;
  }

  refuse(answer: ServerResponse, status: number, type: string): void {
    answer.writeHead(status, { 'Content-Type': 'application/problem+json' })
      .end(JSON.stringify({ type: `urn:problem-type:message-service:${type}`, title: type, status, detail: '', instance: 'urn:request:0' }));
  }

  cut(): void { for (const stream of this.streams) stream.destroy(); }
}
