import type { Slices } from '../../../base/slices.ts';
import type { Connection } from '../../../runtime/network.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';
import { FrameSplitter } from '../../../wire/framing.ts';
import { Reader } from '../../../wire/reader.ts';
import type { Writer } from '../../../wire/writer.ts';
import { OpCode, Xid } from '../../jute/op-codes.ts';
import { ConnectRequest, ConnectResponse, ReplyHeader, RequestHeader, WatcherEvent } from '../../jute/proto.ts';
import { encodeRecord } from '../frames.ts';

/** What servers of one ensemble share. */
export class FakeEnsemble {
  readonly sessions = new Map<bigint, Uint8Array>();
  /** Every frame that reached a server, in order: `h1 getData`, `h2 setWatches`. */
  readonly heard: string[] = [];
  zxid = 100n;
  #nextSession = 0x1000n;
  #links = 0;

  countLink(): number {
    this.#links += 1;
    return this.#links;
  }

  open(): bigint {
    const id = this.#nextSession;
    this.#nextSession += 1n;
    this.sessions.set(
      id,
      Uint8Array.from({ length: 16 }, (_, index) => Number(id & 0xffn) + index),
    );
    return id;
  }
}

/** A request as the test sees it. */
export interface FakeRequest {
  readonly xid: number;
  readonly type: number;
  readonly body: Reader;
  readonly link: FakeLink;
}

/**
 * A server without a tree: it keeps sessions, answers pings and the end of a session, and leaves every other answer to the test.
 * What it cannot get wrong on its own it can be told to: silence, strange frames, any order.
 */
export class FakeServer {
  readonly links: FakeLink[] = [];
  readonly hellos: ConnectRequest[] = [];
  readonly machine: SimMachine;
  readonly ensemble: FakeEnsemble;
  /** Answers a request; by default with an empty success. */
  onRequest: (request: FakeRequest) => void = ({ link, xid }) => link.reply(xid);
  timeoutMs = 30_000;
  readOnly = false;
  /** Takes connections and bytes, says nothing. */
  silent = false;
  /** What `isro` answers; without it the word is no handshake. */
  isro: 'rw' | 'ro' = 'rw';

  constructor(machine: SimMachine, ensemble: FakeEnsemble) {
    this.machine = machine;
    this.ensemble = ensemble;
  }

  listen(): Promise<unknown> {
    return this.machine.runtime.network.listen({ host: '0.0.0.0', port: 2181 }, (connection) => {
      const link = new FakeLink(this, connection);
      this.links.push(link);
      return link;
    });
  }

  get link(): FakeLink {
    return this.links.at(-1) as FakeLink;
  }
}

/** One connection of a client. */
export class FakeLink {
  readonly #server: FakeServer;
  readonly #connection: Connection;
  readonly #splitter = new FrameSplitter(10_000_000);
  /** Counts over all servers, from 1. */
  readonly openedAs: number;
  #greeted = false;
  /** The first bytes, until they show what they are. */
  #early: Buffer | undefined = Buffer.alloc(0);

  constructor(server: FakeServer, connection: Connection) {
    this.#server = server;
    this.#connection = connection;
    this.openedAs = server.ensemble.countLink();
  }

  data(chunk: Uint8Array): void {
    let bytes: Uint8Array = chunk;
    if (this.#early !== undefined) {
      this.#early = Buffer.concat([this.#early, chunk]);
      if (this.#early.length < 4) return; // too little to tell a word from a frame's size
      if (this.#early.toString() === 'isro') {
        this.#connection.write([Buffer.from(this.#server.isro)]);
        this.#connection.end();
        return;
      }
      bytes = this.#early;
      this.#early = undefined;
    }
    this.#splitter.push(bytes, (frame) => {
      this.#take(frame);
      return true;
    });
  }

  closed(): void {}

  reset(): void {
    this.#connection.destroy();
  }

  /** A reply's frame; `zxid` defaults to the ensemble's. */
  replyFrame(xid: number, options: { err?: number; zxid?: bigint; write?: (to: Writer) => void } = {}): Uint8Array {
    const header = { xid, zxid: options.zxid ?? this.#server.ensemble.zxid, err: options.err ?? 0 };
    return frameOf((to) => {
      ReplyHeader.write(to, header);
      options.write?.(to);
    });
  }

  reply(xid: number, options: { err?: number; zxid?: bigint; write?: (to: Writer) => void } = {}): void {
    this.send(this.replyFrame(xid, options));
  }

  eventFrame(type: number, path: string, zxid = -1n): Uint8Array {
    return frameOf((to) => {
      ReplyHeader.write(to, { xid: Xid.notification, zxid, err: 0 });
      WatcherEvent.write(to, { type, state: 3, path });
    });
  }

  /** All in one write. */
  send(...frames: Uint8Array[]): void {
    this.#connection.write([Buffer.concat(frames)]);
  }

  #take(frame: Slices): void {
    if (this.#server.silent) return;
    const reader = new Reader(frame);
    if (!this.#greeted) {
      this.#greeted = true;
      this.#greet(ConnectRequest.read(reader));
      return;
    }
    const { xid, type } = RequestHeader.read(reader);
    const name = Object.entries(OpCode).find(([, code]) => code === type)?.[0] ?? String(type);
    this.#server.ensemble.heard.push(`${this.#server.machine.name} ${name}`);
    if (type === OpCode.ping) this.reply(Xid.ping);
    else if (type === OpCode.closeSession) {
      this.reply(xid);
      this.#connection.end();
    } else this.#server.onRequest({ xid, type, body: reader, link: this });
  }

  #greet(hello: ConnectRequest): void {
    const { ensemble, timeoutMs, readOnly } = this.#server;
    this.#server.hellos.push(hello);
    const sessionId = hello.sessionId === 0n ? ensemble.open() : hello.sessionId;
    const password = ensemble.sessions.get(sessionId);
    const right =
      password !== undefined &&
      (hello.sessionId === 0n || Buffer.compare(password, hello.passwd ?? new Uint8Array()) === 0);
    this.send(
      encodeRecord(ConnectResponse, {
        protocolVersion: 0,
        timeOut: right ? Math.min(timeoutMs, hello.timeOut) : 0,
        sessionId: right ? sessionId : 0n,
        passwd: right ? password : new Uint8Array(16),
        readOnly,
      }),
    );
    if (!right) this.#connection.end();
  }
}

function frameOf(write: (to: Writer) => void): Uint8Array {
  return encodeRecord({ write: (to, _value: null) => write(to) }, null);
}
