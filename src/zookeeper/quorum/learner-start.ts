/**
 * How a server comes to follow a leader (Learner.registerWithLeader, syncWithLeader), as a step machine: events in, effects out, in
 * the order in which they are to be done.
 *
 *   connecting ─ connected ─▶ registering ─ LEADERINFO, our promise is on our disk ─▶ choosing ─ DIFF, TRUNC or SNAP
 *      ─▶ catching up ─ NEWLEADER, the leader's history is on our disk ─▶ waiting ─ UPTODATE ─▶ active
 *
 * Work on the disk takes time: no packet may be given while it is under way; `done` tells its end.
 */
import { MalformedError } from '../../wire/errors.ts';
import { epochOf, makeZxid, printHex, type Zxid } from '../jute/ids.ts';
import {
  PROTOCOL_VERSION,
  readDesignatedLeader,
  readInformedActivation,
  writeAckEpoch,
  writeLearnerInfo,
} from './packet-data.ts';
import { PacketType, type QuorumPacket } from './quorum-packet.ts';
import type { ServerId } from './quorum-verifier.ts';

export interface LearnerStartOptions {
  readonly self: ServerId;
  readonly role: 'participant' | 'observer';
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** Of our log: what we have promised to keep, committed or not. */
  readonly lastLoggedZxid: Zxid;
  /** Of the membership that we know. */
  readonly configVersion: bigint;
  /** The log could not be brought to a leader's: whatever is in it, the whole history is to come anew. Default false. */
  readonly needsAll?: boolean;
}

/** A proposal of the leader, in its exact bytes: header, body, digest. */
export interface ReceivedProposal {
  readonly zxid: Zxid;
  readonly bytes: Uint8Array;
}

/** A proposal that a quorum has. */
export interface CommittedZxid {
  readonly zxid: Zxid;
  /** Who leads the membership that it makes; undefined of any other transaction. */
  readonly designatedLeader: ServerId | undefined;
}

export type LearnerStartEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'received'; readonly packet: QuorumPacket }
  /** The work of the last effect that takes time is done. */
  | { readonly kind: 'done' };

export type LearnerStartEffect =
  | { readonly kind: 'send'; readonly packet: QuorumPacket }
  /** Promise to follow no leader of an older epoch, durably; then `done`. */
  | { readonly kind: 'acceptEpoch'; readonly epoch: number }
  /** The whole database follows on the connection, then packets again; then `done`. Ours stays as it is for now. */
  | { readonly kind: 'receiveSnapshot'; readonly zxid: Zxid }
  /** The leader's history begins with nothing, and `apply` follows. Ours stays as it is for now. */
  | { readonly kind: 'receiveNothing' }
  /** Forget what is after `zxid`, on the disk and in memory; then `done`. */
  | { readonly kind: 'truncate'; readonly zxid: Zxid }
  /** Into the database that was received. */
  | { readonly kind: 'apply'; readonly proposal: ReceivedProposal }
  /**
   * Make the leader's history ours, durably: the database that was received, if one was; then these proposals into log and tree. Then
   * the epoch is our current one, durably, and the membership in `config` is known. Then `done`. What the history says of earlier
   * memberships needs no attention: `config` is as new.
   */
  | {
      readonly kind: 'adoptHistory';
      readonly epoch: number;
      readonly proposals: readonly ReceivedProposal[];
      readonly config: Uint8Array | null;
    }
  /** The membership in `config` is in force, if that is newer than ours. Clients may come. What the leader has proposed meanwhile goes into the log, then those up to `committed` into the tree. */
  | {
      readonly kind: 'serve';
      readonly epoch: number;
      readonly config: Uint8Array | null;
      readonly proposals: readonly ReceivedProposal[];
      readonly committed: readonly CommittedZxid[];
    };

type Phase = 'connecting' | 'registering' | 'choosing' | 'catching up' | 'waiting' | 'active';

