import type { Clock, Timer } from '../../../runtime/clock.ts';
import { build } from '../../../wire/schema.ts';
import type { BrokerChannel, OpenChannel } from '../../channel/broker-channel.ts';
import type { ShareStateKeeper } from '../../coordinator/group/share/share-state-keeper.ts';
import type { InitializeState, WriteState } from '../../coordinator/share/decide.ts';
import type {
  Outcome,
  ReadOutcome,
  ShareCoordinator,
  SummaryOutcome,
} from '../../coordinator/share/share-coordinator.ts';
import { coordinatorKeyOf, type ShareKey } from '../../coordinator/share/share-key.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from '../../protocol/messages/83-initialize-share-group-state.ts';
import {
  ReadShareGroupStateRequest,
  ReadShareGroupStateResponse,
} from '../../protocol/messages/84-read-share-group-state.ts';
import {
  WriteShareGroupStateRequest,
  WriteShareGroupStateResponse,
} from '../../protocol/messages/85-write-share-group-state.ts';
import {
  DeleteShareGroupStateRequest,
  DeleteShareGroupStateResponse,
} from '../../protocol/messages/86-delete-share-group-state.ts';
import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from '../../protocol/messages/87-read-share-group-state-summary.ts';
import type { MetadataCache } from '../../replication/metadata-cache.ts';
import type { SharePersister } from '../../share/share-persister.ts';
import { SHARE_STATE_TOPIC } from '../topic-names.ts';

export interface BrokerPersisterOptions {
  readonly brokerId: number;
  readonly clock: Clock;
  readonly coordinator: ShareCoordinator;
  readonly metadata: MetadataCache;
  readonly interBrokerListenerName: string;
  readonly openChannel: OpenChannel;
  /** Brings `__share_group_state` into being. */
  readonly createTopic: () => void;
}

/** Pause before the first repetition; each further one is twice as long (`PersisterStateManager`). */
const RETRY_PAUSE_MS = 250;
const ATTEMPTS_MAX = 5;
const READ_VERSION = 0;
const WRITE_VERSION = 1;

interface Link {
  readonly channel: BrokerChannel;
  readonly host: string;
  readonly port: number;
}

/** One request to the coordinator: to this broker itself, or over a channel. */
interface Call<T> {
  readonly here: (done: (outcome: T) => void) => void;
  readonly there: (channel: BrokerChannel) => Promise<T | undefined>;
  readonly refused: (errorCode: number) => T;
  readonly errorOf: (outcome: T) => number;
  readonly done: (outcome: T) => void;
}

/** Finds the share coordinator of a share partition and asks it, again while it is not ready (`DefaultStatePersister`). */
export class BrokerPersister implements SharePersister, ShareStateKeeper {
  readonly #options: BrokerPersisterOptions;
  readonly #links = new Map<number, Link>();
  readonly #pauses = new Set<Timer>();
  /** Writes of one share partition go one after the other. */
  readonly #queues = new Map<string, (() => void)[]>();
  #isClosed = false;

  constructor(options: BrokerPersisterOptions) {
    this.#options = options;
  }

