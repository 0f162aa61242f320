import { Deque } from '../../base/deque.ts';
import type { Slices } from '../../base/slices.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { type Connection, type ConnectionHandler, type Network, NetworkError } from '../../runtime/network.ts';
import { codecFor } from '../../wire/codec.ts';
import { MalformedError } from '../../wire/errors.ts';
import { FrameSplitter } from '../../wire/framing.ts';
import { Reader } from '../../wire/reader.ts';
import { build, type Fields, type Message, type Value } from '../../wire/schema.ts';
import { Writer } from '../../wire/writer.ts';
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from '../protocol/headers.ts';
import type { BrokerChannel, ChannelTarget } from './broker-channel.ts';

export interface NetworkChannelOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly clientId: string;
  /** `controller.socket.timeout.ms` and its like: an answer that takes longer breaks the connection. */
  readonly requestTimeoutMs: number;
}

/** Answers between brokers are small; what claims more is none. */
const RESPONSE_BYTES_MAX = 100 << 20;

interface Exchange {
  readonly correlationId: number;
  readonly timer: Timer;
  readonly read: (frame: Slices) => void;
  readonly fail: (error: NetworkError) => void;
}

/** A channel over the network: connects when first used, and again after it broke. */
export class NetworkChannel implements BrokerChannel {
  readonly #target: ChannelTarget;
  readonly #options: NetworkChannelOptions;
  readonly #inFlight = new Deque<Exchange>();
  #connection: Connection | undefined;
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
      const correlationId = this.#nextCorrelationId;
      this.#nextCorrelationId = (correlationId + 1) & 0x7fffffff;
      const connection = this.#connected();
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

  close(): void {
    this.#closed = true;
    this.#connection?.destroy();
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

  #connected(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    const splitter = new FrameSplitter(RESPONSE_BYTES_MAX);
    const handler: ConnectionHandler = {
      data: (chunk) => {
        try {
          splitter.push(chunk, (frame) => this.#answered(frame));
        } catch (error) {
          if (!(error instanceof MalformedError)) throw error;
          this.#connection?.destroy();
        }
      },
      closed: (reason) => this.#lost(reason),
    };
    this.#connection = this.#options.network.connect(this.#target, handler);
    return this.#connection;
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

  #lost(reason: NetworkError | undefined): void {
    this.#connection = undefined;
    for (let exchange = this.#inFlight.shift(); exchange !== undefined; exchange = this.#inFlight.shift()) {
      exchange.timer.cancel();
      exchange.fail(reason ?? new NetworkError('ECONNRESET', `the connection to broker ${this.#target.id} was closed`));
    }
  }
}
