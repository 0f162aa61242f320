/** Plays a script to one server, one step after the other, and writes down all that every session hears. */
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { Reader } from '../../../src/wire/reader.ts';
import { OpCode, Xid } from '../../../src/zookeeper/jute/op-codes.ts';
import {
  AuthPacket,
  GetChildrenResponse,
  SetWatches,
  SetWatches2,
  SyncRequest,
} from '../../../src/zookeeper/jute/proto.ts';
import { type Hello, RawClient } from '../../../src/zookeeper/server/testkit/raw-client.ts';
import { getChildren, type TestRequest } from '../../../src/zookeeper/server/testkit/requests.ts';
import { until } from '../peers/process.ts';
import { describeReply, shown } from './transcript.ts';

export type PlayStep =
  | { readonly kind: 'request'; readonly session: number; readonly request: TestRequest }
  /** Sent in one write: each is judged by what those before it will have done. */
  | { readonly kind: 'together'; readonly session: number; readonly requests: readonly TestRequest[] }
  /** A new connection to the same session; what it watched before it says itself. */
  | {
      readonly kind: 'reconnect';
      readonly session: number;
      readonly password: 'right' | 'wrong';
      readonly watches: Watches | undefined;
    }
  /** The session ends, and another takes its place. */
  | { readonly kind: 'close'; readonly session: number }
  | { readonly kind: 'auth'; readonly session: number; readonly scheme: string; readonly credentials: string };

export interface Watches {
  readonly withPersistent: boolean;
  /** So many transactions before the newest one that the client has seen. */
  readonly behind: number;
  readonly dataWatches: string[];
  readonly existWatches: string[];
  readonly childWatches: string[];
  readonly persistentWatches: string[];
  readonly persistentRecursiveWatches: string[];
}

interface Seat {
  client: RawClient;
  id: bigint;
  password: Uint8Array;
  /** Replies and events already in the transcript. */
  seen: number;
  lastZxid: bigint;
}

/** So long that none ends while others play. */
const TIMEOUT_MS = 1_000_000;
const CATCH_UP_XID = 1_000_000_000;
const FAST = { everyMs: 0.2, timeoutMs: 60_000 } as const;

interface Heard {
  readonly session: number;
  readonly event?: unknown;
  readonly closed?: true;
}

/** In which order a session's ephemeral nodes go is a matter of a hash table: who watches several hears of them in any. */
function sortedEvents(heard: readonly Heard[]): Heard[] {
  const events = heard.filter(({ event }) => event !== undefined);
  const others = heard.filter(({ event }) => event === undefined);
  return [...events.sort((a, b) => (shown(a) < shown(b) ? -1 : 1)), ...others];
}

export class Player {
  readonly #runtime: Runtime;
  readonly #ports: readonly number[];
  readonly #seats: Seat[] = [];
  readonly #names = new Map<bigint, string>();

  /** @param ports of the members of an ensemble, to which the sessions go in turn; or of a server alone */
  constructor(runtime: Runtime, ...ports: readonly number[]) {
    this.#runtime = runtime;
    this.#ports = ports;
  }

  /** Waits until a session is told of a path by an event of this type, and answers all that it heard up to that. */
  async told(session: number, path: string, type: number): Promise<unknown> {
    const { client } = this.#seats[session]!;
    const index = (): number => client.events.findIndex((event) => event.path === path && event.type === type);
    await until(`an event of ${path}`, () => index() >= 0 || undefined, FAST);
    return client.events.slice(0, index() + 1).map((event) => ({ type: event.type, path: event.path }));
  }

  /** Names, sorted. */
  async children(path: string): Promise<string> {
    const { client } = this.#seats[0]!;
    const { type, body } = getChildren(path);
    const xid = client.send(type, body);
    await this.#answered(client, () => client.reply(xid) !== undefined);
    const { children } = GetChildrenResponse.read(new Reader(client.reply(xid)!.body));
    return [...(children ?? [])].sort().join(' ');
  }

  /** What was heard, an entry a step. */
  async play(sessionCount: number, steps: readonly PlayStep[]): Promise<unknown[]> {
    while (this.#seats.length < sessionCount) this.#seats.push(await this.#open(this.#seats.length));
    const heard: unknown[] = [];
    for (const step of steps) heard.push(await this.#step(step));
    return heard;
  }

  close(): void {
    for (const { client } of this.#seats) client.connection.destroy();
  }

  async #step(step: PlayStep): Promise<unknown> {
    switch (step.kind) {
      case 'request':
        return this.#request(step.session, step.request);
      case 'together':
        return this.#together(step.session, step.requests);
      case 'auth':
        return this.#auth(step.session, step.scheme, step.credentials);
      case 'close':
        return this.#close(step.session);
      case 'reconnect':
        return this.#reconnect(step.session, step.password, step.watches);
      default:
        return step satisfies never;
    }
  }

  async #request(session: number, { type, body }: TestRequest): Promise<unknown> {
    const { client } = this.#seats[session]!;
    const xid = client.send(type, body);
    await this.#answered(client, () => client.reply(xid) !== undefined);
    return this.#settle(() => type);
  }

  async #together(session: number, requests: readonly TestRequest[]): Promise<unknown> {
    const { client } = this.#seats[session]!;
    const xids = client.sendTogether(requests);
    await this.#answered(client, () => client.reply(xids.at(-1)!) !== undefined);
    const typeOf = new Map(xids.map((xid, index) => [xid, requests[index]!.type]));
    return this.#settle((xid) => typeOf.get(xid) ?? OpCode.error);
  }

