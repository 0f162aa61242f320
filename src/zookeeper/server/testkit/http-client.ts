import type { Address, ConnectionHandler } from '../../../runtime/network.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { Simulation } from '../../../runtime/sim/simulation.ts';
import type { ClientTls } from '../../../runtime/tls.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface HttpAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly tls?: ClientTls | undefined;
}

/** One request on a connection of its own, to its end. The status is NaN where there is no answer. */
export async function askHttp(
  sim: Simulation,
  { network }: Runtime,
  to: Address,
  path: string,
  { method = 'GET', headers = {}, body = new Uint8Array(0), tls }: HttpAsk = {},
): Promise<HttpAnswer> {
  const chunks: Uint8Array[] = [];
  let isClosed = false;
  const head = [`${method} ${path} HTTP/1.1`, 'Host: server', 'Connection: close', `Content-Length: ${body.length}`];
  for (const [name, value] of Object.entries(headers)) head.push(`${name}: ${value}`);
  const handler: ConnectionHandler = {
    connected: () => void connection.write([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]),
    data: (chunk) => void chunks.push(chunk),
    closed: () => {
      isClosed = true;
    },
  };
  const connection = network.connect(to, handler, { tls });
  await sim.runUntil(() => isClosed, 60_000);
  const all = Buffer.concat(chunks);
  const end = all.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = all.subarray(0, end).toString('latin1').split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1] ?? Number.NaN),
    headers: new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    ),
    body: all.subarray(end + 4),
  };
}
