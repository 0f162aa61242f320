import { ErrorCode } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import type { MultiOp } from '../multi.ts';
import { parentOf } from '../paths.ts';
import { ensureContainers } from './containers.ts';
import { CorruptValueError } from './errors.ts';
import { Ledger } from './ledger.ts';
import { isError } from './nodes.ts';
import { pause, untilAnswered } from './waiting.ts';

/** Undefined where no node is; its value counts as 0. */
interface Found {
  readonly value: bigint;
  readonly version: number | undefined;
}

/**
 * A 64-bit number that many change; on the znode of Curator's DistributedAtomicLong: 8 bytes, big-endian, none for 0. Changes are
 * compare-and-set by the node's version, repeated until nobody came between, and each is made once (see Ledger).
 */
export class AtomicLong {
  readonly #client: ZookeeperClient;
  readonly #path: string;
  readonly #ledger: Ledger;

  constructor(client: ZookeeperClient, path: string) {
    this.#client = client;
    this.#path = path;
    this.#ledger = new Ledger(client, path);
  }

  async get(): Promise<bigint> {
    return (await this.#read()).value;
  }

  /** Answers the sum, which wraps around at 64 bits. @throws OutcomeUnknownError when the session ends meanwhile */
  add(delta: bigint | number): Promise<bigint> {
    return this.#update((value) => value + BigInt(delta));
  }

  increment(): Promise<bigint> {
    return this.add(1n);
  }

  decrement(): Promise<bigint> {
    return this.add(-1n);
  }

  async set(value: bigint | number): Promise<void> {
    await this.#update(() => BigInt(value));
  }

  /** False if the value is another. */
  async compareAndSet(expected: bigint | number, value: bigint | number): Promise<boolean> {
    for (;;) {
      const found = await this.#read();
      if (found.value !== BigInt(expected)) return false;
      if (await this.#trySet(found, BigInt(value))) return true;
      await pause(this.#client);
    }
  }

  async #update(change: (value: bigint) => bigint): Promise<bigint> {
    for (;;) {
      const found = await this.#read();
      const value = BigInt.asIntN(64, change(found.value));
      if (await this.#trySet(found, value)) return value;
      await pause(this.#client);
    }
  }

  async #read(): Promise<Found> {
    try {
      const { data, stat } = await untilAnswered(this.#client, () => this.#client.getData(this.#path));
      return { value: decode(this.#path, data), version: stat.version };
    } catch (error) {
      if (isError(error, ErrorCode.NONODE)) return { value: 0n, version: undefined };
      throw error;
    }
  }

  /** False if somebody came between. */
  async #trySet({ version }: Found, value: bigint): Promise<boolean> {
    const path = this.#path;
    const data = encode(value);
    const op: MultiOp =
      version === undefined ? { kind: 'create', path, data } : { kind: 'setData', path, data, version };
    try {
      await this.#ledger.commit([op]);
      return true;
    } catch (error) {
      if (isError(error, ErrorCode.BADVERSION) || isError(error, ErrorCode.NODEEXISTS)) return false;
      if (!isError(error, ErrorCode.NONODE)) throw error;
      await untilAnswered(this.#client, () => ensureContainers(this.#client, parentOf(path)));
      return false;
    }
  }
}

function encode(value: bigint): Buffer {
  const data = Buffer.alloc(8);
  data.writeBigInt64BE(BigInt.asIntN(64, value));
  return data;
}

function decode(path: string, data: Buffer | null): bigint {
  if (data === null || data.length === 0) return 0n;
  if (data.length !== 8) throw new CorruptValueError(path, '8 bytes', data);
  return data.readBigInt64BE();
}
