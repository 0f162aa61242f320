import { type InferRecord, int, long, record } from './record.ts';

// Module org.apache.zookeeper.server.persistence.

/** The first 16 bytes of transaction logs and snapshots. */
export const FileHeader = record('FileHeader', { magic: int, version: int, dbid: long });
export type FileHeader = InferRecord<typeof FileHeader>;
