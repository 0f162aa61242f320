import { noSlices } from '../../base/slices.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Writer } from '../../wire/writer.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { type ConnectRequest, ConnectResponse } from '../jute/proto.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { Role } from './role.ts';
import { isPasswordOf, SessionIds, sessionPassword } from './session-identity.ts';
import type { Session, Sessions } from './sessions.ts';

/** A connection that asks for a session. */
export interface Applicant {
  /** @param createdInMs how long its creation took; undefined for a session that comes back */
  established(session: Session, response: Uint8Array, createdInMs?: number): void;
  rejected(response: Uint8Array): void;
  /** With a reply's header in the place of a ConnectResponse. */
  refuse(xid: number, zxid: Zxid, err: number): void;
  destroy(reason?: string): void;
}

export interface SessionAdmissionOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: ZooCfg;
  readonly tree: DataTree;
  readonly sessions: Sessions;
  readonly metrics: ServerMetrics;
  /** The top byte of new ids. */
  readonly serverId: number;
  /** New sessions are this server's alone. */
  readonly opensLocal: boolean;
  readonly role: Pick<Role, 'mode' | 'submit' | 'revalidate'>;
  /** Another connection holds the session: the newer one wins. */
  readonly closeOwner: (session: Session) => void;
}

/** Answers ConnectRequests: new sessions, resumed ones, refused ones (ZooKeeperServer.processConnectRequest). */
export class SessionAdmission {
  readonly #options: SessionAdmissionOptions;
  readonly #ids: SessionIds;

  constructor(options: SessionAdmissionOptions) {
    this.#options = options;
    this.#ids = new SessionIds(options.serverId, options.clock.wallMs());
  }

  connect(request: ConnectRequest, applicant: Applicant): void {
    const { tree, config } = this.#options;
    if (this.#isReadOnly && request.readOnly !== true) {
      applicant.destroy('refusing a session: the client wants a server that can write');
      return;
    }
    if (request.lastZxidSeen > tree.lastProcessedZxid) {
      // The client has seen more than we have: it must find another server, so it gets no answer.
      const theirs = printHex(request.lastZxidSeen);
      applicant.destroy(
        `refusing a session: the client has seen zxid ${theirs}, ours is ${printHex(tree.lastProcessedZxid)}`,
      );
      return;
    }
    const timeoutMs = Math.min(Math.max(request.timeOut, config.minSessionTimeoutMs), config.maxSessionTimeoutMs);
    if (request.sessionId === 0n) this.#create(request, timeoutMs, applicant);
    else this.#resume(request, timeoutMs, applicant);
  }

  #create(request: ConnectRequest, timeoutMs: number, applicant: Applicant): void {
    const { sessions, role, clock, tree, opensLocal } = this.#options;
    const id = this.#ids.next((taken) => sessions.get(taken) !== undefined);
    const session = sessions.add(id, timeoutMs, opensLocal ? 'local' : 'global');
    const receivedMs = clock.monotonicMs();
    const established = (): void => {
      const response = this.#responseTo(request, id, timeoutMs);
      applicant.established(session, response, clock.monotonicMs() - receivedMs);
    };
    if (opensLocal) {
      established();
      return;
    }
    role.submit({
      requester: {
        completed: (_, result) => {
          if (result === undefined || result.err === 0) {
            established();
            return;
          }
          // A read-only server can tell nobody of a session.
          sessions.remove(id);
          applicant.refuse(0, tree.lastProcessedZxid, result.err);
        },
      },
      session,
      xid: 0,
      type: OpCode.createSession,
      frame: noSlices,
      ids: [],
      receivedMs,
    });
  }

  #resume(request: ConnectRequest, timeoutMs: number, applicant: Applicant): void {
    const { sessions, closeOwner, metrics, role } = this.#options;
    const id = request.sessionId;
    metrics.connectionRevalidateCount.add();
    // Unlike Apache we look at the password before we close the other connection: who does not know it disturbs nobody.
    if (!isPasswordOf(id, request.passwd)) {
      this.#reject(request, applicant);
      return;
    }
    const known = sessions.get(id);
    if (this.#isReadOnly && known?.scope === 'global') {
      applicant.destroy('refusing a session: a read-only server cannot keep it alive for others');
      return;
    }
    if (known !== undefined && !known.closing) closeOwner(known);
    const answer = (session: Session | undefined): void => {
      if (session === undefined) this.#reject(request, applicant);
      else applicant.established(session, this.#responseTo(request, id, timeoutMs));
    };
    if (known?.scope === 'local') answer(sessions.resume(id, timeoutMs));
    else role.revalidate(id, timeoutMs, answer);
  }

  #reject(request: ConnectRequest, applicant: Applicant): void {
    this.#options.log.info('Invalid session, probably expired', { session: printHex(request.sessionId) });
    applicant.rejected(this.#responseTo(request, 0n as SessionId, 0));
  }

  get #isReadOnly(): boolean {
    return this.#options.role.mode === 'read-only';
  }

  /** With its length. Timeout 0 and id 0 mean: no such session. The flag of a read-only server only for who sent one. */
  #responseTo(request: ConnectRequest, sessionId: SessionId, timeOut: number): Uint8Array {
    const writer = new Writer(64);
    const size = writer.placeInt32();
    ConnectResponse.write(writer, {
      protocolVersion: 0,
      timeOut,
      sessionId,
      passwd: sessionId === 0n ? new Uint8Array(16) : sessionPassword(sessionId),
      readOnly: request.readOnly === undefined ? undefined : this.#isReadOnly,
    });
    writer.patchInt32(size, writer.size - 4);
    return writer.finishFlat();
  }
}
