import assert from 'node:assert/strict';
import test from 'node:test';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../protocol/messages/37-create-partitions.ts';
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from '../protocol/messages/38-create-delegation-token.ts';
import { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../protocol/messages/57-update-features.ts';
import { EnvelopeRequest, EnvelopeResponse } from '../protocol/messages/58-envelope.ts';
import {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
} from '../protocol/messages/67-allocate-producer-ids.ts';
import {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from '../protocol/messages/71-get-telemetry-subscriptions.ts';
import { PushTelemetryRequest, PushTelemetryResponse } from '../protocol/messages/72-push-telemetry.ts';
import {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../protocol/messages/74-list-config-resources.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

test('a client without subscriptions gets an id, and may push nothing but what belongs to it', async () => {
  const world = await new ClusterWorld({ kafka: { 'telemetry.max.bytes': 10 } }).start();
  const subscribe = (clientInstanceId: string) =>
    world.ask(0, (client) =>
      client.ask(GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse, 0, { clientInstanceId }),
    );
  const given = await subscribe(ZERO_UUID);
  assert.notEqual(given.clientInstanceId, ZERO_UUID);
  assert.deepEqual(
    [given.errorCode, given.requestedMetrics, given.pushIntervalMs, given.telemetryMaxBytes],
    [ErrorCode.NONE, [], 300_000, 10],
  );
  const again = await subscribe(given.clientInstanceId);
  assert.deepEqual(again, given);

  const push = async (fields: Partial<PushTelemetryRequest>): Promise<number> => {
    const { clientInstanceId, subscriptionId } = given;
    const request = { clientInstanceId, subscriptionId, metrics: Buffer.alloc(10), ...fields };
    const answer = await world.ask(0, (client) => client.ask(PushTelemetryRequest, PushTelemetryResponse, 0, request));
    return answer.errorCode;
  };
  assert.equal(await push({}), ErrorCode.NONE);
  assert.equal(await push({ metrics: Buffer.alloc(11) }), ErrorCode.TELEMETRY_TOO_LARGE);
  assert.equal(await push({ compressionType: 5 }), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
  assert.equal(await push({ subscriptionId: given.subscriptionId + 1 }), ErrorCode.UNKNOWN_SUBSCRIPTION_ID);
  assert.equal(await push({ clientInstanceId: ZERO_UUID }), ErrorCode.INVALID_REQUEST);
});

test('resources with configuration are listed by their types; before v1 only those of clients’ metrics', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  const list = async (version: number, resourceTypes: number[]): Promise<unknown> => {
    const answer = await world.ask(0, (client) =>
      client.ask(ListConfigResourcesRequest, ListConfigResourcesResponse, version, { resourceTypes }),
    );
    return [answer.errorCode, ...answer.configResources.map((one) => `${one.resourceType} ${one.resourceName}`)];
  };
  assert.deepEqual(await list(0, []), [ErrorCode.NONE]);
  assert.deepEqual(await list(1, []), [ErrorCode.NONE, '2 t', '4 0', '8 0']);
  assert.deepEqual(await list(1, [4, 4, 32]), [ErrorCode.NONE, '4 0']);
  assert.deepEqual(await list(1, [2, 1]), [ErrorCode.UNSUPPORTED_VERSION]);
});

test('no feature can be finalized, and from v2 on the first refusal is that of all', async () => {
  const world = await new ClusterWorld().start();
  const update = (version: number, feature: string, maxVersionLevel: number) =>
    world.ask(0, (client) =>
      client.ask(UpdateFeaturesRequest, UpdateFeaturesResponse, version, {
        featureUpdates: [{ feature, maxVersionLevel, allowDowngrade: false, upgradeType: 1 }],
      }),
    );
  const first = await update(1, 'metadata.version', 7);
  assert.deepEqual([first.errorCode, first.results[0]?.errorCode], [ErrorCode.NONE, ErrorCode.INVALID_REQUEST]);
  const whole = await update(2, 'metadata.version', 7);
  assert.equal(whole.errorCode, ErrorCode.INVALID_UPDATE_VERSION);
  assert.match(
    whole.errorMessage ?? '',
    /^The update failed for all features since .* does not support this feature\.$/,
  );
});

test('blocks of producer ids are for brokers that live, and follow each other', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  const allocate = async (at: number, brokerId: number, brokerEpoch: number): Promise<number[]> => {
    const answer = await world.ask(at, (client) =>
      client.ask(AllocateProducerIdsRequest, AllocateProducerIdsResponse, 0, { brokerId, brokerEpoch }),
    );
    return [answer.errorCode, answer.producerIdStart, answer.producerIdLen];
  };
  const epoch = Number((await world.run(world.zk.getData('/brokers/ids/1'))).stat.czxid);
  assert.deepEqual(await allocate(0, 1, epoch), [ErrorCode.NONE, 0, 1000]);
  assert.deepEqual(await allocate(0, 1, epoch), [ErrorCode.NONE, 1000, 1000]);
  assert.deepEqual(await allocate(0, 1, epoch - 1), [ErrorCode.STALE_BROKER_EPOCH, 0, 0]);
  assert.deepEqual(await allocate(0, 7, epoch), [ErrorCode.BROKER_ID_NOT_REGISTERED, 0, 0]);
  assert.deepEqual(await allocate(1, 1, epoch), [ErrorCode.NOT_CONTROLLER, 0, 0]);
});

test('an envelope closes its connection, and leaves the others alone', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  await assert.rejects(
    world.ask(0, (client) =>
      client.ask(EnvelopeRequest, EnvelopeResponse, 0, {
        requestData: Buffer.from('anything'),
        requestPrincipal: null,
        clientHostAddress: Buffer.from([127, 0, 0, 1]),
      }),
    ),
  );
  assert.equal(await world.produce(0, 't', 'still served'), 0);
});

test('an anonymous client gets no token, whomever it asks for', async () => {
  const world = await new ClusterWorld().start();
  const answer = await world.ask(0, (client) =>
    client.ask(CreateDelegationTokenRequest, CreateDelegationTokenResponse, 3, {
      ownerPrincipalType: 'User',
      ownerPrincipalName: 'ann',
    }),
  );
  assert.equal(answer.errorCode, ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED);
  assert.deepEqual([answer.principalName, answer.tokenRequesterPrincipalName], ['ann', 'ANONYMOUS']);
});

test('nobody makes the broker count to more partitions than a topic’s node can name', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  const numPartitions = 200_001;
  const created = await world.ask(0, (client) =>
    client.ask(CreateTopicsRequest, CreateTopicsResponse, 7, {
      topics: [{ name: 'huge', numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
      validateOnly: true,
    }),
  );
  assert.equal(created.topics[0]?.errorCode, ErrorCode.POLICY_VIOLATION);
  const grown = await world.ask(0, (client) =>
    client.ask(CreatePartitionsRequest, CreatePartitionsResponse, 3, {
      topics: [{ name: 't', count: numPartitions, assignments: null }],
      validateOnly: true,
    }),
  );
  assert.equal(grown.results[0]?.errorCode, ErrorCode.POLICY_VIOLATION);
});
