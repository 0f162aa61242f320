import { ErrorCode } from '../../zookeeper/jute/errors.ts';
import { type ControllerEpoch, fenced } from './controller-election.ts';
import { unless, watching, type ZkConnection } from './zk-connection.ts';
import { decodeJson, encodeJson, paths } from './znodes.ts';

/** A partition that an administrator asks something for. */
export interface AskedPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface AskedAssignment extends AskedPartition {
  readonly replicas: readonly number[];
}

/**
 * What tools of before KIP-455 and KIP-460 leave below /admin for the controller: elections of preferred leaders and
 * reassignments. A node is there as long as its work is not done, and its watch tells of the next one.
 */
export class AdminRequests {
  readonly #zk: ZkConnection;

  constructor(zk: ZkConnection) {
    this.#zk = zk;
  }

  /** Undefined while nobody asks; `onChange` is called once when that changes. */
  preferredElection(onChange?: () => void): Promise<readonly AskedPartition[] | undefined> {
    return this.#read(paths.preferredReplicaElection, onChange, (row) => partitionOf(row));
  }

  /** The elections were tried, whatever came of them. */
  forgetPreferredElection(epoch: ControllerEpoch): Promise<void> {
    return this.#remove(paths.preferredReplicaElection, epoch);
  }

  reassignments(onChange?: () => void): Promise<readonly AskedAssignment[] | undefined> {
    return this.#read(paths.reassignPartitions, onChange, (row) => ({
      ...partitionOf(row),
      replicas: Array.isArray(row.replicas) ? row.replicas.map(Number) : [],
    }));
  }

  /** What of the reassignments is still to be done; the node goes with the last of them. */
  async keepReassignments(rest: readonly AskedAssignment[], epoch: ControllerEpoch): Promise<void> {
    const path = paths.reassignPartitions;
    if (rest.length === 0) return this.#remove(path, epoch);
    const partitions = rest.map(({ topic, partition, replicas }) => ({ topic, partition, replicas }));
    const data = encodeJson({ version: 1, partitions });
    await unless(ErrorCode.NONODE, fenced(this.#zk, epoch, { kind: 'setData', path, data, version: -1 }));
  }

  async #read<T>(
    path: string,
    onChange: (() => void) | undefined,
    decode: (row: Row) => T,
  ): Promise<readonly T[] | undefined> {
    for (;;) {
      const node = await unless(ErrorCode.NONODE, this.#zk.requests.getData(path, watching(onChange)));
      if (node !== undefined) {
        const rows = decodeJson(node.data)?.partitions;
        return Array.isArray(rows) ? rows.filter(isRow).map(decode) : [];
      }
      if ((await this.#zk.requests.exists(path, watching(onChange))) === undefined) return undefined;
    }
  }

  async #remove(path: string, epoch: ControllerEpoch): Promise<void> {
    await unless(ErrorCode.NONODE, fenced(this.#zk, epoch, { kind: 'delete', path, version: -1 }));
  }
}

type Row = Readonly<Record<string, unknown>>;

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null;

function partitionOf(row: Row): AskedPartition {
  return { topic: String(row.topic), partition: Number(row.partition) };
}
