import type { Runtime } from '../../runtime/runtime.ts';

const ANSWER_TIMEOUT_MS = 5000;

/** Asks a server with a four-letter word; all that it says until it closes. Undefined if it says nothing. */
export async function fourLetterWord(
  runtime: Runtime,
  host: string,
  port: number,
  word: string,
): Promise<string | undefined> {
  const addresses = await runtime.network.resolve(host).catch((): readonly string[] => []);
  for (const address of addresses) {
    const answer = await ask(runtime, address, port, word);
    if (answer !== '') return answer;
  }
  return undefined;
}

function ask(runtime: Runtime, host: string, port: number, word: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    const connection = runtime.network.connect(
      { host, port },
      {
        connected: () => void connection.write([Buffer.from(word)]),
        data: (chunk) => void chunks.push(chunk),
        closed: () => {
          timer.cancel();
          resolve(Buffer.concat(chunks).toString());
        },
      },
    );
    const timer = runtime.clock.after(ANSWER_TIMEOUT_MS, () => connection.destroy());
  });
}
