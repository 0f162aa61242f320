/** Requests of every kind with bodies as a client sends them, for generated sequences. */
import type { SimRandom } from '../../../src/runtime/sim/sim-random.ts';
import type { Writer } from '../../../src/wire/writer.ts';
import { OpCode } from '../../../src/zookeeper/jute/op-codes.ts';
import {
  AddWatchRequest,
  CheckWatchesRequest,
  CreateRequest,
  CreateTTLRequest,
  ReconfigRequest,
  SetACLRequest,
  SetDataRequest,
} from '../../../src/zookeeper/jute/proto.ts';
import {
  check,
  create,
  exists,
  getChildren,
  getData,
  multi,
  remove,
  setData,
  type TestRequest,
} from '../../../src/zookeeper/server/testkit/requests.ts';

export type Acl = readonly {
  readonly perms: number;
  readonly id: { readonly scheme: string; readonly id: string };
}[];

export const text =
  (path: string) =>
  (to: Writer): void => {
    to.int32(Buffer.byteLength(path));
    to.utf8(path);
  };
export const typed = (type: number, body: (to: Writer) => void = () => undefined): TestRequest => ({ type, body });
const bytesOf = (data: string | null): Uint8Array | null => (data === null ? null : Buffer.from(data));
export const createWith = (
  type: number,
  path: string,
  data: string | null,
  acl: Acl | null,
  flags: number,
): TestRequest => typed(type, (to) => CreateRequest.write(to, { path, data: bytesOf(data), acl: acl as never, flags }));
export const createTtl = (path: string, data: string | null, acl: Acl, flags: number, ttl: number): TestRequest =>
  typed(OpCode.createTTL, (to) =>
    CreateTTLRequest.write(to, { path, data: bytesOf(data), acl: acl as never, flags, ttl }),
  );
const setDataTo = (path: string, data: string | null, version: number): TestRequest =>
  typed(OpCode.setData, (to) => SetDataRequest.write(to, { path, data: bytesOf(data), version }));
export const setAcl = (path: string, acl: Acl | null, version: number): TestRequest =>
  typed(OpCode.setACL, (to) => SetACLRequest.write(to, { path, acl: acl as never, version }));
export const watchOf = (type: number, path: string, kind: number): TestRequest =>
  typed(type, (to) => CheckWatchesRequest.write(to, { path, type: kind }));
export const addWatch = (path: string, mode: number): TestRequest =>
  typed(OpCode.addWatch, (to) => AddWatchRequest.write(to, { path, mode }));

const entry = (scheme: string, id: string, perms = 31) => ({ perms, id: { scheme, id } });
export const openAcl: Acl = [entry('world', 'anyone')];

const acls: readonly (Acl | null)[] = [
  openAcl,
  openAcl,
  openAcl,
  [entry('world', 'anyone', 1)],
  [entry('world', 'anyone', 0)],
  [entry('world', 'anyone', -1)],
  [entry('world', 'anyone', 30)],
  [entry('world', 'anyone', 5), entry('auth', '', 31)],
  [entry('auth', '')],
  [entry('auth', 'ignored', 19)],
  [entry('ip', '127.0.0.1')],
  [entry('ip', '10.0.0.0/8'), entry('world', 'anyone', 17)],
  [entry('ip', '127.0.0.0/33')],
  [entry('digest', 'bob:2qGXwjQcGbWRKBW5XIjFqgJoiCE='), entry('world', 'anyone', 1)],
  [entry('digest', 'nocolon')],
  [entry('world', 'someone')],
  [entry('nothing', 'x')],
  [entry('', 'x')],
  [entry('super', '')],
  [entry('sasl', 'bob')],
  [entry('digest', 'bob:2qGXwjQcGbWRKBW5XIjFqgJoiCE=', 9), entry('digest', 'x:y:'), entry('auth', '', 6)],
  [...openAcl, ...openAcl, entry('ip', '127.0.0.1')],
  [],
  null,
];

