import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

const baseUrl = process.env['BASE_URL'] ?? 'http://localhost:8080';

/** A proxy in front of the service that knows the open streams and counts pages. */
export class Proxy {
  readonly streams = new Set<ServerResponse>();
  url = '';
  opened = 0;
  holds = false; // never answers a stream
  pages = 0;

  static async start(t: TestContext): Promise<Proxy> {
    const proxy = new Proxy();
    const server = createServer((asked, answer) => {
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

  cut(): void { for (const stream of this.streams) stream.destroy(); }
}
