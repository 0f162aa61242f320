import type { SessionId } from '../jute/ids.ts';

/** ContainerManager's mark of a container node: never a session. */
const CONTAINER_MARK = -0x8000_0000_0000_0000n;
const PASSWORD_SALT = 0xb341_5c00n;
const MULTIPLIER = 0x5_deec_e66dn;
const MASK_48 = 0xffff_ffff_ffffn;

/**
 * The password of a session: a pure function of its id, the same on every server of every implementation, since any member of
 * an ensemble must be able to verify it. It is the output of java.util.Random seeded with the salted id
 * (ZooKeeperServer.generatePasswd), each 32-bit number least significant byte first (Random.nextBytes).
 */
export function sessionPassword(id: SessionId): Uint8Array {
  const password = Buffer.alloc(16);
  let state = (BigInt.asUintN(64, id ^ PASSWORD_SALT) ^ MULTIPLIER) & MASK_48;
  for (let offset = 0; offset < 16; offset += 4) {
    state = (state * MULTIPLIER + 0xbn) & MASK_48;
    password.writeUInt32LE(Number((state >> 16n) & 0xffff_ffffn), offset);
  }
  return password;
}

/** Id 0 never fits: it is what a rejected session is told. */
export function isPasswordOf(id: SessionId, password: Uint8Array | null): boolean {
  return id !== 0n && password !== null && Buffer.compare(sessionPassword(id), password) === 0;
}

/**
 * Ids of new sessions: ` server id:8 | milliseconds:40 | counter:16 `, counted on from there (SessionTrackerImpl). The wall clock,
 * as 3.4 used it: our monotonic clock starts again with the process, and an id must not.
 */
export class SessionIds {
  #next: bigint;

  constructor(serverId: number, wallMs: number) {
    const time = BigInt.asUintN(64, BigInt(wallMs) << 24n) >> 8n;
    this.#next = BigInt.asIntN(64, time | (BigInt(serverId & 0xff) << 56n));
  }

  /** @param isTaken ids that a recovered session holds are passed over */
  next(isTaken: (id: SessionId) => boolean): SessionId {
    for (;;) {
      const id = this.#next;
      this.#next = BigInt.asIntN(64, id + 1n);
      if (id !== CONTAINER_MARK && id !== 0n && !isTaken(id)) return id;
    }
  }
}
