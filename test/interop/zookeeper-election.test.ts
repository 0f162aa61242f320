/** Our part in the elections of Apache's servers: they count our vote, and we find the leader that they found. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import type { Zxid } from '../../src/zookeeper/jute/ids.ts';
import { Elector } from '../../src/zookeeper/quorum/elector.ts';
import type { PeerState, Vote } from '../../src/zookeeper/quorum/notification.ts';
import { majority, type ServerId } from '../../src/zookeeper/quorum/quorum-verifier.ts';
import { type ApacheZookeeper, startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

interface Decision {
  readonly state: PeerState;
  readonly vote: Vote;
}

for (const version of ['3.9.4', '3.4.8'] as const) {
  test(`two servers of Apache ${version} and we elect`, async (t) => {
    const dir = tempDir();
    const electionPorts = new Map<ServerId, number>();
    const config: Record<string, string> = {};
    for (const id of [1, 2, 3]) {
      electionPorts.set(id, await freePort());
      config[`server.${id}`] = `127.0.0.1:${await freePort()}:${electionPorts.get(id)}`;
    }
    const addressesOf = (id: ServerId) => [{ host: '127.0.0.1', port: electionPorts.get(id) ?? 0 }];
    const decisions: Decision[] = [];
    const join3 = async (): Promise<Elector> => {
      const elector = new Elector({
        runtime: nodeRuntime({ log: silent }),
        election: { self: 1, role: 'participant', verifiers: [majority([1, 2, 3])], config: 'version=0' },
        port: { addresses: addressesOf(1), addressesOf, helloTimeoutMs: 10_000 },
        decided: (state, vote) => decisions.push({ state, vote }),
      });
      t.after(() => elector.close());
      await elector.start();
      elector.look(0n as Zxid, 0);
      return elector;
    };
    const early = await join3();
    const members = new Map<ServerId, ApacheZookeeper>();
    await Promise.all(
      [2, 3].map(async (id) => {
        const member = await startApacheZookeeper({ version, dataDir: join(dir, `${id}`), config, myid: id });
        members.set(id, member);
      }),
    );
    t.after(() => Promise.all([...members.values()].map((member) => member.kill())));
    const modes = await Promise.all(
      [...members].map(async ([id, member]) => ({ id, mode: /Mode: (\w+)/.exec(await member.ask('srvr'))?.[1] })),
    );
    const leader = modes.find(({ mode }) => mode === 'leader')?.id;
    const first = await until('decision', () => decisions[0]);
    assert.deepEqual([first.state, first.vote.leader], ['FOLLOWING', leader]);
    await early.close();

    const late = await join3();
    const second = await until('decision of who comes late', () => decisions[1]);
    assert.deepEqual([second.state, second.vote.leader], ['FOLLOWING', leader]);

    // without us the one that is left could not be elected
    await members.get(leader ?? 0)?.kill();
    late.look(0n as Zxid, 0);
    const third = await until('decision for the last one', () => decisions[2]);
    const left = leader === 3 ? 2 : 3;
    assert.deepEqual([third.state, third.vote.leader], ['FOLLOWING', left]);
    const logFile = members.get(left)?.logFile ?? '';
    await until('leader', () =>
      /LEADING/.test(readFileSync(logFile, 'utf8').split('LOOKING').at(-1) ?? '') ? true : undefined,
    );
  });
}
