/**
 * What a thousand connections cost a broker: idle ones, and ones that have each sent the beginning of a request of a megabyte
 * and never go on, beside `queued.max.request.bytes` of 16 MiB.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ApiVersionsRequest } from '../../src/kafka/protocol/messages/18-api-versions.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { endOffset, fillTopic } from './kafka-admin.ts';
import { requestFrame } from './kafka-frames.ts';
import { KafkaLane } from './kafka-lane.ts';
import { type Servers, startApache, startOurs } from './servers.ts';
import { amount, type Line } from './table.ts';

const CONNECTIONS = 1_000;
const MIB = 1_048_576;
const QUEUED_BYTES_MAX = 16 * MIB;
/** Sent of each request, whose size says a megabyte. */
const SENT_BYTES = 524_288;
const IDLE_BYTES_MAX = 65_536;
/**
 * The queue overdrawn by one request, and what a socket that is read no longer has delivered already: one chunk of 64 KiB that
 * had no room, and the next, which comes before the pause is heard. Without a limit it would be half a gigabyte.
 */
const UNFINISHED_BYTES_MAX = QUEUED_BYTES_MAX + MIB + CONNECTIONS * 2 * 65_536;
const TOPIC = 'connections';

interface Grown {
  readonly idle: number;
  readonly unfinished: number;
}

export async function manyConnections(): Promise<Line[]> {
  const ours = await measure(startOurs);
  const apache = await measure(startApache);
  const line = (row: string, mine: number, theirs: number, bytesMax: number, unit: 'kB' | 'MB'): Line => {
    const size = unit === 'kB' ? 1_000 : 1_000_000;
    return {
      row,
      ours: amount(mine / size, unit),
      apache: amount(theirs / size, unit),
      ratio: undefined,
      goal: `< ${amount(bytesMax / size, unit)}`,
      met: mine < bytesMax,
      p50p99: '',
      apacheP50p99: '',
      cpu: '',
      loopMs: '',
      ceiling: '',
      verified: '',
    };
  };
  return [
    line('memory of an idle connection', ours.idle / CONNECTIONS, apache.idle / CONNECTIONS, IDLE_BYTES_MAX, 'kB'),
    line('memory of 1,000 unfinished requests', ours.unfinished, apache.unfinished, UNFINISHED_BYTES_MAX, 'MB'),
  ];
}

async function measure(start: typeof startOurs): Promise<Grown> {
  const servers = await start({
    dir: tempDir(),
    withProbe: false,
    brokerConfig: {
      'socket.request.max.bytes': String(QUEUED_BYTES_MAX),
      'queued.max.request.bytes': String(QUEUED_BYTES_MAX),
    },
  });
  await fillTopic(servers.kafkaPort, TOPIC, 8 * MIB);
  const idle = await growth(servers, async (lane) => {
    await lane.send(requestFrame(ApiVersionsRequest, 2, {}));
  });
  const beginning = Buffer.alloc(SENT_BYTES);
  beginning.writeInt32BE(MIB);
  const unfinished = await growth(servers, (lane) => {
    lane.send(beginning).catch(() => undefined);
  });
  // Once they are gone it serves as before.
  if ((await endOffset(servers.kafkaPort, TOPIC)) <= 0) throw new RangeError(`${servers.name} serves no longer`);
  await servers.kill();
  return { idle, unfinished };
}

/** Of resident memory, when every connection has done its part. */
async function growth(servers: Servers, act: (lane: KafkaLane) => Promise<void> | void): Promise<number> {
  const before = servers.residentBytes();
  const lanes = Array.from({ length: CONNECTIONS }, () => new KafkaLane(servers.kafkaPort));
  try {
    await Promise.all(lanes.map(act));
    await pause(2_000);
    return servers.residentBytes() - before;
  } finally {
    for (const lane of lanes) lane.close();
    await pause(500);
  }
}
