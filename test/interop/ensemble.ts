/** Several servers, Apache's and ours in any mixture, as one ensemble on loopback. */
import { join } from 'node:path';
import { Member, type MemberKind } from './ensemble/member.ts';
import { freePorts } from './peers/free-port.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

export interface MemberSpec {
  readonly id: number;
  readonly kind: MemberKind;
  /** Default participant. */
  readonly role?: 'participant' | 'observer';
}

export interface EnsembleOptions {
  readonly members: readonly MemberSpec[];
  /** Lines of zoo.cfg over the defaults here, for all. */
  readonly config?: Readonly<Record<string, string | number>>;
  /** Default true. Without, `start` of each member is the caller's. */
  readonly isStarted?: boolean;
  /**
   * Answers the port at which the member `from` looks for the peer port of `to`, for relays between the two. Default: the port
   * itself.
   */
  readonly peerPort?: (from: number, to: number, port: number) => Promise<number>;
}

interface TestContext {
  after(done: () => unknown): void;
}

/** Short, so that a test need not wait long for what takes ticks, and long enough for a busy machine. */
const TIMES = { tickTime: 1000, initLimit: 20, syncLimit: 4 };

/** Resolves once all serve; they end with the test. */
export async function startEnsemble(t: TestContext, options: EnsembleOptions): Promise<Ensemble> {
  const { isStarted = true } = options;
  const members = await makeMembers(options);
  const ensemble = new Ensemble(members);
  t.after(() => ensemble.kill());
  if (isStarted) await ensemble.start();
  return ensemble;
}

async function makeMembers({ members, config = {}, peerPort }: EnsembleOptions): Promise<Member[]> {
  const dir = tempDir();
  const ports = await freePorts(3 * members.length);
  const portsOf = (id: number) => {
    const at = 3 * members.findIndex((member) => member.id === id);
    const [client = 0, peer = 0, election = 0] = ports.slice(at, at + 3);
    return { client, peer, election };
  };
  const made: Member[] = [];
  for (const { id, kind, role } of members) {
    const servers: Record<string, string> = {};
    for (const other of members) {
      const { peer, election } = portsOf(other.id);
      const seen = other.id === id ? peer : ((await peerPort?.(id, other.id, peer)) ?? peer);
      servers[`server.${other.id}`] = `127.0.0.1:${seen}:${election}${other.role === 'observer' ? ':observer' : ''}`;
    }
    made.push(
      new Member({
        id,
        kind,
        ...(role === undefined ? {} : { role }),
        dataDir: join(dir, `${id}`),
        port: portsOf(id).client,
        config: { ...TIMES, ...(role === 'observer' ? { peerType: 'observer' } : {}), ...servers, ...config },
      }),
    );
  }
  return made;
}

export class Ensemble {
  readonly members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.members = members;
  }

  /** Host list of all, for a client. */
  get connect(): string {
    return this.members.map((member) => member.connect).join(',');
  }

  get participants(): readonly Member[] {
    return this.members.filter(({ role }) => role === 'participant');
  }

  member(id: number): Member {
    const found = this.members.find((member) => member.id === id);
    if (found === undefined) throw new RangeError(`no member ${id}`);
    return found;
  }

  /**
   * All of them. First only so many participants as make a quorum, the highest id among them: it leads, since none knows more than
   * another.
   */
  async start(): Promise<void> {
    const ids = this.participants.map(({ id }) => id).sort((a, b) => a - b);
    const highest = ids.pop();
    const quorum = new Set([highest, ...ids.slice(0, (ids.length + 1) >> 1)]);
    await Promise.all(this.members.filter(({ id }) => quorum.has(id)).map((member) => member.start()));
    await Promise.all(this.members.filter(({ id }) => !quorum.has(id)).map((member) => member.start()));
  }

  async kill(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }

  /** Waits for one that says it leads, other than `not`. */
  leader({ not }: { readonly not?: Member } = {}): Promise<Member> {
    return until('leader', async () => {
      for (const member of this.participants) {
        if (member !== not && (await member.mode()) === 'leader') return member;
      }
      return undefined;
    });
  }

  /** Those who follow whoever leads now. */
  async followers(): Promise<Member[]> {
    const leader = await this.leader();
    return this.participants.filter((member) => member !== leader && member.isRunning);
  }
}
