import { type Address, type Listener, type Network, NetworkError } from '../runtime/network.ts';
import { below, type Random } from '../runtime/random.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** Ports that stay a member's while it does not listen on them. */
export interface MemberPorts {
  readonly clientPort: number;
  readonly peerPort: number;
  readonly electionPort: number;
  release(): Promise<void>;
}

/** Below those that systems give to whoever asks for any: 32768 and up on Linux, 49152 and up elsewhere. */
export const LOWEST_PORT = 10_000;
const HIGHEST_PORT = 32_000;
export const BLOCK_SIZE = 4;
const TRIES = 100;

/**
 * Every member's ports are told to all before any of them listens, and only the leader listens on its peer port, so a port that was
 * free a moment ago is not good enough. Here ports come in blocks of four, and who listens on the fourth has the others, also
 * while nobody listens on them: two ensembles never share one, in whatever processes they run.
 */
export async function claimPorts({ network, random }: Runtime, host: string): Promise<MemberPorts> {
  for (let tries = 1; ; tries += 1) {
    const [clientPort, peerPort, electionPort, lock] = drawBlock(random);
    const held: Listener[] = [];
    try {
      held.push(await listen(network, { host, port: lock }));
      for (const port of [clientPort, peerPort, electionPort]) await (await listen(network, { host, port })).close();
      return { clientPort, peerPort, electionPort, release: () => closeAll(held) };
    } catch (error) {
      await closeAll(held);
      const isTaken = error instanceof NetworkError && (error.code === 'EADDRINUSE' || error.code === 'EACCES');
      if (!isTaken || tries === TRIES) throw error;
    }
  }
}

function drawBlock(random: Random): [number, number, number, number] {
  const first = LOWEST_PORT + BLOCK_SIZE * below(random, (HIGHEST_PORT - LOWEST_PORT) / BLOCK_SIZE);
  return [first, first + 1, first + 2, first + 3];
}

/** Whoever connects is no friend. */
function listen(network: Network, at: Address): Promise<Listener> {
  return network.listen(at, (connection) => {
    connection.destroy();
    return { data: () => undefined, closed: () => undefined };
  });
}

async function closeAll(listeners: readonly Listener[]): Promise<void> {
  for (const listener of listeners) await listener.close();
}