export class LearnerStart {
  readonly #options: LearnerStartOptions;
  #phase: Phase = 'connecting';
  #isBusy = false;
  #newEpoch = 0;
  /** Said in ACKEPOCH: -1 after a promise that was given before. */
  #promisedEpoch = -1;
  /** The database came as a whole: what is committed before NEWLEADER belongs to it. */
  #isSnapshot = false;
  /** Proposed and not yet in log or tree, in order. */
  #proposals: ReceivedProposal[] = [];
  /** Those of them that are committed, in order. */
  #committed: CommittedZxid[] = [];
  /** Of NEWLEADER. */
  #config: Uint8Array | null = null;
  #effects: LearnerStartEffect[] = [];

  constructor(options: LearnerStartOptions) {
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** @throws MalformedError for what no leader sends here: leave it */
  step(event: LearnerStartEvent): LearnerStartEffect[] {
    this.#effects = [];
    switch (event.kind) {
      case 'connected':
        this.#register();
        break;
      case 'received':
        this.#received(event.packet);
        break;
      case 'done':
        this.#done();
        break;
      default:
        return event satisfies never;
    }
    return this.#effects;
  }

  /** Something is under way: packets have to wait. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  #register(): void {
    const { self, role, acceptedEpoch, configVersion } = this.#options;
    this.#phase = 'registering';
    const data = writeLearnerInfo({ server: self, protocolVersion: PROTOCOL_VERSION, configVersion });
    const type = role === 'observer' ? PacketType.OBSERVERINFO : PacketType.FOLLOWERINFO;
    this.#send(type, makeZxid(acceptedEpoch, 0), data);
  }

  #received(packet: QuorumPacket): void {
    switch (this.#phase) {
      case 'registering':
        this.#receivedEpoch(packet);
        break;
      case 'choosing':
        this.#receivedWay(packet);
        break;
      case 'catching up':
      case 'waiting':
        this.#receivedHistory(packet);
        break;
      default:
        throw new MalformedError(`packet ${packet.type} while ${this.#phase}`);
    }
  }

  #receivedEpoch({ type, zxid }: QuorumPacket): void {
    if (type !== PacketType.LEADERINFO) throw new MalformedError(`packet ${type} in place of LEADERINFO`);
    const { acceptedEpoch, currentEpoch } = this.#options;
    this.#newEpoch = epochOf(zxid);
    if (this.#newEpoch < acceptedEpoch) {
      throw new MalformedError(`epoch ${this.#newEpoch} is less than the accepted one, ${acceptedEpoch}`);
    }
    if (this.#newEpoch > acceptedEpoch) {
      this.#promisedEpoch = currentEpoch;
      this.#begin({ kind: 'acceptEpoch', epoch: this.#newEpoch });
    } else {
      this.#promise();
    }
  }

  #promise(): void {
    this.#phase = 'choosing';
    const lastZxid = this.#asksForAll ? (0n as Zxid) : this.#options.lastLoggedZxid;
    this.#send(PacketType.ACKEPOCH, lastZxid, writeAckEpoch(this.#promisedEpoch));
  }

  /**
   * Only of a leader whose epoch we promised before: that our log does not end after its own is what our promise to a new one stands
   * for, so it must not be told of a shorter log.
   */
  get #asksForAll(): boolean {
    return this.#options.needsAll === true && this.#promisedEpoch === -1;
  }

  #receivedWay({ type, zxid }: QuorumPacket): void {
    this.#phase = 'catching up';
    switch (type) {
      case PacketType.DIFF:
        if (!this.#asksForAll) break;
        this.#isSnapshot = true;
        this.#effects.push({ kind: 'receiveNothing' });
        break;
      case PacketType.SNAP:
        this.#isSnapshot = true;
        this.#begin({ kind: 'receiveSnapshot', zxid });
        break;
      case PacketType.TRUNC:
        this.#begin({ kind: 'truncate', zxid });
        break;
      default:
        throw new MalformedError(`packet ${type} in place of DIFF, TRUNC or SNAP`);
    }
  }