const badPaths = ['', 'g', '//', '/g/', '/g//a', '/g/.', '/g/../a', '/g/\u0000', '/g/\u0001', '/zookeeper', '/'];
const pathsWithoutQuotas = ['/g', '/g/a', '/g/b', '/g/a/x', '/g/a/y', '/g/b/x', '/h', '/h/é'];
const paths = [...pathsWithoutQuotas, '/q', '/q/a', '/q/b', '/q/a/c'];
const quotaPaths = [
  '/zookeeper/quota',
  '/zookeeper/quota/q',
  '/zookeeper/quota/q/zookeeper_limits',
  '/zookeeper/quota/q/zookeeper_stats',
  '/zookeeper/config',
];
const limits = [
  'count=3,bytes=-1',
  'count=-1,bytes=10=;byteHardLimit=40;countHardLimit=5',
  'count=-1,bytes=-1=;countHardLimit=4',
  'count=2,bytes=20=;byteHardLimit=-1;countHardLimit=3',
];

/** Draws requests over few names, so that they meet. */
export class RequestGenerator {
  readonly #random: SimRandom;
  #hasQuotas = true;

  constructor(random: SimRandom) {
    this.#random = random;
  }

  path(): string {
    const random = this.#random;
    if (random.chance(1 / 25)) return random.pick(badPaths);
    if (random.chance(1 / 25) && this.#hasQuotas) return random.pick(quotaPaths);
    return random.pick(this.#hasQuotas ? paths : pathsWithoutQuotas);
  }

  /** A quota that cannot be read ends Apache's server (StatsTrack), so its nodes hold nothing else. */
  data(path: string): string | null {
    const random = this.#random;
    if (path.startsWith('/zookeeper/quota/q')) return random.pick(limits);
    return random.pick([null, '', 'x', 'data', 'é', '0123456789'.repeat(1 + random.below(4))]);
  }

  version(): number {
    return this.#random.pick([-1, -1, -1, -1, 0, 0, 1, 2, 7, -2, 2_147_483_647]);
  }

  acl(): Acl | null {
    return this.#random.pick(acls);
  }

  /** @param isInMulti there a missing list of permissions cannot be read, and that error has no zxid of its own in Apache's log */
  write(isInMulti = false): TestRequest {
    const random = this.#random;
    const path = this.path();
    const drawn = this.acl();
    const acl = isInMulti ? (drawn ?? openAcl) : drawn;
    // A stat in the answer would have the length before the usage was measured, at Apache's alone.
    if (path.endsWith('zookeeper_stats')) return createWith(OpCode.create, path, this.data(path), openAcl, 0);
    switch (random.below(12)) {
      case 0:
      case 1:
        return setDataTo(path, this.data(path), this.version());
      case 2:
      case 3:
        return remove(path, this.version());
      case 4:
        return setAcl(path, acl, this.version());
      case 5:
        return createWith(
          OpCode.createContainer,
          path,
          this.data(path),
          acl,
          random.pick([4, 4, 4, 0, 1, 2, 3, 5, 6, 7]),
        );
      case 6:
        return this.#createTtl(path);
      default:
        return createWith(
          random.pick([OpCode.create, OpCode.create2]),
          path,
          this.data(path),
          random.chance(1 / 2) ? openAcl : acl,
          random.pick([0, 0, 0, 1, 1, 2, 3, 4, 5, 9, -1]),
        );
    }
  }

  /** A time out of range in a mode that is not checked for one ends Apache's server. */
  #createTtl(path: string): TestRequest {
    const random = this.#random;
    const flags = random.pick([5, 5, 6, 0, 4]);
    const isChecked = flags === 5 || flags === 6;
    const ttl = random.pick(isChecked ? [1_000_000, 1, 0, -1, 0xff_ffff_ffff, 0x100_0000_0000] : [1_000_000, 1]);
    return createTtl(path, this.data(path), openAcl, flags, ttl);
  }

  read(): TestRequest {
    const random = this.#random;
    const path = this.path();
    const watch = random.chance(1 / 2);
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
        return getData(path, watch);
      case 3:
      case 4:
        return exists(path, watch);
      case 5:
        return getChildren(path, watch);
      case 6:
        return typed(OpCode.getChildren, getChildren(path, watch).body);
      case 7:
        return typed(OpCode.getACL, text(path));
      case 8:
        return typed(OpCode.getEphemerals, text(random.pick(['/', path, '/g', ''])));
      case 9:
        return typed(OpCode.getAllChildrenNumber, text(path));
      case 10:
        return typed(OpCode.whoAmI);
      case 11:
        return typed(OpCode.sync, text(path));
      case 12:
        return addWatch(path, random.pick([0, 1, 1, 0, 2]));
      case 13:
        return watchOf(OpCode.removeWatches, path, random.pick([1, 2, 3, 4, 5, 6]));
      case 14:
        return watchOf(OpCode.checkWatches, path, random.pick([1, 2, 3, 4, 5, 6]));
      default:
        return this.#multiRead();
    }
  }

