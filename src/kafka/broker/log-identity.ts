import type { Disk } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import {
  encodeMetaProperties,
  META_PROPERTIES_FILE,
  type MetaProperties,
  readMetaProperties,
} from '../log/meta-properties.ts';

/** The log dirs belong to another broker or cluster: starting on them would mix their records. */
export class InconsistentLogDirsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InconsistentLogDirsError';
  }
}

export interface IdentityOptions {
  readonly disk: Disk;
  readonly logDirs: readonly string[];
  readonly clusterId: string;
  /** `broker.id`; -1: what the log dirs say, else a generated one. */
  readonly brokerId: number;
  readonly generateBrokerId: () => Promise<number>;
}

export interface Identity {
  readonly brokerId: number;
  /** Log dirs that do not say yet whose they are. */
  readonly unmarked: readonly string[];
}

/**
 * Which broker the log dirs belong to (`BrokerMetadataCheckpoint`): all must agree, with `broker.id` and with the cluster.
 * @throws InconsistentLogDirsError
 */
export async function identify({
  disk,
  logDirs,
  clusterId,
  brokerId,
  generateBrokerId,
}: IdentityOptions): Promise<Identity> {
  const unmarked: string[] = [];
  const ids = new Set<number>();
  for (const directory of logDirs) {
    const stored = readStored(disk, directory);
    if (stored === undefined) {
      unmarked.push(directory);
      continue;
    }
    if (stored.clusterId !== undefined && stored.clusterId !== clusterId) {
      throw new InconsistentLogDirsError(
        `The Cluster ID ${clusterId} doesn't match stored clusterId Some(${stored.clusterId}) in meta.properties of ${directory}. ` +
          'The broker is trying to join the wrong cluster. Configured zookeeper.connect may be wrong.',
      );
    }
    if (stored.brokerId !== undefined) ids.add(stored.brokerId);
  }
  if (ids.size > 1) {
    throw new InconsistentLogDirsError(
      `Failed to match broker.id across log.dirs. The log dirs name ${[...ids].join(', ')}: they belong to several brokers.`,
    );
  }
  const [stored] = ids;
  if (stored !== undefined && brokerId >= 0 && stored !== brokerId) {
    throw new InconsistentLogDirsError(
      `Configured broker.id ${brokerId} doesn't match stored broker.id Some(${stored}) in meta.properties. ` +
        'If you moved your data, make sure your configured broker.id matches. If you intend to create a new broker, ' +
        `you should remove all data in your data directories (log.dirs).`,
    );
  }
  return { brokerId: stored ?? (brokerId >= 0 ? brokerId : await generateBrokerId()), unmarked };
}

function readStored(disk: Disk, directory: string): MetaProperties | undefined {
  return disk.stat(directory) === undefined ? undefined : readMetaProperties(disk, directory);
}

/** Writes `meta.properties` where it is missing, durably. */
export async function mark(
  runtime: Runtime,
  directories: readonly string[],
  identity: { brokerId: number; clusterId: string },
): Promise<void> {
  const bytes = encodeMetaProperties({ version: 0, ...identity }, runtime.clock.localTime(runtime.clock.wallMs()));
  await Promise.all(
    directories.map(
      (directory) =>
        new Promise<void>((resolve, reject) => {
          runtime.disk.replaceFile(`${directory}/${META_PROPERTIES_FILE}`, bytes, (error) =>
            error === undefined ? resolve() : reject(error),
          );
        }),
    ),
  );
}
