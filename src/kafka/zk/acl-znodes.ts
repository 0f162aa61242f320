import type { Clock } from '../../runtime/clock.ts';
import { ErrorCode } from '../../zookeeper/jute/errors.ts';
import { ChangeNodes } from './change-nodes.ts';
import type { KafkaZk } from './kafka-zk.ts';
import { codeOf, unless } from './zk-connection.ts';

/** Prefixed patterns came in 2.0, apart from what older brokers would take for literal names (KIP-290). */
const roots = { literal: '/kafka-acl', prefixed: '/kafka-acl-extended/prefixed' } as const;
const changeRoots = { literal: '/kafka-acl-changes', prefixed: '/kafka-acl-extended-changes' } as const;

export type AclPatternKind = keyof typeof roots;
export const aclPatternKinds: readonly AclPatternKind[] = ['literal', 'prefixed'];

/** Where the ACLs of one pattern are. */
export interface AclPlace {
  readonly kind: AclPatternKind;
  /** `Topic`, `TransactionalId`. */
  readonly resourceType: string;
  readonly name: string;
}

export interface VersionedAcls {
  readonly data: Uint8Array | null;
  readonly version: number;
}

const pathOf = ({ kind, resourceType, name }: AclPlace): string => `${roots[kind]}/${resourceType}/${name}`;

/** The znodes of ACLs (`ZkAclStore`, `ZkAclChangeStore`). */
export class AclZnodes {
  readonly #zk: KafkaZk;
  readonly #changes: Readonly<Record<AclPatternKind, ChangeNodes>>;

  constructor(zk: KafkaZk, clock: Clock) {
    this.#zk = zk;
    const changesOf = (kind: AclPatternKind): ChangeNodes =>
      new ChangeNodes({ zk, clock, path: changeRoots[kind], prefix: 'acl_changes_' });
    this.#changes = { literal: changesOf('literal'), prefixed: changesOf('prefixed') };
  }

  changes(kind: AclPatternKind): ChangeNodes {
    return this.#changes[kind];
  }

  /** What a broker with an authorizer creates at its start. */
  async createPaths(resourceTypes: readonly string[]): Promise<void> {
    const below = (root: string): string[] => [root, ...resourceTypes.map((type) => `${root}/${type}`)];
    const paths = [
      ...below(roots.literal),
      '/kafka-acl-extended',
      ...below(roots.prefixed),
      ...Object.values(changeRoots),
    ];
    await Promise.all(paths.map((path) => unless(ErrorCode.NODEEXISTS, this.#zk.requests.create(path, null))));
  }

  /** Of all patterns that have a node, those of unknown types of resources, too. */
  async places(kind: AclPatternKind): Promise<AclPlace[]> {
    const types = await this.#zk.requests.getChildren(roots[kind]);
    const places = await Promise.all(
      types.map(async (resourceType) => {
        const names = await unless(ErrorCode.NONODE, this.#zk.requests.getChildren(`${roots[kind]}/${resourceType}`));
        return (names ?? []).map((name) => ({ kind, resourceType, name }));
      }),
    );
    return places.flat();
  }

  async read(place: AclPlace): Promise<VersionedAcls | undefined> {
    const node = await unless(ErrorCode.NONODE, this.#zk.requests.getData(pathOf(place)));
    return node && { data: node.data, version: node.stat.version };
  }

  /** Without a version the node must not be there. Answers the version of now; undefined if somebody else was faster. */
  async write(place: AclPlace, data: Uint8Array, version: number | undefined): Promise<number | undefined> {
    try {
      if (version !== undefined) return (await this.#zk.requests.setData(pathOf(place), data, version)).version;
      await this.#zk.requests.create(pathOf(place), data);
      return 0;
    } catch (error) {
      const isLate = version === undefined ? codeOf(error) === ErrorCode.NODEEXISTS : lateCodes.has(codeOf(error));
      if (isLate) return undefined;
      throw error;
    }
  }

  /** False if somebody else was faster. */
  async remove(place: AclPlace, version: number): Promise<boolean> {
    const removing = unless(ErrorCode.NONODE, this.#zk.requests.delete(pathOf(place), version));
    const removed = await unless(
      ErrorCode.BADVERSION,
      removing.then(() => true),
    );
    return removed === true;
  }
}

const lateCodes: ReadonlySet<number | undefined> = new Set([ErrorCode.NONODE, ErrorCode.BADVERSION]);
