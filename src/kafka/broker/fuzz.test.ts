/** Nonsense of every kind to every API key and version that is advertised: the broker lives, answers or closes, and serves others. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { SimRandom } from '../../runtime/sim/sim-random.ts';
import { simulateCluster } from '../../testing/index.ts';
import { ApiKey } from '../protocol/api-keys.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts';
import type { ApiHandler } from './api-handler.ts';
import { registerHandlers } from './handlers.ts';
import { drawRequest, type Known, mutate } from './testkit/arbitrary-requests.ts';
import { RawClient } from './testkit/raw-client.ts';
import { batchOf, produceRequest } from './testkit/requests.ts';

/** Asks no handler to work: what is advertised is the list of them. */
const handlers = [...registerHandlers({} as never).values()];
/** What only a controller sends: nonsense of this kind may well take a broker's partitions away. */
const ofControllers: ReadonlySet<number> = new Set([
  ApiKey.LeaderAndIsr,
  ApiKey.StopReplica,
  ApiKey.UpdateMetadata,
  ApiKey.ControlledShutdown,
]);
/** Requests to each version of each API. More, and other seeds: FUZZ_ROUNDS and FUZZ_SEED. */
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 6);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const MIB = 1_048_576;

async function fuzzedWorld(seed: number) {
  const failures: unknown[] = [];
  const onLog = (line: string): void => {
    // A handler that threw what is not the client's fault.
    if (/a request failed|a connection failed/.test(line)) failures.push(line);
  };
  const world = simulateCluster({ seed, onLog, onFatal: (_, error) => failures.push(error) });
  await world.start();
  const connect = (): RawClient => new RawClient(world.client.runtime, world.bootstrap);
  const createTopics = (...names: readonly string[]) =>
    world.sim.complete(
      connect().ask(CreateTopicsRequest, CreateTopicsResponse, 4, {
        topics: names.map((name) => ({ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] })),
        timeoutMs: 5000,
      }),
    );
  await createTopics('spool', 'other');
  const metadata = await world.sim.complete(connect().ask(MetadataRequest, MetadataResponse, 10, { topics: null }));
  const known: Known = {
    strings: ['spool', 'other', 'group', 'member', 'consumer', 'range', 'retention.ms', '__consumer_offsets', '0'],
    uuids: metadata.topics.map(({ topicId }) => topicId),
  };
  return { ...world, connect, createTopics, known, failures };
}

type World = Awaited<ReturnType<typeof fuzzedWorld>>;

/** Tells what the broker did about the bytes: waiting is right where a request asks for it, or was never whole. */
async function outcomeOf({ sim, connect }: World, bytes: Uint8Array): Promise<'answered' | 'closed' | 'waits'> {
  const client = connect();
  let outcome: 'answered' | 'closed' | 'waits' = 'waits';
  client.nextFrame().then(
    () => {
      outcome = 'answered';
    },
    () => {
      outcome = 'closed';
    },
  );
  client.write(bytes);
  await sim.runFor(50);
  client.close();
  return outcome;
}

/** The API and its version stay, so that it is that handler's codec that reads. */
function damaged(frame: Uint8Array, random: SimRandom): Buffer {
  const body = frame.subarray(4);
  const mutated = Buffer.concat([body.subarray(0, 4), mutate(body.subarray(4), random)]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(mutated.length);
  return Buffer.concat([size, mutated]);
}

async function bombard(world: World, chosen: readonly ApiHandler[], random: SimRandom) {
  const tally = { answered: 0, closed: 0, waits: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { request, firstVersion, lastVersion } of chosen) {
      for (let version = firstVersion; version <= lastVersion; version += 1) {
        const frame = drawRequest(request, version, random, world.known);
        const bytes = round % 2 === 0 ? frame : damaged(frame, random);
        tally[await outcomeOf(world, bytes)] += 1;
        const what = `${request.name} v${version}: ${Buffer.from(bytes).toString('hex')}`;
        assert.deepEqual(world.failures, [], what);
        assert.ok(world.broker.server !== undefined, what);
      }
      const answer = await world.sim.complete(world.connect().ask(ApiVersionsRequest, ApiVersionsResponse, 0, {}));
      assert.equal(answer.errorCode, 0, `another client after ${request.name}`);
    }
  }
  return tally;
}

test('nonsense to every API in every version is answered or closes its connection, and the broker serves on', async () => {
  const world = await fuzzedWorld(SEED);
  const before = process.resourceUsage().maxRSS;
  const chosen = handlers.filter(({ request }) => !ofControllers.has(request.apiKey));
  const tally = await bombard(world, chosen, new SimRandom(`fuzz ${SEED}`));
  assert.ok(tally.answered > tally.waits && tally.closed > tally.waits, JSON.stringify(tally));
  await world.sim.runFor(60_000);
  const { unsentBytes, requestBytes } = world.broker.server!.networkLoad;
  assert.deepEqual({ unsentBytes, requestBytes }, { unsentBytes: 0, requestBytes: 0 });
  const grown = (process.resourceUsage().maxRSS - before) * 1024;
  assert.ok(grown < 300 * MIB, `${Math.round(grown / MIB)} MiB more`);
  await world.createTopics('afterwards');
  const produced = await world.sim.complete(
    world.connect().ask(ProduceRequest, ProduceResponse, 8, produceRequest('afterwards', batchOf(['still here']))),
  );
  assert.equal(produced.responses[0]?.partitionResponses[0]?.errorCode, 0);
});

test('nonsense that only a controller would send does not end the broker', async () => {
  const world = await fuzzedWorld(SEED);
  const chosen = handlers.filter(({ request }) => ofControllers.has(request.apiKey));
  await bombard(world, chosen, new SimRandom(`fuzz controllers ${SEED}`));
});
