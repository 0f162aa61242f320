/**
 * Clients that write to an ensemble whatever happens to its servers, and remember what was acknowledged: each sets one register to
 * values that never repeat, creates nodes that stay, and reads its register, one request after the other.
 */
import {
  connectZookeeper,
  isKeeperError,
  type Stat,
  type ZookeeperClient,
} from '../../../src/zookeeper/client/index.ts';
import { PeerError, until } from '../peers/process.ts';
import type { TestContext } from './scenarios.ts';

/** What one client was told. */
export interface LaneHistory {
  readonly register: string;
  readonly parent: string;
  /** Sets, in order; without a Stat where the answer never came. */
  readonly sets: { readonly value: string; readonly stat: Stat | undefined }[];
  readonly created: Set<string>;
  /** Asked for; nobody answered. */
  readonly perhapsCreated: Set<string>;
  sessionsExpired: number;
}

export interface WorkloadOptions {
  readonly connect: string;
  /** Nobody else's node; default `/workload`. */
  readonly root?: string;
  /** Default 3. */
  readonly clients?: number;
  /** Default 6 s. */
  readonly sessionTimeoutMs?: number;
}

export class Workload {
  readonly #lanes: readonly Lane[];
  #violation: unknown;

  private constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
    const note = (error: unknown): void => {
      this.#violation ??= error;
    };
    for (const lane of lanes) lane.run().catch(note);
  }

  /** Resolves when the first writes are acknowledged. It ends with the test at the latest. */
  static async start(t: TestContext, options: WorkloadOptions): Promise<Workload> {
    const { connect, root = '/workload', clients = 3, sessionTimeoutMs = 6_000 } = options;
    const lanes = Array.from({ length: clients }, (_, index) => new Lane({ connect, sessionTimeoutMs }, root, index));
    t.after(() => Promise.all(lanes.map((lane) => lane.abandon())));
    await Promise.all(lanes.map((lane) => lane.prepare()));
    const workload = new Workload(lanes);
    await workload.progress();
    return workload;
  }

  get acknowledged(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.acknowledged, 0);
  }

  /** Waits until every client has so many more acknowledged. */
  async progress(count = 10): Promise<void> {
    const before = this.#lanes.map((lane) => lane.acknowledged);
    await until('progress of the workload', () => {
      if (this.#violation !== undefined) throw this.#violation;
      return this.#lanes.every((lane, index) => lane.acknowledged >= (before[index] ?? 0) + count) || undefined;
    });
  }

  /** Ends it; for `audit`. */
  async stop(): Promise<readonly LaneHistory[]> {
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    if (this.#violation !== undefined) throw this.#violation;
    return this.#lanes.map(({ history }) => history);
  }
}

class Lane {
  readonly history: LaneHistory;
  acknowledged = 0;
  readonly #options: { readonly connect: string; readonly sessionTimeoutMs: number };
  readonly #root: string;
  #client: ZookeeperClient;
  #isStopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: { readonly connect: string; readonly sessionTimeoutMs: number }, root: string, index: number) {
    this.#options = options;
    this.#root = root;
    this.#client = connectZookeeper(options);
    this.history = {
      register: `${root}/register-${index}`,
      parent: `${root}/created-${index}`,
      sets: [],
      created: new Set(),
      perhapsCreated: new Set(),
      sessionsExpired: 0,
    };
  }

  async prepare(): Promise<void> {
    for (const path of [this.#root, this.history.register, this.history.parent]) {
      await this.#attempt(() => this.#client.create(path).catch(unlessNodeExists), true);
    }
  }

  run(): Promise<void> {
    this.#ended = this.#work();
    return this.#ended;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended.catch(() => undefined);
    await this.#client.close();
  }

  /** Without waiting for what is under way. */
  async abandon(): Promise<void> {
    this.#isStopped = true;
    await this.#client.close();
  }

  async #work(): Promise<void> {
    for (let turn = 0; !this.#isStopped; turn += 1) {
      await this.#set(`${this.history.register}=${turn}`);
      await this.#create(`n-${turn}`);
      await this.#read();
    }
  }

  async #set(value: string): Promise<void> {
    const stat = await this.#attempt(() => this.#client.setData(this.history.register, value));
    const last = this.history.sets.findLast((set) => set.stat !== undefined)?.stat;
    if (stat !== undefined && last !== undefined && (stat.version <= last.version || stat.mzxid <= last.mzxid)) {
      throw new PeerError(`${value} is version ${stat.version}, an earlier one was acknowledged as ${last.version}`);
    }
    this.history.sets.push({ value, stat });
  }

  async #create(name: string): Promise<void> {
    const path = await this.#attempt(() => this.#client.create(`${this.history.parent}/${name}`));
    (path === undefined ? this.history.perhapsCreated : this.history.created).add(name);
  }

  /** A session never sees its register go back, whichever server it is on. */
  async #read(): Promise<void> {
    const read = await this.#attempt(() => this.#client.getData(this.history.register));
    if (read === undefined) return;
    const complaint = registerComplaint(this.history, read.data, read.stat);
    if (complaint !== undefined) throw new PeerError(complaint);
  }

  /** Undefined where the answer never came: it may have been done. */
  async #attempt<T>(ask: () => Promise<T>, isRepeated = false): Promise<T | undefined> {
    for (;;) {
      try {
        const answer = await ask();
        this.acknowledged += 1;
        return answer;
      } catch (error) {
        if (isKeeperError(error, 'SESSIONEXPIRED') && !this.#isStopped) {
          this.#client = connectZookeeper(this.#options);
          this.history.sessionsExpired += 1;
        } else if (!isKeeperError(error, 'CONNECTIONLOSS', 'SESSIONMOVED', 'OPERATIONTIMEOUT', 'SESSIONEXPIRED'))
          throw error;
        if (!isRepeated || this.#isStopped) return undefined;
      }
    }
  }
}

/** What is wrong with what somebody reads in a register after all of these sets; undefined if nothing is. */
export function registerComplaint(history: LaneHistory, data: Buffer | null, { version }: Stat): string | undefined {
  const { register, sets } = history;
  const last = sets.findLastIndex(({ stat }) => stat !== undefined);
  const acknowledged = sets.filter(({ stat }) => stat !== undefined).length;
  const value = data?.toString() ?? '';
  const said = `${register} holds "${value}" in version ${version}`;
  if (version < acknowledged) return `${said}: ${acknowledged} sets were acknowledged`;
  if (version > sets.length) return `${said}: only ${sets.length} sets were asked for`;
  const allowed = last === -1 ? ['', ...sets.map((set) => set.value)] : sets.slice(last).map((set) => set.value);
  return allowed.includes(value) ? undefined : `${said}: the last acknowledged is "${allowed[0]}"`;
}

function unlessNodeExists(error: unknown): void {
  if (!isKeeperError(error, 'NODEEXISTS')) throw error;
}