  #multiRead(): TestRequest {
    const parts = Array.from({ length: this.#random.below(4) }, () =>
      this.#random.chance(1 / 2)
        ? getData(this.path(), this.#random.chance(1 / 3))
        : typed(OpCode.getChildren, getChildren(this.path()).body),
    );
    return typed(OpCode.multiRead, multi(...parts).body);
  }

  multi(): TestRequest {
    const parts: TestRequest[] = [];
    const count = this.#random.below(5);
    while (parts.length < count) {
      const part = this.#part();
      // There is no setACL in a multi: its reader does not know it.
      if (part.type !== OpCode.setACL) parts.push(part);
    }
    return multi(...parts);
  }

  #part(): TestRequest {
    const choice = this.#random.fraction();
    if (choice < 0.25) return check(this.path(), this.version());
    // What no multi can hold. (What reads has no zxid of its own in Apache's log, beside what writes.)
    if (choice < 0.27) return this.#random.pick([typed(OpCode.sync, text(this.path())), typed(77)]);
    return this.write(true);
  }

  /** Of one subtree, and of another below it. */
  quota(): TestRequest {
    const random = this.#random;
    const data = random.pick(limits);
    const of = random.pick(['/zookeeper/quota/q', '/zookeeper/quota/q', '/zookeeper/quota/q/a']);
    return random.pick([
      create(of),
      create(`${of}/zookeeper_limits`, data),
      create(`${of}/zookeeper_stats`, random.pick(['count=0,bytes=0', 'count=-1,bytes=-1', 'bytes=7'])),
      setData(`${of}/zookeeper_limits`, data),
      getData(`${of}/zookeeper_stats`, random.chance(1 / 3)),
      getData(`${of}/zookeeper_stats`),
      remove(`${of}/zookeeper_limits`),
      remove(`${of}/zookeeper_stats`),
    ]);
  }

  /**
   * One of several that come at once. What a quota forbids then depends on how far the server is, and at Apache's what an ACL
   * does: until a setACL is applied it goes on with the old list.
   */
  soon(): TestRequest {
    this.#hasQuotas = false;
    const choice = this.#random.fraction();
    let request = choice < 0.6 ? this.write() : choice < 0.8 ? this.multi() : this.read();
    while (request.type === OpCode.setACL) request = this.write();
    this.#hasQuotas = true;
    return request;
  }

  reconfig(): TestRequest {
    return typed(OpCode.reconfig, (to) =>
      ReconfigRequest.write(to, {
        joiningServers: 'server.2=localhost:1:2;3',
        leavingServers: '',
        newMembers: null,
        curConfigId: -1n as never,
      }),
    );
  }

  /** Any request. */
  any(): TestRequest {
    const choice = this.#random.fraction();
    if (choice < 0.4) return this.write();
    if (choice < 0.75) return this.read();
    if (choice < 0.87) return this.multi();
    return choice < 0.99 ? this.quota() : this.reconfig();
  }
}
