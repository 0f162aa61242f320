import type { Clock } from '../../runtime/clock.ts';
import type { Address } from '../../runtime/network.ts';
import { below } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type Fields, type Message, type Value, ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode, errorOf, KafkaError } from '../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import {
  type ClientSecurity,
  type ConnectionSecurity,
  connectionSecurity,
  usesSasl,
} from '../security/client-security.ts';
import { parseBootstrap } from './bootstrap.ts';
import {
  ClientClosedError,
  ClientUsageError,
  disconnected,
  isAuthenticationError,
  isRetriable,
  timedOut,
} from './client-errors.ts';
import { type ClusterMetadata, merged, metadataOf, noMetadata, type TopicMetadata } from './cluster-metadata.ts';
import { BrokerConnection, type Given, type RequestOptions } from './connection.ts';

/** What producer, consumer and admin have in common; names and defaults are those of Apache's client keys. */
export interface ClientOptions {
  readonly bootstrapServers: string | readonly string[];
  readonly clientId?: string;
  /** `request.timeout.ms`; default 30 s. */
  readonly requestTimeoutMs?: number;
  /** `socket.connection.setup.timeout.ms`; default 10 s. */
  readonly connectTimeoutMs?: number;
  /** `default.api.timeout.ms`, retries included; default 60 s. */
  readonly apiTimeoutMs?: number;
  /** `retry.backoff.ms`, doubled with each retry; default 100 ms. */
  readonly retryBackoffMs?: number;
  /** `retry.backoff.max.ms`; default 1 s. */
  readonly retryBackoffMaxMs?: number;
  /** `reconnect.backoff.ms`, doubled with each failure; default 50 ms. */
  readonly reconnectBackoffMs?: number;
  /** `reconnect.backoff.max.ms`; default 1 s. */
  readonly reconnectBackoffMaxMs?: number;
  /** `metadata.max.age.ms`; default 5 minutes. */
  readonly metadataMaxAgeMs?: number;
  /** `security.protocol`, `ssl.*`, `sasl.*`; default PLAINTEXT. What authentication refuses is not tried again. */
  readonly security?: ClientSecurity;
}

/** Answers come in the order of requests, so what waits at the broker (fetches, joins) has a connection of its own. */
export type Lane = 'main' | 'fetch' | 'group';

/** A set of topics, or all. */
export type Topics = readonly string[] | 'all';

interface Slot {
  readonly name: string;
  readonly address: Address;
  connection: BrokerConnection | undefined;
  failureCount: number;
  retryAtMs: number;
}

/** Larger answers than this are refused: a fetch of 50 MiB may exceed its limit by one batch. */
const FRAME_SIZE_MAX = 512 * 1024 * 1024;

