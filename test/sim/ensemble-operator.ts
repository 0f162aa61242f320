import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import type { NodeValue, Reconfiguration } from '../../src/zookeeper/client/client-options.ts';
import { ErrorCode, KeeperError } from '../../src/zookeeper/jute/errors.ts';
import type { Membership } from '../../src/zookeeper/quorum/membership.ts';
import { type EnsembleMember, memberLine, type RoleName } from './ensemble-member.ts';
import type { MembershipBook } from './membership-book.ts';
import { must } from './violation.ts';

export interface EnsembleOperatorOptions {
  readonly machine: SimMachine;
  readonly connect: string;
  readonly sessionTimeoutMs: number;
  readonly members: readonly EnsembleMember[];
  readonly book: MembershipBook;
  readonly random: SimRandom;
  /** On average between two changes. */
  readonly pauseMs: number;
  /** Something goes wrong now. */
  readonly strike: () => void;
  readonly violated: (error: unknown) => void;
}

/** Who leaves, and who joins or changes its role. */
interface Change {
  readonly leaving: readonly EnsembleMember[];
  readonly joining: readonly (readonly [EnsembleMember, RoleName])[];
}

/** Faults and other changes that nobody answered for make these of any request. */
const normal: ReadonlySet<number> = new Set([
  ErrorCode.CONNECTIONLOSS,
  ErrorCode.SESSIONEXPIRED,
  ErrorCode.NEWCONFIGNOQUORUM,
  ErrorCode.RECONFIGINPROGRESS,
  ErrorCode.BADVERSION,
  ErrorCode.BADARGUMENTS,
]);

/** After these nobody knows whether it was done. */
const unknownOutcome: ReadonlySet<number> = new Set([ErrorCode.CONNECTIONLOSS, ErrorCode.SESSIONEXPIRED]);

/** Fewer do not make an ensemble. */
const PARTICIPANTS_MIN = 2;
/** A newcomer has so long to be with the others before they are asked to take it in. */
const JOIN_WAIT_MS = 5000;

/** Changes who the members are, one change at a time, whatever goes wrong meanwhile. */
export class EnsembleOperator {
  readonly #options: EnsembleOperatorOptions;
  readonly #done: Promise<void>;
  #isStopping = false;
  /** Asked for. */
  asked = 0;
  unknown = 0;
  refused = 0;

  constructor(options: EnsembleOperatorOptions) {
    this.#options = options;
    this.#done = this.#run().catch(options.violated);
  }

  /** Asks for nothing more. Resolves once the last answer is there. */
  stop(): Promise<void> {
    this.#isStopping = true;
    return this.#done;
  }