  async #auth(session: number, scheme: string, credentials: string): Promise<unknown> {
    const { client } = this.#seats[session]!;
    const before = client.heard.filter(({ xid }) => xid === Xid.auth).length;
    client.send(
      OpCode.auth,
      (to) => AuthPacket.write(to, { type: 0, scheme, auth: Buffer.from(credentials) }),
      Xid.auth,
    );
    await this.#answered(client, () => client.heard.filter(({ xid }) => xid === Xid.auth).length > before);
    return this.#settle(() => OpCode.auth);
  }

  async #close(session: number): Promise<unknown> {
    const seat = this.#seats[session]!;
    seat.client.send(OpCode.closeSession);
    await until('the end', () => seat.client.isClosed || undefined, FAST);
    return sortedEvents(await this.#settle(() => OpCode.closeSession));
  }

  async #reconnect(session: number, password: 'right' | 'wrong', watches: Watches | undefined): Promise<unknown> {
    const seat = this.#seats[session]!;
    seat.client.connection.destroy();
    if (password === 'wrong') {
      const stranger = await this.#connect(session, {
        sessionId: seat.id,
        passwd: new Uint8Array(16),
        timeOut: TIMEOUT_MS,
      });
      await until('the end', () => stranger.isClosed || undefined, FAST);
    }
    const client = await this.#connect(session, { sessionId: seat.id, passwd: seat.password, timeOut: TIMEOUT_MS });
    Object.assign(seat, { client, seen: 0 });
    const { sessionId, timeOut, passwd } = client.session!;
    const resumed = {
      same: sessionId === seat.id,
      timeOut,
      password: Buffer.from(passwd ?? []).equals(Buffer.from(seat.password)),
    };
    if (watches !== undefined) {
      const relativeZxid = (seat.lastZxid - BigInt(watches.behind)) as never;
      const before = client.heard.length;
      if (watches.withPersistent)
        client.send(OpCode.setWatches2, (to) => SetWatches2.write(to, { relativeZxid, ...watches }), Xid.setWatches);
      else client.send(OpCode.setWatches, (to) => SetWatches.write(to, { relativeZxid, ...watches }), Xid.setWatches);
      await this.#answered(client, () => client.heard.slice(before).some(({ xid }) => xid === Xid.setWatches));
    }
    return { resumed, heard: await this.#settle(() => OpCode.setWatches2) };
  }

  /** Events that a step caused in any session are on their way before the answer to a ping that follows it. */
  async #settle(typeOf: (xid: number) => number): Promise<Heard[]> {
    const heard: Heard[] = [];
    for (const [index, seat] of this.#seats.entries()) {
      const { client } = seat;
      if (!client.isClosed) {
        if (this.#ports.length > 1) await this.#catchUp(client);
        client.send(OpCode.ping, () => undefined, Xid.ping);
        await this.#answered(client, () => client.heard.slice(seat.seen).some(({ xid }) => xid === Xid.ping));
      }
      for (; seat.seen < client.heard.length; seat.seen += 1) {
        const reply = client.heard[seat.seen]!;
        if (reply.zxid > seat.lastZxid && reply.xid !== Xid.notification) seat.lastZxid = reply.zxid;
        if (reply.xid === Xid.ping || reply.xid === CATCH_UP_XID) continue;
        heard.push({
          session: index,
          ...(describeReply(typeOf(reply.xid), reply, (id) => this.#nameOf(id)) as object),
        });
      }
      if (client.isClosed) {
        heard.push({ session: index, closed: true });
        this.#seats[index] = await this.#open(index);
      }
    }
    return heard;
  }

  /** The member that serves it has all that was committed. */
  async #catchUp(client: RawClient): Promise<void> {
    const before = client.heard.length;
    client.send(OpCode.sync, (to) => SyncRequest.write(to, { path: '/' }), CATCH_UP_XID);
    await this.#answered(client, () => client.heard.slice(before).some(({ xid }) => xid === CATCH_UP_XID));
  }

  #nameOf(id: bigint): string {
    return this.#names.get(id) ?? (id === 0n ? 'nobody' : `unknown ${id}`);
  }

  async #open(index: number): Promise<Seat> {
    const client = await this.#connect(index, { timeOut: TIMEOUT_MS });
    const { sessionId: id, passwd } = client.session!;
    this.#names.set(id, `session ${index}`);
    return { client, id, password: passwd ?? new Uint8Array(16), seen: 0, lastZxid: 0n };
  }

  async #connect(index: number, hello: Hello): Promise<RawClient> {
    const client = new RawClient(this.#runtime, {
      host: '127.0.0.1',
      port: this.#ports[index % this.#ports.length]!,
    });
    await until('connection', () => client.isConnected || undefined, FAST);
    client.hello(hello);
    await until('session', () => client.session ?? (client.isClosed || undefined), FAST);
    return client;
  }

  async #answered(client: RawClient, isAnswered: () => boolean): Promise<void> {
    await until('an answer', () => isAnswered() || client.isClosed || undefined, FAST);
  }
}
