import type { TlsFor } from '../../config/client-tls.ts';
import type { Address, Connection, ConnectionHandler } from '../../runtime/network.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { ClientTls } from '../../runtime/tls.ts';

const ANSWER_TIMEOUT_MS = 5000;

/** Asks a server with a four-letter word; all that it says until it closes. Undefined if it says nothing. */
export async function fourLetterWord(
  runtime: Runtime,
  host: string,
  port: number,
  word: string,
  tls?: TlsFor,
): Promise<string | undefined> {
  const addresses = await runtime.network.resolve(host).catch((): readonly string[] => []);
  for (const address of addresses) {
    const answer = await ask(runtime, { host: address, port }, word, tls?.(host));
    if (answer !== '') return answer;
  }
  return undefined;
}

function ask(runtime: Runtime, to: Address, word: string, tls: ClientTls | undefined): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    const handler: ConnectionHandler = {
      connected: () => void connection.write([Buffer.from(word)]),
      data: (chunk) => void chunks.push(chunk),
      closed: () => {
        timer.cancel();
        resolve(Buffer.concat(chunks).toString());
      },
    };
    const connection: Connection = runtime.network.connect(to, handler, { tls });
    const timer = runtime.clock.after(ANSWER_TIMEOUT_MS, () => connection.destroy());
  });
}
