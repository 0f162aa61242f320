import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import type { Writer } from '../../src/wire/writer.ts';
import { OpCode } from '../../src/zookeeper/jute/op-codes.ts';
import { CreateRequest, CreateTTLRequest, SetACLRequest } from '../../src/zookeeper/jute/proto.ts';
import {
  check,
  create,
  multi,
  remove,
  setData,
  type TestRequest,
} from '../../src/zookeeper/server/testkit/requests.ts';

/** One thing that the workload does. The next one begins when it is answered. */
export type Step =
  /** A new session, of so many milliseconds. */
  | { readonly kind: 'open'; readonly session: string; readonly timeoutMs: number }
  /** Sent at once by one session; each is one transaction, those that fail too. */
  | { readonly kind: 'requests'; readonly session: string; readonly requests: readonly TestRequest[] }
  | { readonly kind: 'close'; readonly session: string }
  /** Its client vanishes, and time passes until it has expired. */
  | { readonly kind: 'expire'; readonly session: string }
  /** Time passes until the server has made so many transactions of its own: containers, nodes whose time is over. */
  | { readonly kind: 'wait'; readonly count: number }
  | { readonly kind: 'restart'; readonly how: 'stop' | 'process' | 'power' };

type Acl = readonly { readonly perms: number; readonly id: { readonly scheme: string; readonly id: string } }[];
const open: Acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const owned: Acl = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
const byAddress: Acl = [{ perms: 31, id: { scheme: 'ip', id: '10.0.0.0/16' } }, ...open];

const typed = (type: number, body: (to: Writer) => void): TestRequest => ({ type, body });
const createWith = (type: number, path: string, acl: Acl, flags = 0): TestRequest =>
  typed(type, (to) => CreateRequest.write(to, { path, data: Buffer.from(path), acl: acl as never, flags }));
const createTtl = (path: string, ttl: number): TestRequest =>
  typed(OpCode.createTTL, (to) =>
    CreateTTLRequest.write(to, { path, data: Buffer.from('ttl'), acl: open as never, flags: 5, ttl }),
  );
const setAcl = (path: string, acl: Acl, version = -1): TestRequest =>
  typed(OpCode.setACL, (to) => SetACLRequest.write(to, { path, acl: acl as never, version }));

const EPHEMERAL = 1;
const SEQUENTIAL = 2;
const CONTAINER = 4;
/** Sessions that outlive the run whatever it does. */
const LONG_MS = 600_000;
/** The shortest that the workload's tick allows. */
const SHORT_MS = 60_000;

/** Data of any size that matters: none, a page and its edges, and what goes to the disk behind the loop's back. */
function drawData(random: SimRandom): string {
  const size = random.pick([0, 1, 20, 500, 4090, 9000]) + random.below(10);
  return random.pick(['a', 'b', 'é']).repeat(size);
}

/** What every run has: each kind of node, transaction and file. */
function fixedPart(random: SimRandom): Step[] {
  const requests = (session: string, ...list: TestRequest[]): Step => ({ kind: 'requests', session, requests: list });
  return [
    { kind: 'open', session: 'long', timeoutMs: LONG_MS },
    requests(
      'long',
      create('/app'),
      create('/app/a', 'one'),
      createWith(OpCode.create2, '/app/owned', owned),
      createWith(OpCode.create, '/app/near', byAddress),
      create('/app/s-', 'x', SEQUENTIAL),
      create('/app/s-', 'y', SEQUENTIAL),
      create('/none/x'),
    ),
    { kind: 'open', session: 'closing', timeoutMs: LONG_MS },
    requests(
      'closing',
      create('/app/e1', 'x', EPHEMERAL),
      create('/app/e-', 'x', EPHEMERAL | SEQUENTIAL),
      setData('/app/a', 'two', 0),
      setData('/app/a', 'three', 0),
    ),
    { kind: 'restart', how: random.pick(['stop', 'process', 'power']) },
    requests(
      'long',
      create('/zookeeper/quota/app'),
      create('/zookeeper/quota/app/zookeeper_limits', 'count=9,bytes=-1'),
      create('/zookeeper/quota/app/zookeeper_stats', 'count=0,bytes=0'),
      multi(create('/app/m1'), create('/app/m2'), setData('/app/a', 'multi'), check('/app/m1', 0)),
      multi(create('/app/m3'), remove('/app/none'), create('/app/m4')),
      setAcl('/app/a', owned),
      setData('/app/a', drawData(random)),
      multi(remove('/app/m1'), remove('/app/m2'), createWith(OpCode.createContainer, '/app/box', open, CONTAINER)),
    ),
    { kind: 'open', session: 'expiring', timeoutMs: SHORT_MS },
    requests('expiring', create('/app/x1', 'x', EPHEMERAL), multi(create('/app/x2', 'x', EPHEMERAL))),
    { kind: 'close', session: 'closing' },
    { kind: 'expire', session: 'expiring' },
    requests(
      'long',
      setData('/app/a', 'é'.repeat(50_000)),
      create('/app/box/in'),
      remove('/app/box/in'),
      createTtl('/app/ttl', 1),
    ),
    { kind: 'wait', count: 2 },
    { kind: 'restart', how: random.pick(['stop', 'process', 'power']) },
  ];
}

/** Random writes over a few names, so that most of them find something there. */
function drawnRequest(random: SimRandom): TestRequest {
  const path = `/app/r${random.below(6)}`;
  switch (random.below(8)) {
    case 0:
      return remove(path);
    case 1:
      return setAcl(path, random.pick([open, owned, byAddress]), random.pick([-1, -1, 0, 1]));
    case 2:
      return multi(setData(path, drawData(random)), create(`${path}/c`, 'x', SEQUENTIAL), check('/app', 0));
    case 3:
    case 4:
      return setData(path, drawData(random), random.pick([-1, -1, 0, 1]));
    case 5:
      return create(`/app/e${random.below(4)}`, 'x', EPHEMERAL);
    default:
      return create(path, drawData(random));
  }
}

/** The same seed, the same steps. */
export function crashWorkload(random: SimRandom): Step[] {
  const steps = fixedPart(random);
  const count = 2 + random.below(4);
  for (let index = 0; index < count; index += 1) {
    const requests = Array.from({ length: 1 + random.below(9) }, () => drawnRequest(random));
    steps.push({ kind: 'requests', session: 'long', requests });
  }
  steps.push({ kind: 'restart', how: random.pick(['stop', 'process', 'power']) });
  steps.push({ kind: 'requests', session: 'long', requests: [create('/app/last')] });
  steps.push({ kind: 'close', session: 'long' });
  return steps;
}