  async #run(): Promise<void> {
    const { random, pauseMs } = this.#options;
    let client = this.#open();
    while (!this.#isStopping) {
      await this.#wait(random.between(100, 2 * pauseMs));
      if (client.state === 'expired') client = this.#open();
      const before = this.#options.book.newest;
      const change = this.#isStopping || before === undefined ? undefined : this.#draw(before);
      if (before === undefined || change === undefined) continue;
      await this.#prepare(before, change);
      await this.#ask(client, change, before);
    }
    if (client.state !== 'expired') await client.close();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.machine.runtime.clock.after(ms, resolve));
  }

  #open(): ZookeeperClient {
    const { machine, connect, sessionTimeoutMs } = this.#options;
    return connectZookeeper(machine.runtime, { connect, sessionTimeoutMs });
  }

  // ---------------------------------------------------------------- which

  /** Undefined: it would leave too few. The leader is as likely to go as all others together. */
  #draw({ servers }: Membership): Change | undefined {
    const { members, random } = this.#options;
    const inRole = (role: RoleName | undefined): EnsembleMember[] =>
      members.filter(({ id }) => servers.get(id)?.role === role);
    const participants = inRole('participant');
    const others = inRole('observer');
    const away = inRole(undefined);
    const leader = participants.find(({ isLeading }) => isLeading);
    const one = leader !== undefined && random.chance(0.5) ? leader : random.pick(participants);
    const observer = others.length > 0 ? random.pick(others) : undefined;
    const absent = away.length > 0 ? random.pick(away) : undefined;
    const changes: Change[] = [
      { leaving: [one], joining: [] },
      { leaving: [], joining: [[one, 'observer']] },
    ];
    if (observer !== undefined) changes.push({ leaving: [observer], joining: [] }, promoted(observer));
    if (absent !== undefined) {
      changes.push(promoted(absent), promoted(absent), { leaving: [], joining: [[absent, 'observer']] });
      changes.push({ leaving: [one], joining: [[absent, 'participant']] });
      changes.push({ leaving: participants.slice(0, away.length), joining: away.map((each) => [each, 'participant']) });
    }
    const change = random.pick(changes);
    const isGone = (member: EnsembleMember): boolean =>
      change.leaving.includes(member) || change.joining.some(([other]) => other === member);
    const voters = participants.filter((member) => !isGone(member));
    voters.push(...change.joining.flatMap(([member, role]) => (role === 'participant' ? [member] : [])));
    const livingCount = voters.filter(({ serving }) => serving !== undefined).length;
    const newCount = change.joining.filter(([{ serving }]) => serving === undefined).length;
    return voters.length >= PARTICIPANTS_MIN && (livingCount + newCount) * 2 > voters.length ? change : undefined;
  }

  // ---------------------------------------------------------------- asking

  /** A server that knows of no membership with itself is told of the newest one, and of itself. */
  async #prepare({ servers, text }: Membership, { joining }: Change): Promise<void> {
    const { random } = this.#options;
    for (const [member, role] of joining) {
      if (!servers.has(member.id)) member.invite(`${text}\n${memberLine(member.id, role)}`);
    }
    const untilMs = this.#options.machine.runtime.clock.monotonicMs() + (random.chance(0.8) ? JOIN_WAIT_MS : 0);
    while (
      this.#options.machine.runtime.clock.monotonicMs() < untilMs &&
      joining.some(([{ serving }]) => serving === undefined)
    ) {
      await this.#wait(50);
    }
  }

  async #ask(client: ZookeeperClient, change: Change, before: Membership): Promise<void> {
    const { random, strike } = this.#options;
    this.asked += 1;
    const answer = client.reconfigure(this.#inWords(change, before));
    const settled = answer.then(
      (value) => this.#agreed(value, change),
      (error) => this.#failed(error),
    );
    if (random.chance(0.5)) {
      await this.#wait(random.between(0, random.chance(0.5) ? 15 : 100));
      if (!this.#isStopping) strike();
    }
    await settled;
  }

  /** As a change, or all members anew. */
  #inWords({ leaving, joining }: Change, { servers, version }: Membership): Reconfiguration {
    const { random, members } = this.#options;
    const joins = joining.map(([{ id }, role]) => memberLine(id, role));
    const fromConfig = random.chance(0.3) ? { fromConfig: version } : {};
    if (random.chance(0.7)) {
      return { joining: joins.join(), leaving: leaving.map(({ id }) => id).join(), ...fromConfig };
    }
    const stay = members.flatMap((member) => {
      const role = servers.get(member.id)?.role;
      const isSame = !leaving.includes(member) && joining.every(([other]) => other !== member);
      return role !== undefined && isSame ? [memberLine(member.id, role)] : [];
    });
    return { members: [...stay, ...joins].join(), fromConfig: version };
  }

  #agreed({ data, stat }: NodeValue, { leaving, joining }: Change): void {
    const { book } = this.#options;
    const { servers, version, text } = book.acknowledged(String(data));
    must(stat.mzxid === version, () => `a reconfiguration was answered ${stat.mzxid} and the membership ${text}`);
    for (const { id } of leaving) must(!servers.has(id), () => `server ${id} has left, and is in ${text}`);
    for (const [{ id }, role] of joining) {
      must(servers.get(id)?.role === role, () => `server ${id} is ${role} now, and ${text} does not say so`);
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof KeeperError) || !normal.has(error.code)) throw error;
    if (unknownOutcome.has(error.code)) this.unknown += 1;
    else this.refused += 1;
  }
}

function promoted(member: EnsembleMember): Change {
  return { leaving: [], joining: [[member, 'participant']] };
}
