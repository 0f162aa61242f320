import assert from 'node:assert/strict';
import { ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { ShareFetchRequest, ShareFetchResponse } from '../../protocol/messages/78-share-fetch.ts';
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from '../../protocol/messages/83-initialize-share-group-state.ts';
import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from '../../protocol/messages/87-read-share-group-state-summary.ts';
import { AlterOperation, ResourceType } from '../config/config-change.ts';
import { ClusterWorld } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';

export const LOCK_MS = 15_000;

type Acks = readonly (readonly [number, number, number])[];

/** A broker with a topic `t` of four records, which the share group `g` reads from offset 0 or from where it is configured to. */
export class ShareCluster {
  readonly world: ClusterWorld;
  topicId = ZERO_UUID;

  constructor(seed = 5, settings: Readonly<Record<string, string | number>> = {}) {
    const kafka = {
      'share.coordinator.state.topic.num.partitions': 2,
      'share.coordinator.state.topic.replication.factor': 1,
      'share.coordinator.state.topic.min.isr': 1,
      'group.share.record.lock.duration.ms': LOCK_MS,
      ...settings,
    };
    this.world = new ClusterWorld({ seed, kafka });
  }

  /** @param startOffset -1 leaves it to the group's configuration */
  async start(startOffset = 0): Promise<this> {
    const { world } = this;
    await world.start();
    await world.createTopic('t', [[0]]);
    const found = await world.ask(0, (client) =>
      client.ask(MetadataRequest, MetadataResponse, 12, { topics: [{ topicId: ZERO_UUID, name: 't' }] }),
    );
    this.topicId = found.topics[0]!.topicId;
    await world.until('the share coordinator initializes', async () => {
      const coordinatorKeys = [`g:${this.topicId}:0`];
      await world.ask(0, (client) =>
        client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 6, { keyType: 2, coordinatorKeys }),
      );
      const topics = [{ topicId: this.topicId, partitions: [{ partition: 0, stateEpoch: 0, startOffset }] }];
      const { results } = await world.ask(0, (client) =>
        client.ask(InitializeShareGroupStateRequest, InitializeShareGroupStateResponse, 0, { groupId: 'g', topics }),
      );
      return results[0]?.partitions[0]?.errorCode === ErrorCode.NONE;
    });
    for (const value of ['a', 'b', 'c', 'd']) await world.produce(0, 't', value);
    return this;
  }

  async fetch(client: RawClient, shareSessionEpoch: number, acks: Acks = [], maxWaitMs = 0) {
    const acknowledgementBatches = acks.map(([firstOffset, lastOffset, type]) => ({
      firstOffset,
      lastOffset,
      acknowledgeTypes: [type],
    }));
    const topics = [{ topicId: this.topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches }] }];
    const limits = { maxWaitMs, minBytes: 1, maxBytes: 1 << 20, maxRecords: 2, batchSize: 10 };
    const request = { groupId: 'g', memberId: 'm', shareSessionEpoch, topics, ...limits };
    const answer = await this.world.run(client.ask(ShareFetchRequest, ShareFetchResponse, 2, request));
    const data = answer.responses[0]?.partitions[0];
    return {
      errorCode: answer.errorCode,
      throttleTimeMs: answer.throttleTimeMs,
      acknowledgeErrorCode: data?.acknowledgeErrorCode,
      acquired: data?.acquiredRecords.map((one) => [one.firstOffset, one.lastOffset, one.deliveryCount]) ?? [],
    };
  }

  /** Sets a value of the group, and waits until the broker has it. */
  async configure(name: string, value: string): Promise<void> {
    const configs = [{ name, configOperation: AlterOperation.set, value }];
    const resources = [{ resourceType: ResourceType.group, resourceName: 'g', configs }];
    const answer = await this.world.ask(0, (client) =>
      client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, { resources }),
    );
    assert.equal(answer.responses[0]?.errorCode, ErrorCode.NONE);
    await this.world.sim.runFor(500);
  }

  async summary(): Promise<number | undefined> {
    const topics = [{ topicId: this.topicId, partitions: [{ partition: 0, leaderEpoch: 0 }] }];
    const { results } = await this.world.ask(0, (client) =>
      client.ask(ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse, 1, { groupId: 'g', topics }),
    );
    return results[0]?.partitions[0]?.startOffset;
  }
}
