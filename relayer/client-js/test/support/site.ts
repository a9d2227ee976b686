/** What stands before and behind a paywall: a web server, and something in between that changes answers. */
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Site> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Of each byte its place is known. */
export const FILE = Buffer.from(Array.from({ length: 2_500_000 }, (_, n) => n % 251));

/** A creator's web server. Posts are counted: what is asked for once must not happen twice. */
export function webServer(): Promise<Site & { posts(): number }> {
  let posts = 0;
  const site = listen((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (path.startsWith('/broken/')) return void response.writeHead(503).end('out of order');
    if (path === '/moved') return void response.writeHead(302, { location: '/articles/moved' }).end();
    if (path.startsWith('/away')) return void response.writeHead(302, { location: new URL(`http://localhost:${request.headers.host?.split(':')[1]}/articles/away`).href }).end();
    const to = new URL(request.url ?? '/', 'http://web').searchParams.get('redirect');
    if (to !== null) return void response.writeHead(302, { location: to }).end('it is there');
    if (path.startsWith('/api/')) {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      return void request.on('end', () => {
        posts += 1;
        response.end(`${path}: ${Buffer.concat(chunks).toString()}`);
      });
    }
    if (path.startsWith('/live/')) {
      const timer = setInterval(() => response.write('la '), 100);
      return void response.writeHead(200).on('close', () => clearInterval(timer));
    }
    if (path.startsWith('/files/')) {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const part = FILE.subarray(from);
      const range = { 'content-range': `bytes ${from}-${FILE.length - 1}/${FILE.length}` };
      return void response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, ...(from > 0 ? range : {}) }).end(part);
    }
    response.end(path === '/' ? 'welcome' : `page ${path}`);
  });
  return site.then((one) => ({ ...one, posts: () => posts }));
}

/** Writes down what it is asked, whatever that is. */
export function listener(): Promise<Site & { readonly heard: IncomingHttpHeaders[] }> {
  const heard: IncomingHttpHeaders[] = [];
  return listen(({ headers }, response) => {
    heard.push(headers);
    response.end('another site');
  }).then((site) => ({ ...site, heard }));
}

/** Passes everything on to a site, and changes the headers of its answers. */
export function between(url: string, change: (headers: Record<string, unknown>, path: string) => void): Promise<Site> {
  const { hostname, port } = new URL(url);
  return listen((request, response) => {
    const { method, headers, url: path } = request;
    const onward = forward({ hostname, port, method, path, headers }, (answer) => {
      const changed: Record<string, unknown> = { ...answer.headers };
      change(changed, path ?? '/');
      response.writeHead(answer.statusCode ?? 500, changed as Record<string, string>);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
}

export const decoded = (header: unknown) => JSON.parse(Buffer.from(String(header), 'base64').toString()) as unknown;
export const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
