import type { Zxid } from '../jute/ids.ts';
import { writeDesignatedLeader, writeInformedActivation } from './packet-data.ts';
import { PacketType, type QuorumPacket } from './quorum-packet.ts';
import type { ServerId } from './quorum-verifier.ts';

/** COMMIT; with the leader that a new membership wants, of a reconfiguration alone, COMMITANDACTIVATE. */
export function commitPacket(zxid: Zxid, leader: ServerId | undefined): QuorumPacket {
  if (leader === undefined) return { type: PacketType.COMMIT, zxid, data: null, authinfo: null };
  return { type: PacketType.COMMITANDACTIVATE, zxid, data: writeDesignatedLeader(leader), authinfo: null };
}

/** The same for observers, who have not seen the proposal: INFORM, INFORMANDACTIVATE. */
export function informPacket(zxid: Zxid, bytes: Uint8Array, leader: ServerId | undefined): QuorumPacket {
  if (leader === undefined) return { type: PacketType.INFORM, zxid, data: bytes, authinfo: null };
  const data = writeInformedActivation({ designatedLeader: leader, proposal: bytes });
  return { type: PacketType.INFORMANDACTIVATE, zxid, data, authinfo: null };
}
