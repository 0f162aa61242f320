import type { ClientRequest, IncomingMessage } from 'node:http';
import type { TlsFor } from '../../../config/client-tls.ts';
import type { Timer } from '../../../runtime/clock.ts';
import { ConnectionDuplex } from '../../../runtime/connection-duplex.ts';
import { NetworkError } from '../../../runtime/network.ts';
import type { Runtime } from '../../../runtime/runtime.ts';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For https. */
  readonly tls: TlsFor | undefined;
  readonly connectTimeoutMs: number;
  /** Without a byte of the answer. */
  readonly readTimeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Answers with keys and tokens are small. */
const BODY_BYTES_MAX = 1 << 20;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** One request over a connection of its own; redirections are not followed. @throws NetworkError and what Node's parser finds */
export function requestOverHttp(runtime: Pick<Runtime, 'network' | 'clock'>, asked: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const watch = new Watch(runtime, () =>
      duplex.destroy(new NetworkError('ETIMEDOUT', `${where(asked.url)} is silent`)),
    );
    const duplex = connected(runtime, asked, watch);
    const done = (finish: () => void): void => {
      watch.stop();
      duplex.destroy();
      finish();
    };
    const fail = (error: Error): void => done(() => reject(error));
    duplex.on('error', fail);
    const request = clientRequest(asked, duplex);
    request.on('error', fail);
    request.on('response', (response) => {
      bodyOf(response).then((body) => done(() => resolve({ status: response.statusCode ?? 0, body })), fail);
    });
    request.end(asked.body);
  });
}

function connected(
  { network }: Pick<Runtime, 'network'>,
  { url, tls, connectTimeoutMs, readTimeoutMs }: HttpRequest,
  watch: Watch,
): ConnectionDuplex {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port);
  watch.arm(connectTimeoutMs);
  const connection = network.connect(
    { host, port },
    {
      connected: () => watch.arm(readTimeoutMs),
      data: (chunk) => {
        watch.arm(readTimeoutMs);
        duplex.handler.data(chunk);
      },
      ended: () => duplex.handler.ended?.(),
      drained: () => duplex.handler.drained?.(),
      closed: (reason) => duplex.handler.closed(reason ?? new NetworkError('ECONNRESET', `${where(url)} closed`)),
    },
    { tls: tls?.(host) },
  );
  const duplex = new ConnectionDuplex(connection);
  return duplex;
}

/** A deadline that moves. */
class Watch {
  readonly #runtime: Pick<Runtime, 'clock'>;
  readonly #late: () => void;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(runtime: Pick<Runtime, 'clock'>, late: () => void) {
    this.#runtime = runtime;
    this.#late = late;
  }

  arm(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#runtime.clock.after(delayMs, this.#late);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }
}

/** Node's client is loaded for the first who asks. */
function clientRequest({ url, method, headers, body }: HttpRequest, duplex: ConnectionDuplex): ClientRequest {
  const { request } = process.getBuiltinModule('node:http');
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  return request({
    host: url.hostname,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { Host: url.host, ...headers, ...length },
    createConnection: () => duplex,
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new NetworkError('EMSGSIZE', 'the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Without a query: there may be secrets in it. */
function where({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}
