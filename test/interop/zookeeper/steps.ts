/** Draws what several sessions do, and says it in words. */
import { SimRandom } from '../../../src/runtime/sim/sim-random.ts';
import { opCodeName } from '../../../src/zookeeper/jute/op-codes.ts';
import { requestFrame } from '../../../src/zookeeper/server/testkit/raw-client.ts';
import type { TestRequest } from '../../../src/zookeeper/server/testkit/requests.ts';
import type { PlayStep, Watches } from './player.ts';
import { RequestGenerator } from './requests.ts';
import { shown } from './transcript.ts';

export const SESSIONS = 4;

function watchesOf(random: SimRandom, generator: RequestGenerator): Watches {
  const paths = () => Array.from({ length: random.below(4) }, () => generator.path());
  return {
    withPersistent: random.chance(1 / 2),
    behind: random.pick([0, 1, 3, 10, 1000]),
    dataWatches: paths(),
    existWatches: paths(),
    childWatches: paths(),
    persistentWatches: paths(),
    persistentRecursiveWatches: paths(),
  };
}

export function drawSteps(seed: number, count: number): PlayStep[] {
  const random = new SimRandom(`generated differential ${seed}`);
  const generator = new RequestGenerator(random.fork('requests'));
  return Array.from({ length: count }, (): PlayStep => {
    const session = random.below(SESSIONS);
    const choice = random.fraction();
    if (choice < 0.02) return { kind: 'close', session };
    if (choice < 0.05) {
      const watches = random.chance(2 / 3) ? watchesOf(random, generator) : undefined;
      return { kind: 'reconnect', session, password: random.chance(1 / 3) ? 'wrong' : 'right', watches };
    }
    if (choice < 0.07) {
      const [scheme, credentials] = random.pick([
        ['digest', 'bob:bobsecret'],
        ['digest', 'bob:other'],
        ['digest', 'super:test'],
        ['ip', ''],
        ['digest', 'nocolon'],
        ['none', 'x'],
      ] as const);
      return { kind: 'auth', session, scheme, credentials };
    }
    if (choice < 0.17) {
      const requests = Array.from({ length: 2 + random.below(6) }, () => generator.soon());
      return { kind: 'together', session, requests };
    }
    return { kind: 'request', session, request: generator.any() };
  });
}

/** With the bytes of its requests. */
export function described(step: PlayStep): string {
  if (step.kind === 'request') return `session ${step.session} sends ${inWords(step.request)}`;
  if (step.kind === 'together') return `session ${step.session} sends ${step.requests.map(inWords).join(', ')}`;
  return shown(step);
}

function inWords({ type, body }: TestRequest): string {
  const bytes = Buffer.from(requestFrame(0, type, body)).subarray(12);
  return `${opCodeName(type)} ${JSON.stringify(bytes.toString('latin1'))}`;
}
