import { MalformedError } from '../../wire/errors.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import { Id } from './data.ts';
import { buffer, type InferRecord, int, long, record, vector, zxid } from './record.ts';

// Module org.apache.zookeeper.server.quorum.

/** Travels without an outer length. */
export const QuorumPacket = record('QuorumPacket', { type: int, zxid, data: buffer, authinfo: vector(Id) });
export type QuorumPacket = InferRecord<typeof QuorumPacket>;

export const QuorumAuthPacket = record('QuorumAuthPacket', { magic: long, status: int, token: buffer });
export type QuorumAuthPacket = InferRecord<typeof QuorumAuthPacket>;

/** FOLLOWERINFO's data: 20 bytes. 3.4.8 sends 12 (no configVersion), still older servers 8 (only the id). */
export interface LearnerInfo {
  serverid: bigint;
  protocolVersion: number;
  configVersion: bigint;
}
export const LearnerInfo = {
  read(from: Reader): LearnerInfo {
    if (from.remaining < 8) throw new MalformedError(`a LearnerInfo of ${from.remaining} bytes`);
    const serverid = from.bigint64();
    const protocolVersion = from.remaining >= 4 ? from.int32() : 0;
    const configVersion = from.remaining >= 8 ? from.bigint64() : 0n;
    return { serverid, protocolVersion, configVersion };
  },
  write(to: Writer, info: LearnerInfo): void {
    to.bigint64(info.serverid);
    to.int32(info.protocolVersion);
    to.bigint64(info.configVersion);
  },
};
