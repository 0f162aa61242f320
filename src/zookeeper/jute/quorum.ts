import { Id } from './data.ts';
import { buffer, type InferRecord, int, long, record, vector, zxid } from './record.ts';

// Module org.apache.zookeeper.server.quorum.

/** Travels without an outer length. */
export const QuorumPacket = record('QuorumPacket', { type: int, zxid, data: buffer, authinfo: vector(Id) });
export type QuorumPacket = InferRecord<typeof QuorumPacket>;

export const QuorumAuthPacket = record('QuorumAuthPacket', { magic: long, status: int, token: buffer });
export type QuorumAuthPacket = InferRecord<typeof QuorumAuthPacket>;
