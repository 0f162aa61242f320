import type { Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';

/** What `cons` shows of a connection (ServerCnxn). */
export class ConnectionStats {
  packetsReceived = 0;
  packetsSent = 0;
  lastType = 0;
  /** Of a request, not of a ping or another xid that means something; -1 before the first. */
  lastCxid = -1;
  lastZxid: Zxid = -1n as Zxid;
  /** Wall clock, milliseconds. */
  lastResponseMs = 0;
  lastLatencyMs = 0;
  minLatencyMs = Infinity;
  maxLatencyMs = 0;
  totalLatencyMs = 0;
  latencyCount = 0;

  /** To Apache's the creation of a session is a request like others, with xid 0. */
  sessionCreated(latencyMs: number): void {
    this.requested(OpCode.createSession, 0);
    this.answered(latencyMs, 1);
  }

  requested(type: number, xid: number): void {
    this.lastType = type;
    if (xid >= 0) this.lastCxid = xid;
  }

  answered(latencyMs: number, count: number): void {
    const wholeMs = Math.floor(latencyMs);
    this.lastLatencyMs = wholeMs;
    this.totalLatencyMs += wholeMs * count;
    this.latencyCount += count;
    if (wholeMs < this.minLatencyMs) this.minLatencyMs = wholeMs;
    if (wholeMs > this.maxLatencyMs) this.maxLatencyMs = wholeMs;
  }

  /** `crst`. */
  reset(): void {
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.lastType = 0;
    this.lastCxid = -1;
    this.lastZxid = -1n as Zxid;
    this.lastResponseMs = 0;
    this.lastLatencyMs = 0;
    this.minLatencyMs = Infinity;
    this.maxLatencyMs = 0;
    this.totalLatencyMs = 0;
    this.latencyCount = 0;
  }
}

/** The codes of Request.op2String, cut to what `cons` prints. */
const shortNames: ReadonlyMap<number, string> = new Map([
  [OpCode.create, 'CREA'],
  [OpCode.create2, 'CREA'],
  [OpCode.createContainer, 'CREA'],
  [OpCode.createTTL, 'CREA'],
  [OpCode.setData, 'SETD'],
  [OpCode.delete, 'DELE'],
  [OpCode.exists, 'EXIS'],
  [OpCode.getData, 'GETD'],
  [OpCode.getACL, 'GETA'],
  [OpCode.setACL, 'SETA'],
  [OpCode.getChildren, 'GETC'],
  [OpCode.getChildren2, 'GETC'],
  [OpCode.getAllChildrenNumber, 'GETACN'],
  [OpCode.getEphemerals, 'GETE'],
  [OpCode.addWatch, 'ADDW'],
  [OpCode.setWatches, 'SETW'],
  [OpCode.setWatches2, 'STW2'],
  [OpCode.checkWatches, 'CHKW'],
  [OpCode.removeWatches, 'REMW'],
  [OpCode.sync, 'SYNC'],
  [OpCode.ping, 'PING'],
  [OpCode.createSession, 'SESS'],
  [OpCode.closeSession, 'CLOS'],
  [OpCode.multi, 'MULT'],
  [OpCode.multiRead, 'MLTR'],
  [OpCode.check, 'CHEC'],
  [OpCode.reconfig, 'RECO'],
  [OpCode.whoAmI, 'HOMI'],
]);

export function shortOpName(type: number): string {
  return shortNames.get(type) ?? 'NA';
}
