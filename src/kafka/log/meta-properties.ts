import { CorruptionError, type Disk } from '../../runtime/disk.ts';

/** `meta.properties`: whose log directory this is. Version 0 is ZooKeeper mode's, 1 is KRaft's (`node.id`). */
export const META_PROPERTIES_FILE = 'meta.properties';

export interface MetaProperties {
  readonly version: number;
  /** `broker.id`, or `node.id` in version 1. */
  readonly brokerId?: number;
  readonly clusterId?: string;
  readonly directoryId?: string;
}

/** @param writtenAt the date line that java.util.Properties puts in, `Mon Nov 23 15:54:25 UTC 2026` */
export function encodeMetaProperties(properties: MetaProperties, writtenAt: string): Uint8Array {
  const lines = ['#', `#${writtenAt}`];
  if (properties.brokerId !== undefined) {
    lines.push(`${properties.version === 0 ? 'broker.id' : 'node.id'}=${properties.brokerId}`);
  }
  if (properties.clusterId !== undefined) lines.push(`cluster.id=${properties.clusterId}`);
  if (properties.directoryId !== undefined) lines.push(`directory.id=${properties.directoryId}`);
  lines.push(`version=${properties.version}`);
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** Undefined where there is no file. @throws CorruptionError */
export function readMetaProperties(disk: Disk, logDirectory: string): MetaProperties | undefined {
  const path = `${logDirectory}/${META_PROPERTIES_FILE}`;
  if (disk.stat(path) === undefined) return undefined;
  const values = new Map<string, string>();
  for (const line of Buffer.from(disk.readFile(path)).toString('utf8').split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s][^=:\s]*)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (match !== null) values.set(match[1]!, match[2]!);
  }
  const version = number(path, values.get('version'));
  if (version !== 0 && version !== 1) throw new CorruptionError(path, 0, `Unknown version ${values.get('version')}`);
  const id = values.get(version === 0 ? 'broker.id' : 'node.id');
  const clusterId = values.get('cluster.id');
  const directoryId = values.get('directory.id');
  return {
    version,
    ...(id === undefined ? {} : { brokerId: number(path, id)! }),
    ...(clusterId === undefined ? {} : { clusterId }),
    ...(directoryId === undefined ? {} : { directoryId }),
  };
}

/** Why a broker must not start on these directories, in Apache's words; undefined when all agree. */
export function metaPropertiesFault(
  stored: readonly MetaProperties[],
  configured: { readonly brokerId: number; readonly clusterId: string },
): string | undefined {
  for (const { brokerId, clusterId } of stored) {
    if (brokerId !== undefined && configured.brokerId >= 0 && brokerId !== configured.brokerId) {
      return `Configured broker.id ${configured.brokerId} doesn't match stored broker.id Some(${brokerId}) in meta.properties. If you moved your data, make sure your configured broker.id matches. If you intend to create a new broker, you should remove all data in your data directories (log.dirs).`;
    }
    if (clusterId !== undefined && clusterId !== configured.clusterId) {
      return `The Cluster ID ${configured.clusterId} doesn't match stored clusterId Some(${clusterId}) in meta.properties. The broker is trying to join the wrong cluster. Configured zookeeper.connect may be wrong.`;
    }
  }
  const ids = new Set(stored.map(({ brokerId }) => brokerId).filter((id) => id !== undefined));
  if (ids.size > 1)
    return `Found multiple broker.id values in meta.properties of the log directories: ${[...ids].join(', ')}`;
  return undefined;
}

function number(path: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) throw new CorruptionError(path, 0, `Not a number: ${text}`);
  return Number(text);
}
