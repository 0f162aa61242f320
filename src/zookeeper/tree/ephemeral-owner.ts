import type { SessionId } from '../jute/ids.ts';

/** The stored ephemeralOwner of container nodes (EphemeralType.CONTAINER_EPHEMERAL_OWNER). */
export const CONTAINER_OWNER = -0x8000_0000_0000_0000n as SessionId;
/** The top byte of owners that are not sessions; a server's myid must be at most 254 while TTL nodes are enabled. */
const EXTENDED = 0xffn << 56n;
/** Milliseconds: 40 bits. */
export const TTL_MAX = 0xff_ffff_ffff;

export function ttlOwner(ttlMs: number): SessionId {
  return BigInt.asIntN(64, EXTENDED | BigInt(ttlMs)) as SessionId;
}

export function isTtlOwner(owner: SessionId): boolean {
  return BigInt.asUintN(64, owner) >> 40n === 0xff_0000n;
}

/** Milliseconds. */
export function ttlOf(owner: SessionId): number {
  return Number(BigInt.asUintN(40, owner));
}

export type NodeKind = 'persistent' | 'ephemeral' | 'container' | 'ttl';

/** @param extendedTypes `zookeeper.extendedTypesEnabled`: without it 0xff in the top byte is an ordinary session of server 255 */
export function kindOfOwner(owner: SessionId, extendedTypes: boolean): NodeKind {
  if (owner === 0n) return 'persistent';
  if (owner === CONTAINER_OWNER) return 'container';
  return extendedTypes && isTtlOwner(owner) ? 'ttl' : 'ephemeral';
}