  #receivedHistory(packet: QuorumPacket): void {
    const { type, zxid, data } = packet;
    switch (type) {
      case PacketType.PROPOSAL:
        this.#proposed(zxid, data);
        break;
      case PacketType.COMMIT:
        this.#commit(zxid);
        break;
      case PacketType.COMMITANDACTIVATE:
        this.#commit(zxid, readDesignatedLeader(data));
        break;
      case PacketType.INFORM:
        this.#proposed(zxid, data);
        this.#commit(zxid);
        break;
      case PacketType.INFORMANDACTIVATE: {
        const { designatedLeader, proposal } = readInformedActivation(data);
        this.#proposed(zxid, proposal);
        this.#commit(zxid, designatedLeader);
        break;
      }
      case PacketType.NEWLEADER:
        this.#adopt(data);
        break;
      case PacketType.UPTODATE:
        this.#upToDate();
        break;
      case PacketType.PING:
        // The leader pings whom it sends to, also before it is up to date. It awaits the ACK of NEWLEADER, and no answer to this.
        break;
      default:
        throw new MalformedError(`packet ${type} while ${this.#phase}`);
    }
  }

  #proposed(zxid: Zxid, data: Uint8Array | null): void {
    if (data === null) throw new MalformedError(`the proposal ${printHex(zxid)} is empty`);
    const last = this.#proposals.at(-1);
    // A gap would be a history that is not the leader's; a new epoch begins anew.
    if (last !== undefined && zxid !== last.zxid + 1n && epochOf(zxid) <= epochOf(last.zxid)) {
      throw new MalformedError(`proposal ${printHex(zxid)} follows ${printHex(last.zxid)}`);
    }
    this.#proposals.push({ zxid, bytes: Buffer.from(data) });
  }

  #commit(zxid: Zxid, designatedLeader?: ServerId): void {
    const next = this.#proposals[this.#committed.length];
    if (next?.zxid !== zxid) {
      throw new MalformedError(
        `${printHex(zxid)} is committed, and ${next === undefined ? 'nothing' : printHex(next.zxid)} is next`,
      );
    }
    if (this.#isSnapshot && this.#phase === 'catching up') {
      this.#proposals.shift();
      this.#effects.push({ kind: 'apply', proposal: next });
    } else {
      this.#committed.push({ zxid, designatedLeader });
    }
  }

  #adopt(config: Uint8Array | null): void {
    if (this.#phase !== 'catching up') throw new MalformedError('a second NEWLEADER');
    this.#phase = 'waiting';
    const proposals = this.#proposals.splice(0, this.#committed.length);
    this.#committed = [];
    this.#config = config === null ? null : Buffer.from(config);
    this.#begin({ kind: 'adoptHistory', epoch: this.#newEpoch, proposals, config: this.#config });
  }

  #upToDate(): void {
    if (this.#phase !== 'waiting') throw new MalformedError('UPTODATE before NEWLEADER');
    this.#phase = 'active';
    this.#acknowledgeEpoch();
    this.#effects.push({
      kind: 'serve',
      epoch: this.#newEpoch,
      config: this.#config,
      proposals: this.#proposals,
      committed: this.#committed,
    });
  }

  #done(): void {
    this.#isBusy = false;
    if (this.#phase === 'registering') this.#promise();
    else if (this.#phase === 'waiting') this.#acknowledgeEpoch();
  }

  #acknowledgeEpoch(): void {
    this.#send(PacketType.ACK, makeZxid(this.#newEpoch, 0), null);
  }

  #begin(effect: LearnerStartEffect): void {
    this.#isBusy = true;
    this.#effects.push(effect);
  }

  #send(type: number, zxid: Zxid, data: Uint8Array | null): void {
    this.#effects.push({ kind: 'send', packet: { type, zxid, data, authinfo: null } });
  }
}
