// biome-ignore lint/style/noRestrictedImports: the real runtime is tried in a directory of the system's
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { pemIdentity } from '../../config/keystores/pem.ts';
import { silent } from '../log.ts';
import { NodeDisk } from '../node/node-disk.ts';
import { nodeRuntime } from '../node/node-runtime.ts';
import { type SystemCalls, systemCalls } from '../node/system-calls.ts';
import { Simulation } from '../sim/simulation.ts';
import { clockCases } from './clock-cases.ts';
import { computeCases } from './compute-cases.ts';
import type { ContractWorld } from './contract.ts';
import { diskCases } from './disk-cases.ts';
import { networkCases } from './network-cases.ts';
import { sentCases } from './sent-cases.ts';
import { type Certificates, tlsCases } from './tls-cases.ts';

/** Made by scripts/golden/tls-stores.ts. */
const certificates: Certificates = (name) =>
  pemIdentity(readFileSync(join(import.meta.dirname, `../../../test/golden/tls/${name}.pem`), 'latin1'), '');
const cases = [
  ...clockCases,
  ...networkCases,
  ...sentCases,
  ...tlsCases.map(({ name, run }) => ({
    name: `TLS: ${name}`,
    run: (world: ContractWorld) => run(world, certificates),
  })),
  ...diskCases,
  ...computeCases.map(({ name, run }) => ({ name: `compute: ${name}`, run })),
];

/** The machine that runs the test: loopback, a directory of the system's, and system calls that fail on order. */
function realWorld(t: TestContext): ContractWorld {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const calls = failingCalls();
  return {
    runtime: { ...nodeRuntime({ log: silent }), disk: new NodeDisk(calls.calls) },
    host: '127.0.0.1',
    directory,
    complete: (promise) => promise,
    failNext: calls.failNext,
  };
}

function simulatedWorld(seed: number): ContractWorld {
  const sim = new Simulation({ seed });
  const machine = sim.machine('alpha');
  machine.runtime.disk.makeDirectory('/data');
  return {
    get runtime() {
      return machine.runtime;
    },
    host: machine.host,
    directory: '/data',
    complete: (promise) => sim.complete(promise),
    failNext: (operation, code) => machine.disk.failNext({ operation, code }),
  };
}

interface FailingCalls {
  readonly calls: SystemCalls;
  readonly failNext: (operation: 'append' | 'sync', code: string) => void;
}

/** The real calls; on order the next write stops halfway, as on a disk that fills up, and the one that would go on fails. */
function failingCalls(): FailingCalls {
  const ordered = { append: '', sync: '', continued: '' };
  const errorOf = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });
  const take = (operation: keyof typeof ordered): string => {
    const code = ordered[operation];
    ordered[operation] = '';
    return code;
  };
  const halfOf = (buffers: readonly Uint8Array[]): Uint8Array[] => {
    ordered.continued = take('append');
    const first = buffers[0]!;
    return [first.subarray(0, Math.ceil(first.length / 2))];
  };
  const calls: SystemCalls = {
    ...systemCalls,
    writeSync: (fd, bytes, offset, length, position) => {
      if (ordered.continued !== '') throw errorOf(take('continued'));
      const most = ordered.append === '' ? length : halfOf([bytes])[0]!.length;
      return systemCalls.writeSync(fd, bytes, offset, most, position);
    },
    writevSync: (fd, buffers, position) => {
      if (ordered.continued !== '') throw errorOf(take('continued'));
      return systemCalls.writevSync(fd, ordered.append === '' ? buffers : halfOf(buffers), position);
    },
    writev: (fd, buffers, position, done) => {
      if (ordered.continued !== '') done(errorOf(take('continued')), 0);
      else systemCalls.writev(fd, ordered.append === '' ? buffers : halfOf(buffers), position, done);
    },
    fdatasync: (fd, done) => {
      if (ordered.sync === '') systemCalls.fdatasync(fd, done);
      else done(errorOf(take('sync')));
    },
  };
  const failNext = (operation: 'append' | 'sync', code: string): void => {
    ordered[operation] = code;
  };
  return { calls, failNext };
}

suite('the real runtime', () => {
  for (const { name, run } of cases) test(name, (t) => run(realWorld(t)));
});

for (const seed of [1, 2, 3]) {
  suite(`the simulated runtime, seed ${seed}`, () => {
    for (const { name, run } of cases) test(name, () => run(simulatedWorld(seed)));
  });
}
