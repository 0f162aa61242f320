import { silent } from '../../../../runtime/log.ts';
import { Scheduler, SimProcess } from '../../../../runtime/sim/scheduler.ts';
import { SimClock } from '../../../../runtime/sim/sim-clock.ts';
import type { InitializeState, WriteState } from '../decide.ts';
import { type Outcome, type ReadOutcome, ShareCoordinator, type SummaryOutcome } from '../share-coordinator.ts';
import type { ShareCoordinatorConfig } from '../share-coordinator-config.ts';
import type { ShareKey } from '../share-key.ts';
import { StateTopic } from './state-topic.ts';

export const TOPIC_ID = '8hl6HOT7QlqxaA5VfVyltQ';
export const KEY: ShareKey = { groupId: 'g', topicId: TOPIC_ID, partition: 0 };

/** A share coordinator over a topic in memory, in virtual time. */
export class ShareWorld {
  readonly topic = new StateTopic();
  readonly topicIds = new Set([TOPIC_ID]);
  readonly #scheduler = new Scheduler();
  readonly clock = new SimClock(this.#scheduler, new SimProcess('broker', 0, () => false), {
    offsetMs: 1_790_000_000_000,
  });
  readonly #config: ShareCoordinatorConfig;
  coordinator: ShareCoordinator;

  constructor(config: Partial<ShareCoordinatorConfig> = {}) {
    this.#config = { updatesPerSnapshot: 3, pruneIntervalMs: 1000, coldSnapshotIntervalMs: 2000, ...config };
    this.coordinator = this.#start();
    this.run(1);
  }

  #start(): ShareCoordinator {
    const coordinator = new ShareCoordinator({
      coordinatorLog: this.topic,
      clock: this.clock,
      log: silent,
      config: this.#config,
      exists: (topicId, partition) => this.topicIds.has(topicId) && partition < 2,
    });
    coordinator.start();
    coordinator.onElected(0, 1);
    return coordinator;
  }

  /** Lets so much time pass. */
  run(ms: number): void {
    const scheduler = this.#scheduler;
    const untilMs = scheduler.nowMs + ms;
    for (let next = scheduler.nextMs; next !== undefined && next <= untilMs; next = scheduler.nextMs) {
      scheduler.runNext();
      if (scheduler.failure !== undefined) throw scheduler.failure.error;
    }
    scheduler.skipTo(untilMs);
  }

  /** Lets happen what is due, and what comes of it: a timer's work is done a little after the moment that it was set for. */
  settle(): void {
    const scheduler = this.#scheduler;
    for (let next = scheduler.nextMs; next !== undefined && next <= scheduler.nowMs + 1; next = scheduler.nextMs) {
      this.run(1);
    }
  }

  /** The coordinator is gone as if killed; another reads the topic. */
  restart(): void {
    this.coordinator.close();
    this.coordinator = this.#start();
    this.run(1);
  }

  initialize(given: Partial<InitializeState> = {}, key: Partial<ShareKey> = {}): Outcome | undefined {
    return answerOf((answer) =>
      this.coordinator.initialize({ ...KEY, ...key }, { stateEpoch: 0, startOffset: 0, ...given }, answer),
    );
  }

  write(given: Partial<WriteState> = {}, key: Partial<ShareKey> = {}): Outcome | undefined {
    return this.writing(given, key).outcome;
  }

  /** As `write`, where the answer may come later. */
  writing(given: Partial<WriteState> = {}, key: Partial<ShareKey> = {}): { outcome?: Outcome } {
    const pending: { outcome?: Outcome } = {};
    const state = {
      stateEpoch: 0,
      leaderEpoch: 0,
      startOffset: 0,
      deliveryCompleteCount: 0,
      stateBatches: [],
      ...given,
    };
    this.coordinator.write({ ...KEY, ...key }, state, (outcome) => {
      pending.outcome = outcome;
    });
    return pending;
  }

  read(leaderEpoch = 0, key: Partial<ShareKey> = {}): ReadOutcome | undefined {
    return answerOf((answer) => this.coordinator.read({ ...KEY, ...key }, leaderEpoch, answer));
  }

  summary(key: Partial<ShareKey> = {}): SummaryOutcome | undefined {
    return answerOf((answer) => this.coordinator.summary({ ...KEY, ...key }, answer));
  }

  delete(key: Partial<ShareKey> = {}): Outcome | undefined {
    return answerOf((answer) => this.coordinator.delete({ ...KEY, ...key }, answer));
  }
}

function answerOf<T>(ask: (answer: (outcome: T) => void) => void): T | undefined {
  let found: T | undefined;
  ask((outcome) => {
    found = outcome;
  });
  return found;
}