  read(key: ShareKey, leaderEpoch: number, done: (outcome: ReadOutcome) => void): void {
    const { groupId, topicId, partition } = key;
    const request = { groupId, topics: [{ topicId, partitions: [{ partition, leaderEpoch }] }] };
    this.#call<ReadOutcome>(key, 1, {
      here: (answer) => this.#options.coordinator.read(key, leaderEpoch, answer),
      there: async (channel) => {
        const value = build(ReadShareGroupStateRequest, request);
        const answer = await channel.send(ReadShareGroupStateRequest, ReadShareGroupStateResponse, READ_VERSION, value);
        return answer.results[0]?.partitions[0];
      },
      refused: (errorCode) => ({ errorCode, errorMessage: null, stateEpoch: 0, startOffset: 0, stateBatches: [] }),
      errorOf: ({ errorCode }) => errorCode,
      done,
    });
  }

  write(key: ShareKey, state: WriteState, done: (errorCode: number, errorMessage: string | null) => void): void {
    this.#inTurn(coordinatorKeyOf(key), (next) =>
      this.#write(key, state, (errorCode, errorMessage) => {
        done(errorCode, errorMessage);
        next();
      }),
    );
  }

  #write(key: ShareKey, state: WriteState, done: (errorCode: number, errorMessage: string | null) => void): void {
    const { groupId, topicId, partition } = key;
    const stateBatches = [...state.stateBatches];
    const request = { groupId, topics: [{ topicId, partitions: [{ partition, ...state, stateBatches }] }] };
    this.#call<{ readonly errorCode: number; readonly errorMessage: string | null }>(key, 1, {
      here: (answer) => this.#options.coordinator.write(key, state, answer),
      there: async (channel) => {
        const value = build(WriteShareGroupStateRequest, request);
        const answer = await channel.send(
          WriteShareGroupStateRequest,
          WriteShareGroupStateResponse,
          WRITE_VERSION,
          value,
        );
        return answer.results[0]?.partitions[0];
      },
      refused,
      errorOf: ({ errorCode }) => errorCode,
      done: ({ errorCode, errorMessage }) => done(errorCode, errorMessage),
    });
  }

  initialize(key: ShareKey, state: InitializeState, done: (outcome: Outcome) => void): void {
    const { groupId, topicId, partition } = key;
    const request = { groupId, topics: [{ topicId, partitions: [{ partition, ...state }] }] };
    this.#call<Outcome>(key, 1, {
      here: (answer) => this.#options.coordinator.initialize(key, state, answer),
      there: async (channel) => {
        const value = build(InitializeShareGroupStateRequest, request);
        const answer = await channel.send(
          InitializeShareGroupStateRequest,
          InitializeShareGroupStateResponse,
          0,
          value,
        );
        return answer.results[0]?.partitions[0];
      },
      refused,
      errorOf: ({ errorCode }) => errorCode,
      done,
    });
  }

  summary(key: ShareKey, done: (outcome: SummaryOutcome) => void): void {
    const { groupId, topicId, partition } = key;
    const request = { groupId, topics: [{ topicId, partitions: [{ partition, leaderEpoch: 0 }] }] };
    this.#call<SummaryOutcome>(key, 1, {
      here: (answer) => this.#options.coordinator.summary(key, answer),
      there: async (channel) => {
        const value = build(ReadShareGroupStateSummaryRequest, request);
        const answer = await channel.send(
          ReadShareGroupStateSummaryRequest,
          ReadShareGroupStateSummaryResponse,
          1,
          value,
        );
        return answer.results[0]?.partitions[0];
      },
      refused: (errorCode) => ({
        ...refused(errorCode),
        stateEpoch: 0,
        leaderEpoch: 0,
        startOffset: 0,
        deliveryCompleteCount: -1,
      }),
      errorOf: ({ errorCode }) => errorCode,
      done,
    });
  }

  delete(key: ShareKey, done: (outcome: Outcome) => void): void {
    const { groupId, topicId, partition } = key;
    const request = { groupId, topics: [{ topicId, partitions: [{ partition }] }] };
    this.#call<Outcome>(key, 1, {
      here: (answer) => this.#options.coordinator.delete(key, answer),
      there: async (channel) => {
        const value = build(DeleteShareGroupStateRequest, request);
        const answer = await channel.send(DeleteShareGroupStateRequest, DeleteShareGroupStateResponse, 0, value);
        return answer.results[0]?.partitions[0];
      },
      refused,
      errorOf: ({ errorCode }) => errorCode,
      done,
    });
  }

  #inTurn(id: string, work: (next: () => void) => void): void {
    const waiting = this.#queues.get(id);
    const run = (): void => work(() => this.#next(id));
    if (waiting !== undefined) {
      waiting.push(run);
      return;
    }
    this.#queues.set(id, []);
    run();
  }

  #next(id: string): void {
    const run = this.#queues.get(id)?.shift();
    if (run === undefined) this.#queues.delete(id);
    else run();
  }

  #call<T>(key: ShareKey, attempt: number, call: Call<T>): void {
    const settle = (outcome: T): void => {
      if (!retriable.has(call.errorOf(outcome)) || attempt >= ATTEMPTS_MAX || this.#isClosed) return call.done(outcome);
      const pause = this.#options.clock.after(RETRY_PAUSE_MS * 2 ** (attempt - 1), () => {
        this.#pauses.delete(pause);
        this.#call(key, attempt + 1, call);
      });
      this.#pauses.add(pause);
    };
    const target = this.#targetOf(key);
    if (target === undefined) return settle(call.refused(ErrorCode.COORDINATOR_NOT_AVAILABLE));
    if (target === 'here') return call.here(settle);
    call.there(target).then(
      (outcome) => settle(outcome ?? call.refused(ErrorCode.UNKNOWN_SERVER_ERROR)),
      () => settle(call.refused(ErrorCode.COORDINATOR_NOT_AVAILABLE)),
    );
  }

  #targetOf(key: ShareKey): BrokerChannel | 'here' | undefined {
    const { metadata, coordinator, brokerId, interBrokerListenerName, openChannel, createTopic } = this.#options;
    const topic = metadata.topic(SHARE_STATE_TOPIC);
    if (topic === undefined) {
      createTopic();
      return undefined;
    }
    const leader = topic.partitions.get(coordinator.partitionFor(coordinatorKeyOf(key)))?.leader ?? -1;
    if (leader === brokerId) return 'here';
    const endpoint = metadata.brokers
      .get(leader)
      ?.endpoints.find(({ listener }) => listener === interBrokerListenerName);
    if (endpoint === undefined) return undefined;
    const { host, port } = endpoint;
    const known = this.#links.get(leader);
    if (known !== undefined && known.host === host && known.port === port) return known.channel;
    known?.channel.close();
    const channel = openChannel({ id: leader, host, port });
    this.#links.set(leader, { channel, host, port });
    return channel;
  }

  /** Nobody is answered any more. */
  close(): void {
    this.#isClosed = true;
    for (const pause of this.#pauses) pause.cancel();
    for (const { channel } of this.#links.values()) channel.close();
  }
}

const refused = (errorCode: number): Outcome => ({ errorCode, errorMessage: null });

const retriable: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
]);
