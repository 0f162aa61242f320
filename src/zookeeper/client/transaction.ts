import type { RequestOptions } from './client-options.ts';
import type {
  CheckResult,
  CreateFields,
  CreateResult,
  DeleteResult,
  MultiOp,
  MultiResult,
  NodeData,
  SetDataResult,
} from './multi.ts';

type Multi = (ops: readonly MultiOp[], options: RequestOptions) => Promise<MultiResult[]>;

/**
 * A multi that is put together by calls, and its results in their order (org.apache.zookeeper.Transaction). Nothing is sent
 * before `commit`.
 *
 *     const [check, { stat }] = await client.transaction().check('/guard', 3).setData('/counter', '8', 7).commit();
 */
export class Transaction<Results extends readonly MultiResult[] = []> {
  readonly #ops: MultiOp[] = [];
  readonly #multi: Multi;

  constructor(multi: Multi) {
    this.#multi = multi;
  }

  create(
    path: string,
    data: NodeData = null,
    options: Omit<CreateFields, 'data'> = {},
  ): Transaction<[...Results, CreateResult]> {
    return this.#with({ kind: 'create', path, data, ...options });
  }

  /** `version` -1 matches any. */
  delete(path: string, version = -1): Transaction<[...Results, DeleteResult]> {
    return this.#with({ kind: 'delete', path, version });
  }

  /** `version` -1 matches any. */
  setData(path: string, data: NodeData, version = -1): Transaction<[...Results, SetDataResult]> {
    return this.#with({ kind: 'setData', path, data, version });
  }

  /** The node must be there and have this version; -1 matches any. */
  check(path: string, version = -1): Transaction<[...Results, CheckResult]> {
    return this.#with({ kind: 'check', path, version });
  }

  /**
   * All of it happens, or nothing.
   * @throws MultiError with the code of each operation
   */
  async commit(options: RequestOptions = {}): Promise<Results> {
    return (await this.#multi([...this.#ops], options)) as readonly MultiResult[] as Results;
  }

  #with<R extends MultiResult>(op: MultiOp): Transaction<[...Results, R]> {
    this.#ops.push(op);
    return this as Transaction<readonly MultiResult[]> as Transaction<[...Results, R]>;
  }
}
