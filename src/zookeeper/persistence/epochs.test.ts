import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptionError } from '../../runtime/disk.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { makeZxid } from '../jute/ids.ts';
import { loadEpochs } from './epochs.ts';
import { RecoveryError } from './recovery.ts';

/** Files by name, of a history that ends in an epoch. */
interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly epoch: number;
  /** Current and accepted, or what is thrown. */
  readonly want: readonly [number, number] | RegExp;
}

const cases: readonly Case[] = [
  { name: 'a server that was alone has the epoch of its history', files: {}, epoch: 3, want: [3, 3] },
  {
    name: 'both files are taken as they are',
    files: { currentEpoch: '3', acceptedEpoch: '5' },
    epoch: 2,
    want: [3, 5],
  },
  { name: 'a missing acceptedEpoch is written', files: { currentEpoch: '2' }, epoch: 2, want: [2, 2] },
  { name: 'a missing currentEpoch is written', files: { acceptedEpoch: '4' }, epoch: 3, want: [3, 4] },
  {
    name: 'a history of a newer epoch is refused',
    files: { currentEpoch: '1', acceptedEpoch: '1' },
    epoch: 2,
    want: /The current epoch, 1, is older than the last zxid, 0x200000007/,
  },
  {
    name: 'so it is without acceptedEpoch',
    files: { currentEpoch: '1' },
    epoch: 2,
    want: /is older than the last zxid/,
  },
  {
    name: 'a history of the epoch that was accepted last is its beginning',
    files: { currentEpoch: '1', acceptedEpoch: '2' },
    epoch: 2,
    want: [2, 2],
  },
  {
    name: 'an epoch that was being written is finished',
    files: { currentEpoch: '1', 'currentEpoch.tmp': '', acceptedEpoch: '2' },
    epoch: 2,
    want: [2, 2],
  },
  {
    name: 'an epoch that a 3.4 server was writing is finished',
    files: { currentEpoch: '1', updatingEpoch: '', acceptedEpoch: '2' },
    epoch: 2,
    want: [2, 2],
  },
  {
    name: 'an unfinished epoch that was never accepted is refused',
    files: { currentEpoch: '1', 'currentEpoch.tmp': '2', acceptedEpoch: '1' },
    epoch: 2,
    want: /The accepted epoch, 1 is less than the current epoch, 2/,
  },
  {
    name: 'an accepted epoch below the current one is refused',
    files: { currentEpoch: '3', acceptedEpoch: '2' },
    epoch: 2,
    want: /The accepted epoch, 2 is less than the current epoch, 3/,
  },
  { name: 'what is no number is damage', files: { currentEpoch: 'x' }, epoch: 2, want: /"x" is not a number/ },
];

for (const { name, files, epoch, want } of cases) {
  test(`epochs: ${name}`, async () => {
    const sim = new Simulation({ seed: 1 });
    const machine = sim.machine('zk');
    const { disk } = machine.runtime;
    disk.makeDirectory('/data');
    for (const [file, text] of Object.entries(files)) disk.writeFile(`/data/${file}`, Buffer.from(text));
    const loading = loadEpochs(disk, '/data', makeZxid(epoch, 7));
    if (want instanceof RegExp) {
      await assert.rejects(sim.complete(loading), (error) => {
        assert.ok(error instanceof RecoveryError || error instanceof CorruptionError);
        return want.test(error.message);
      });
      return;
    }
    const [currentEpoch, acceptedEpoch] = want;
    assert.deepEqual(await sim.complete(loading), { currentEpoch, acceptedEpoch });
    assert.deepEqual(
      disk.list('/data').map((file) => [file.name, Buffer.from(disk.readFile(`/data/${file.name}`)).toString()]),
      [
        ['acceptedEpoch', `${acceptedEpoch}`],
        ['currentEpoch', `${currentEpoch}`],
      ],
    );
    // Once more, from what was written.
    assert.deepEqual(await sim.complete(loadEpochs(disk, '/data', makeZxid(epoch, 7))), {
      currentEpoch,
      acceptedEpoch,
    });
  });
}
