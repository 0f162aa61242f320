import assert from 'node:assert/strict';
import test from 'node:test';
import type { Connection, NetworkError } from '../../runtime/network.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { MalformedError } from '../../wire/errors.ts';
import type { Zxid } from '../jute/ids.ts';
import { PeerLink } from './peer-link.ts';
import { encodePacket, PacketType, type QuorumPacket } from './quorum-packet.ts';

const packet = (zxid: number, data: Uint8Array | null = null): QuorumPacket => ({
  type: PacketType.PROPOSAL,
  zxid: BigInt(zxid) as Zxid,
  data,
  authinfo: null,
});

/** One end: what it heard, in order. */
class End {
  link!: PeerLink;
  connection!: Connection;
  readonly heard: string[] = [];
  readonly zxids: number[] = [];
  writes = 0;
  turnsAsked = 0;
  /** Done inside `received`. */
  onPacket: ((packet: QuorumPacket) => void) | undefined;

  constructor(sim: Simulation, name: string) {
    const { clock } = sim.machine(name).runtime;
    this.link = new PeerLink({
      clock: {
        soon: (run) => {
          this.turnsAsked += 1;
          clock.soon(run);
        },
      },
      sizeMax: 1 << 20,
      events: {
        connected: () => this.heard.push('connected'),
        received: (got) => {
          this.heard.push(`packet ${got.zxid}`);
          this.zxids.push(Number(got.zxid));
          this.onPacket?.(got);
        },
        faulty: () => this.heard.push('faulty'),
        closed: (reason?: NetworkError) => this.heard.push(`closed ${reason?.code}`),
      },
    });
  }

  attach(connection: Connection): void {
    this.connection = connection;
    const write = connection.write.bind(connection);
    connection.write = (buffers, sent) => {
      this.writes += 1;
      return write(buffers, sent);
    };
    this.link.attach(connection);
  }
}

async function connected(seed = 1): Promise<{ readonly sim: Simulation; readonly left: End; readonly right: End }> {
  const sim = new Simulation({ seed });
  const [left, right] = [new End(sim, 'left'), new End(sim, 'right')];
  const [at, from] = [...sim.machines];
  const listening = at?.runtime.network.listen({ host: at.host, port: 2888 }, (connection) => {
    left.attach(connection);
    return left.link;
  });
  assert.ok(at !== undefined && from !== undefined && listening !== undefined);
  await sim.complete(listening);
  right.attach(from.runtime.network.connect({ host: at.host, port: 2888 }, right.link));
  await sim.runUntil(() => right.heard.includes('connected') && left.connection !== undefined, 1000);
  return { sim, left, right };
}

test('packets arrive in the order they were sent, whichever way', async () => {
  const { sim, left, right } = await connected();
  left.link.send(packet(1));
  left.link.sendPrepared(encodePacket(packet(2, Buffer.alloc(5000))));
  left.link.send(packet(3));
  assert.equal(left.writes, 0);
  assert.ok(left.link.unsentBytes > 5000);
  await sim.runUntil(() => right.zxids.length === 3, 1000);
  assert.deepEqual(right.zxids, [1, 2, 3]);
  assert.deepEqual([left.writes, left.turnsAsked], [1, 1], 'one write for one turn');
});

test('what is sent before the connection is there leaves with it', async () => {
  const sim = new Simulation({ seed: 1 });
  const [left, right] = [new End(sim, 'left'), new End(sim, 'right')];
  const [at, from] = [...sim.machines];
  assert.ok(at !== undefined && from !== undefined);
  const accept = (connection: Connection) => {
    left.attach(connection);
    return left.link;
  };
  await sim.complete(at.runtime.network.listen({ host: at.host, port: 2888 }, accept));
  right.attach(from.runtime.network.connect({ host: at.host, port: 2888 }, right.link));
  right.link.send(packet(7));
  await sim.runUntil(() => left.zxids.length === 1, 1000);
});

test('a stream is asked for no faster than the peer takes it, and packets wait behind it', async () => {
  const { sim, left, right } = await connected();
  const [pieces, pieceBytes] = [256, 65_536];
  let [asked, taken] = [0, 0];
  let isDone = false;
  right.onPacket = ({ type }) => {
    if (type !== PacketType.SNAP) return;
    right.link.hold();
    right.link.receiveRaw((chunk) => {
      const mine = Math.min(chunk.length, pieces * pieceBytes - taken);
      taken += mine;
      assert.ok(chunk.subarray(0, mine).every((byte) => byte === 7));
      return taken === pieces * pieceBytes ? chunk.subarray(mine) : undefined;
    });
  };
  left.link.send({ ...packet(1), type: PacketType.SNAP });
  left.link.sendStream(
    () => {
      if (asked === pieces) return undefined;
      asked += 1;
      return Buffer.alloc(pieceBytes, 7);
    },
    () => {
      isDone = true;
      left.link.send(packet(3));
    },
  );
  left.link.send(packet(2));
  await sim.runFor(5000);
  assert.ok(asked < pieces / 2, `${asked} pieces for a peer that reads nothing`);
  assert.ok(asked > 1);
  right.link.release();
  await sim.runUntil(() => right.zxids.length === 3, 60_000);
  assert.deepEqual([right.zxids, asked, taken, isDone], [[1, 2, 3], pieces, pieces * pieceBytes, true]);
});

test('a stream gives the loop a turn between its pieces', async () => {
  const { sim, left } = await connected();
  let asked = 0;
  const before = sim.eventCount;
  left.link.sendStream(
    () => {
      asked += 1;
      return asked > 5 ? undefined : Buffer.alloc(10);
    },
    () => undefined,
  );
  assert.equal(asked, 0);
  await sim.runUntil(() => asked === 6, 1000);
  assert.ok(sim.eventCount - before >= 6);
});