/** The brokers of a cluster: who they are, who leads what, and connections to them. */
export class Cluster {
  readonly runtime: Runtime;
  readonly #clock: Clock;
  readonly #options: Required<Omit<ClientOptions, 'bootstrapServers' | 'security'>>;
  readonly #security: ConnectionSecurity | undefined;
  readonly #bootstrap: readonly Address[];
  readonly #role: string | undefined;
  /** By broker and lane; bootstrap servers have negative ids, as Apache numbers them. */
  readonly #slots = new Map<string, Slot>();
  #metadata = noMetadata;
  #refreshedMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  /**
   * @param role `Producer clientId=p`: begins log lines; without it a topic's error is nobody's concern but the caller's
   * @throws ClientUsageError; ConfigError, KeyStoreError for keys that cannot be read
   */
  constructor(runtime: Runtime, options: ClientOptions, role?: string) {
    this.#role = role;
    this.runtime = { ...runtime, log: runtime.log.named('org.apache.kafka.clients.NetworkClient') };
    this.#clock = runtime.clock;
    this.#bootstrap = parseBootstrap(options.bootstrapServers);
    this.#security = securityOf(runtime, options.security);
    this.#options = {
      clientId: options.clientId ?? '',
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      apiTimeoutMs: options.apiTimeoutMs ?? 60_000,
      retryBackoffMs: options.retryBackoffMs ?? 100,
      retryBackoffMaxMs: options.retryBackoffMaxMs ?? 1_000,
      reconnectBackoffMs: options.reconnectBackoffMs ?? 50,
      reconnectBackoffMaxMs: options.reconnectBackoffMaxMs ?? 1_000,
      metadataMaxAgeMs: options.metadataMaxAgeMs ?? 300_000,
    };
  }

  get clientId(): string {
    return this.#options.clientId;
  }

  get apiTimeoutMs(): number {
    return this.#options.apiTimeoutMs;
  }

  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The last answers, topic by topic. */
  get metadata(): ClusterMetadata {
    return this.#metadata;
  }

  get isMetadataStale(): boolean {
    return this.#clock.monotonicMs() - this.#refreshedMs >= this.#options.metadataMaxAgeMs;
  }

  leaderOf(topic: string, partition: number): number {
    return this.#metadata.topics.get(topic)?.partitions.find((each) => each.partition === partition)?.leader ?? -1;
  }

  /** One question to whichever broker can be reached. */
  async refresh(topics: Topics, options: { readonly allowAutoTopicCreation?: boolean } = {}): Promise<ClusterMetadata> {
    const connection = await this.any();
    const response = await connection.request(MetadataRequest, MetadataResponse, (version) => ({
      topics: topics === 'all' ? null : topics.map((name) => ({ topicId: ZERO_UUID, name })),
      ...(version >= 4 ? { allowAutoTopicCreation: options.allowAutoTopicCreation ?? true } : {}),
    }));
    const fresh = metadataOf(response);
    this.#warnOfErrors(fresh, connection);
    // A broker that has just started may not know its cluster yet.
    if (fresh.brokers.size === 0) throw new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE);
    this.#refreshedMs = this.#clock.monotonicMs();
    this.#metadata = topics === 'all' ? fresh : merged(this.#metadata, fresh);
    return fresh;
  }

  /** In the words of Apache's client, which users search for. */
  #warnOfErrors({ topics }: ClusterMetadata, { lastCorrelationId }: BrokerConnection): void {
    if (this.#role === undefined) return;
    const errors = [...topics.values()].filter(({ errorCode }) => errorCode !== ErrorCode.NONE);
    if (errors.length === 0) return;
    const list = errors.map(({ name, errorCode }) => `${name}=${errorOf(errorCode).name}`).join(', ');
    this.runtime.log.warn(
      `[${this.#role}] Error while fetching metadata with correlation id ${lastCorrelationId} : {${list}}`,
    );
  }

  /** Asks until every topic is known and has leaders, or its error cannot pass. @throws KafkaError */
  async topics(names: readonly string[], timeoutMs = this.apiTimeoutMs): Promise<ReadonlyMap<string, TopicMetadata>> {
    return this.retrying(async () => {
      const { topics } = await this.refresh(names);
      for (const name of names) {
        const topic = topics.get(name);
        if (topic === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        if (topic.errorCode !== ErrorCode.NONE) throw errorOf(topic.errorCode);
        if (topic.partitions.some(({ leader }) => leader < 0)) throw new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE);
      }
      return topics;
    }, timeoutMs);
  }

  /** A request to a broker by its id. */
  async request<Q extends Fields, R extends Fields>(
    to: { readonly node: number; readonly lane?: Lane },
    request: Message<Q>,
    response: Message<R>,
    given: Given<Q>,
    options: RequestOptions = {},
  ): Promise<Value<R>> {
    const connection = await this.connect(to.node, to.lane);
    return connection.request(request, response, given, options);
  }

  /** An open connection to a broker. @throws KafkaError when it cannot be reached */
  async connect(node: number, lane: Lane = 'main'): Promise<BrokerConnection> {
    const broker = this.#metadata.brokers.get(node);
    if (broker === undefined) throw disconnected(`no broker with id ${node} is known`);
    return this.#open(this.#slotOf(`${node}`, lane, broker));
  }

  /** An open connection if there is one now. */
  connected(node: number, lane: Lane = 'main'): BrokerConnection | undefined {
    const connection = this.#slots.get(`${node}/${lane}`)?.connection;
    return connection === undefined || connection.isClosed ? undefined : connection;
  }

  /**
   * An open connection to any broker: known ones first, then the bootstrap servers, each once, beginning anywhere. If one does not
   * want us, that is the answer.
   */
  async any(): Promise<BrokerConnection> {
    const slots = [
      ...this.#shuffled([...this.#metadata.brokers.values()]).map((node) => this.#slotOf(`${node.id}`, 'main', node)),
      ...this.#shuffled(this.#bootstrap.map((address, index) => this.#slotOf(`-${index + 1}`, 'main', address))),
    ];
    const open = slots.find(({ connection }) => connection !== undefined && !connection.isClosed);
    let failure: unknown;
    for (const slot of open === undefined ? slots : [open]) {
      try {
        return await this.#open(slot);
      } catch (error) {
        if (isAuthenticationError(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** Repeats what fails for a reason that may pass, with growing pauses. @throws what failed last; REQUEST_TIMED_OUT */
  async retrying<T>(attempt: () => Promise<T>, timeoutMs = this.apiTimeoutMs): Promise<T> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
    for (let count = 0; ; count += 1) {
      if (this.#closed) throw new ClientClosedError('client');
      try {
        return await attempt();
      } catch (error) {
        if (!isRetriable(error)) throw error;
        const backoffMs = this.backoffMs(count);
        if (this.#clock.monotonicMs() + backoffMs >= deadlineMs) {
          throw timedOut(`not done within ${timeoutMs} ms: ${(error as KafkaError).message}`, error);
        }
        await this.pause(backoffMs);
      }
    }
  }

  backoffMs(failureCount: number): number {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#options;
    return this.#jittered(Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** Math.min(failureCount, 20)));
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }

  /** Waits for a promise, but not for ever. */
  async within(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(timeoutMs, resolve);
    await Promise.race([promise, over]);
    timer.cancel();
  }

  close(): void {
    this.#closed = true;
    for (const { connection } of this.#slots.values()) connection?.close();
    this.#slots.clear();
  }

  /** A broker that came back under another address gets a new slot. */
  #slotOf(node: string, lane: Lane, address: Address): Slot {
    const key = `${node}/${lane}`;
    const known = this.#slots.get(key);
    if (known !== undefined && known.address.host === address.host && known.address.port === address.port) return known;
    known?.connection?.close();
    const slot: Slot = { name: node, address, connection: undefined, failureCount: 0, retryAtMs: 0 };
    this.#slots.set(key, slot);
    return slot;
  }

  async #open(slot: Slot): Promise<BrokerConnection> {
    if (this.#closed) throw new ClientClosedError('client');
    let connection = slot.connection;
    if (connection === undefined || connection.isClosed) {
      const waitMs = slot.retryAtMs - this.#clock.monotonicMs();
      if (waitMs > 0) {
        await this.pause(waitMs);
        return this.#open(slot);
      }
      connection = new BrokerConnection(this.runtime, {
        address: slot.address,
        clientId: this.#options.clientId,
        requestTimeoutMs: this.#options.requestTimeoutMs,
        connectTimeoutMs: this.#options.connectTimeoutMs,
        frameSizeMax: FRAME_SIZE_MAX,
        security: this.#security,
      });
      slot.connection = connection;
      this.#count(slot, connection);
    }
    await connection.opened;
    return connection;
  }

  /** Failures to connect make the next attempt wait. */
  #count(slot: Slot, connection: BrokerConnection): void {
    connection.opened.then(
      () => {
        slot.failureCount = 0;
      },
      (error: unknown) => {
        const { reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options;
        const backoffMs = Math.min(reconnectBackoffMaxMs, reconnectBackoffMs * 2 ** Math.min(slot.failureCount, 20));
        slot.failureCount += 1;
        slot.retryAtMs = this.#clock.monotonicMs() + this.#jittered(backoffMs);
        if (!this.#closed) this.#logFailure(slot, error);
      },
    );
  }

  #logFailure({ name, address: { host, port } }: Slot, error: unknown): void {
    const node = `[${this.#role ?? `AdminClient clientId=${this.clientId}`}] Connection to node ${name} (${host}:${port})`;
    if (isAuthenticationError(error)) {
      this.runtime.log.error(`${node} failed authentication due to: ${error.message}`);
    } else {
      this.runtime.log.warn(`${node} could not be established. Node may not be available.`);
    }
  }

  /** Plus or minus a fifth, so that clients which failed together do not come back together. */
  #jittered(ms: number): number {
    return (ms * (800 + below(this.runtime.random, 401))) / 1000;
  }

  #shuffled<T>(items: T[]): T[] {
    for (let index = items.length - 1; index > 0; index -= 1) {
      const other = below(this.runtime.random, index + 1);
      [items[index], items[other]] = [items[other]!, items[index]!];
    }
    return items;
  }
}

function securityOf({ disk }: Runtime, security: ClientSecurity | undefined): ConnectionSecurity | undefined {
  if (security === undefined) return undefined;
  if (usesSasl(security.protocol) && security.sasl === undefined) {
    throw new ClientUsageError(`security.protocol=${security.protocol} needs a login: set security.sasl`);
  }
  return connectionSecurity(disk, security);
}
