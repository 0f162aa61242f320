/** A client that speaks to one member and tells what it hears, in words that two ensembles can have in common. */
import { nodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { OpCode } from '../../../src/zookeeper/jute/op-codes.ts';
import { type Hello, RawClient } from '../../../src/zookeeper/server/testkit/raw-client.ts';
import type { TestRequest } from '../../../src/zookeeper/server/testkit/requests.ts';
import { fourLetterWord } from '../peers/apache-zookeeper.ts';
import { until } from '../peers/process.ts';
import type { Member } from './member.ts';

export interface SessionIdentity {
  readonly sessionId: bigint;
  readonly passwd: Uint8Array;
}

const runtime = nodeRuntime({ logLevel: 'off' });

export class SessionClient {
  readonly #raw: RawClient;

  private constructor(raw: RawClient) {
    this.#raw = raw;
  }

  /** Resolves when the server has answered, in whatever way. */
  static async open({ port }: Member, hello: Hello = {}): Promise<SessionClient> {
    const raw = new RawClient(runtime, { host: '127.0.0.1', port });
    raw.hello(hello);
    const client = new SessionClient(raw);
    await until('an answer to a ConnectRequest', () => raw.session !== undefined || raw.isClosed || undefined);
    return client;
  }

  get identity(): SessionIdentity {
    const { sessionId = 0n, passwd = null } = this.#raw.session ?? {};
    return { sessionId, passwd: passwd ?? new Uint8Array(16) };
  }

  /** How the server took us. */
  get admission(): string {
    const { session } = this.#raw;
    if (session === undefined) return 'closed';
    const { sessionId, timeOut, readOnly } = session;
    if (sessionId === 0n) return 'rejected';
    return `session of ${BigInt.asUintN(64, sessionId) >> 56n}, ${timeOut} ms, read-only ${readOnly}`;
  }

  get isClosed(): boolean {
    return this.#raw.isClosed;
  }

  /** Sends together, and resolves to the errors of the answers and the bodies, in order. */
  async ask(...requests: readonly TestRequest[]): Promise<string[]> {
    const raw = this.#raw;
    const xids = raw.sendTogether(requests);
    await until('answers', () => xids.every((xid) => raw.reply(xid) !== undefined) || raw.isClosed || undefined);
    return xids.map((xid) => {
      const reply = raw.reply(xid);
      return reply === undefined ? 'closed' : `${reply.err} ${Buffer.from(reply.body).toString('hex')}`.trim();
    });
  }

  /** The end of the session as its client wants it. */
  async end(): Promise<string[]> {
    const answers = await this.ask({ type: OpCode.closeSession, body: () => undefined });
    await this.closed();
    return answers;
  }

  closed(): Promise<true> {
    return until('the end of a connection', () => this.#raw.isClosed || undefined);
  }

  /** The client is gone, the session stays. */
  leave(): void {
    this.#raw.connection.destroy();
  }
}

/** Of the last transaction in the member's tree, within its epoch. */
export async function counterAt(member: Member): Promise<number> {
  return Number(BigInt((await member.zxid()) ?? '0x0') & 0xffff_ffffn);
}

export async function sessionCounts({ port }: Member): Promise<string> {
  const text = await fourLetterWord(port, 'mntr');
  const count = (name: string): string | undefined => new RegExp(`^zk_${name}\t(.*)$`, 'm').exec(text)?.[1];
  return `${count('local_sessions')} local, ${count('global_sessions')} global`;
}