test('raw bytes end where they say, wherever the stream is cut', async () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const { sim, left, right } = await connected(seed);
    let raw = '';
    right.onPacket = ({ type }) => {
      if (type !== PacketType.SNAP) return;
      right.link.receiveRaw((chunk) => {
        const mine = chunk.subarray(0, 10 - raw.length);
        raw += Buffer.from(mine).toString('latin1');
        return raw.length === 10 ? chunk.subarray(mine.length) : undefined;
      });
    };
    const pieces = ['BenWas', 'Here'].map((text) => Buffer.from(text));
    left.link.send(packet(1));
    left.link.send({ ...packet(2), type: PacketType.SNAP });
    left.link.sendStream(
      () => pieces.shift(),
      () => undefined,
    );
    left.link.send(packet(3));
    left.link.send(packet(4));
    await sim.runUntil(() => right.zxids.length === 4, 1000);
    assert.deepEqual([right.zxids, raw], [[1, 2, 3, 4], 'BenWasHere']);
  }
});

test('a held link delivers in order after release, and stops again where it is held again', async () => {
  const { sim, left, right } = await connected();
  right.onPacket = ({ zxid }) => {
    if (zxid === 2n || zxid === 3n) right.link.hold();
  };
  for (let zxid = 1; zxid <= 5; zxid += 1) left.link.send(packet(zxid));
  await sim.runUntil(() => right.zxids.length > 1, 1000);
  left.link.send(packet(6));
  await sim.runFor(100);
  assert.deepEqual(right.zxids, [1, 2]);
  right.link.release();
  assert.deepEqual(right.zxids, [1, 2, 3]);
  right.link.release();
  assert.deepEqual(right.zxids, [1, 2, 3, 4, 5, 6]);
});

test('a hold that is released inside the delivery changes nothing', async () => {
  const { sim, left, right } = await connected();
  right.onPacket = () => {
    right.link.hold();
    right.link.release();
  };
  for (let zxid = 1; zxid <= 3; zxid += 1) left.link.send(packet(zxid));
  await sim.runUntil(() => right.zxids.length === 3, 1000);
  right.link.hold();
  for (const zxid of [4, 5, 6]) {
    left.link.send(packet(zxid));
    left.link.send(packet(zxid + 10));
    await sim.runFor(100);
  }
  right.link.release();
  assert.deepEqual(right.zxids, [1, 2, 3, 4, 14, 5, 15, 6, 16]);
});

test('a second stream may begin when the first is done, behind what was sent meanwhile', async () => {
  const { sim, left, right } = await connected();
  const first = [encodePacket(packet(1))];
  const second = [encodePacket(packet(4))];
  left.link.sendStream(
    () => first.shift(),
    () => {
      left.link.send(packet(3));
      left.link.sendStream(
        () => second.shift(),
        () => undefined,
      );
      left.link.send(packet(5));
    },
  );
  left.link.send(packet(2));
  await sim.runUntil(() => right.zxids.length === 5, 1000);
  assert.deepEqual(right.zxids, [1, 2, 3, 4, 5]);
  assert.throws(() => {
    for (let count = 0; count < 2; count += 1) {
      left.link.sendStream(
        () => undefined,
        () => undefined,
      );
    }
  }, /one stream at a time/);
});

test('the socket of a held link is not read when enough waits', async () => {
  const { sim, left, right } = await connected();
  right.link.hold();
  const sent = 400;
  for (let zxid = 1; zxid <= sent; zxid += 1) left.link.send(packet(zxid, Buffer.alloc(100_000)));
  await sim.runFor(10_000);
  assert.ok(left.link.unsentBytes > 20_000_000, `${left.link.unsentBytes} bytes wait with the sender`);
  right.link.release();
  await sim.runUntil(() => right.zxids.length === sent, 60_000);
  assert.deepEqual(right.zxids[sent - 1], sent);
});

test('bytes that are no packet close the link: faulty, then closed, and nothing after', async () => {
  const { sim, left, right } = await connected();
  left.link.send(packet(1));
  left.link.sendPrepared(Buffer.from('00000003000000010000000200ffffff', 'hex'));
  left.link.send(packet(2));
  await sim.runFor(1000);
  assert.deepEqual(right.heard, ['connected', 'packet 1', 'faulty', 'closed undefined']);
  assert.equal(right.link.isClosed, true);
  assert.match(left.heard.join(), /^closed/);
});

test('what `received` finds malformed closes the link as well', async () => {
  const { sim, left, right } = await connected();
  right.onPacket = () => {
    throw new MalformedError('LEADERINFO without data');
  };
  left.link.send(packet(1));
  left.link.send(packet(2));
  await sim.runFor(1000);
  assert.deepEqual(right.heard, ['connected', 'packet 1', 'faulty', 'closed undefined']);
});

test('after a close inside `received` nothing more is heard but `closed`', async () => {
  const { sim, left, right } = await connected();
  right.onPacket = () => {
    right.link.hold();
    right.link.close();
    right.link.send(packet(9));
    assert.equal(right.link.unsentBytes, 0);
    right.link.release();
  };
  for (let zxid = 1; zxid <= 3; zxid += 1) left.link.send(packet(zxid));
  left.link.sendStream(
    () => Buffer.alloc(1000),
    () => assert.fail('a stream without end is never done'),
  );
  await sim.runFor(1000);
  assert.deepEqual(right.heard, ['connected', 'packet 1', 'closed undefined']);
  assert.equal(left.heard.length, 1, 'the other end hears the end');
  assert.deepEqual([left.link.unsentBytes, right.link.unsentBytes], [0, 0]);
});
