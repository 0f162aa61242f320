import { Deque } from '../../base/deque.ts';
import type { Slices } from '../../base/slices.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { type Connection, type ConnectionHandler, type Network, NetworkError } from '../../runtime/network.ts';
import type { Random } from '../../runtime/random.ts';
import { codecFor } from '../../wire/codec.ts';
import { MalformedError } from '../../wire/errors.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { Reader } from '../../wire/reader.ts';
import { build, type Fields, type Message, type Value } from '../../wire/schema.ts';
import { Writer } from '../../wire/writer.ts';
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from '../protocol/headers.ts';
import type { ConnectionSecurity } from '../security/client-security.ts';
import type { Ask } from '../security/sasl/authenticate.ts';
import { AuthenticationGate } from '../security/sasl/authentication-gate.ts';
import type { SaslLogin } from '../security/sasl/sasl-client.ts';
import type { BrokerChannel, ChannelTarget } from './broker-channel.ts';

export interface NetworkChannelOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly clientId: string;
  /** `controller.socket.timeout.ms`, `request.timeout.ms`: an answer that takes longer breaks the connection. */
  readonly requestTimeoutMs: number;
  /** How to speak to other brokers, asked for each connection; in plain without. */
  readonly security?: (() => ConnectionSecurity) | undefined;
  readonly random: Random;
}

/** Answers between brokers are small; what claims more is none. */
const RESPONSE_BYTES_MAX = 100 << 20;

interface Exchange {
  readonly correlationId: number;
  readonly timer: Timer;
  readonly read: (frame: Slices) => void;
  readonly fail: (error: Error) => void;
}

/** A connection, and what keeps requests off it until the other broker knows who asks. */
interface Link {
  readonly connection: Connection;
  readonly gate: AuthenticationGate | undefined;
  /** Why it is being closed, where authentication failed. */
  refusedBy: Error | undefined;
}

/**
 * A channel over the network: connects when first used, and again after it broke. Requests wait until the connection is
 * authenticated, and fail with the reason when it cannot be.
 */
export class NetworkChannel implements BrokerChannel {
  readonly #target: ChannelTarget;
  readonly #options: NetworkChannelOptions;
  readonly #inFlight = new Deque<Exchange>();
  #link: Link | undefined;
  #nextCorrelationId = 0;
  #closed = false;

  constructor(target: ChannelTarget, options: NetworkChannelOptions) {
    this.#target = target;
    this.#options = options;
  }

  send<Q extends Fields, R extends Fields>(
    request: Message<Q>,
    response: Message<R>,
    version: number,
    value: Value<Q>,
  ): Promise<Value<R>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new NetworkError('ECANCELED', 'the channel is closed'));
      const link = this.#linked();
      const send = (): void => resolve(this.#exchange(link.connection, request, response, version, value));
      if (link.gate === undefined) send();
      else link.gate.pass(send, reject);
    });
  }

  close(): void {
    this.#closed = true;
    this.#link?.connection.destroy();
  }

  #exchange<Q extends Fields, R extends Fields>(
    connection: Connection,
    request: Message<Q>,
    response: Message<R>,
    version: number,
    value: Value<Q>,
  ): Promise<Value<R>> {
    return new Promise((resolve, reject) => {
      const correlationId = this.#nextCorrelationId;
      this.#nextCorrelationId = (correlationId + 1) & 0x7fffffff;
      this.#inFlight.push({
        correlationId,
        timer: this.#options.clock.after(this.#options.requestTimeoutMs, () => connection.destroy()),
        read: (frame) => {
          const from = new Reader(frame);
          codecFor(ResponseHeader, responseHeaderVersion(request.apiKey, version)).read(from);
          resolve(codecFor(response, version).read(from));
        },
        fail: reject,
      });
      connection.write(this.#encode(request, version, correlationId, value).chunks as Uint8Array[]);
    });
  }

  #encode<Q extends Fields>(request: Message<Q>, version: number, correlationId: number, value: Value<Q>): Slices {
    const writer = new Writer();
    const size = writer.placeInt32();
    const header = build(RequestHeader, {
      requestApiKey: request.apiKey,
      requestApiVersion: version,
      correlationId,
      clientId: this.#options.clientId,
    });
    codecFor(RequestHeader, requestHeaderVersion(request.apiKey, version)).write(writer, header);
    codecFor(request, version).write(writer, value);
    writer.patchInt32(size, writer.size - 4);
    return writer.finish();
  }

  #linked(): Link {
    if (this.#link !== undefined) return this.#link;
    const { network, security } = this.#options;
    const { tls, sasl } = security?.() ?? {};
    const splitter = new FrameSplitter(RESPONSE_BYTES_MAX);
    const handler: ConnectionHandler = {
      data: (chunk) => {
        try {
          splitter.push(chunk, (frame) => this.#answered(frame));
        } catch (error) {
          if (!(error instanceof MalformedError)) throw error;
          connection.destroy();
        }
      },
      closed: (reason) => this.#lost(link, reason),
    };
    const connection = network.connect(this.#target, handler, { tls: tls?.(this.#target.host) });
    const gate = sasl === undefined ? undefined : this.#gateOf(sasl, connection, (error) => this.#refused(link, error));
    const link: Link = { connection, gate, refusedBy: undefined };
    this.#link = link;
    gate?.open();
    return link;
  }

  #gateOf(login: SaslLogin, connection: Connection, failed: (error: unknown) => void): AuthenticationGate {
    const { clock, random } = this.#options;
    const ask: Ask = (request, response, version, value) =>
      this.#exchange(connection, request, response, version, value);
    return new AuthenticationGate({ login, clock, random, ask, failed });
  }

  #refused(link: Link, error: unknown): void {
    if (error instanceof Error) link.refusedBy = error;
    link.connection.destroy();
  }

  #answered(frame: Slices): boolean {
    // It stays in flight until its answer is read: an answer that cannot be read breaks the connection, and fails it with the others.
    const exchange = this.#inFlight.peek();
    if (exchange === undefined || new Reader(frame).int32() !== exchange.correlationId) {
      throw new MalformedError('an answer that belongs to no request');
    }
    exchange.read(frame);
    exchange.timer.cancel();
    this.#inFlight.shift();
    return true;
  }

  #lost({ gate, refusedBy }: Link, reason: NetworkError | undefined): void {
    const failure =
      refusedBy ?? reason ?? new NetworkError('ECONNRESET', `the connection to broker ${this.#target.id} was closed`);
    this.#link = undefined;
    for (let exchange = this.#inFlight.shift(); exchange !== undefined; exchange = this.#inFlight.shift()) {
      exchange.timer.cancel();
      exchange.fail(failure);
    }
    gate?.close(failure);
  }
}
