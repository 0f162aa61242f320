/** Several servers, Apache's and ours in any mixture, as one ensemble. */
import { join } from 'node:path';
import { Member, type MemberKind } from './ensemble/member.ts';
import type { Machine } from './ensemble/network.ts';
import { freePorts } from './peers/free-port.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

export interface MemberSpec {
  readonly id: number;
  readonly kind: MemberKind;
  /** Default participant. */
  readonly role?: 'participant' | 'observer';
  /** Lines of zoo.cfg of this member alone. */
  readonly config?: Readonly<Record<string, string | number>>;
}

export interface EnsembleOptions {
  readonly members: readonly MemberSpec[];
  /** Who may come later: they know the members and themselves, and nobody knows them. */
  readonly joiners?: readonly MemberSpec[];
  /** Lines of zoo.cfg over the defaults here, for all. */
  readonly config?: Readonly<Record<string, string | number>>;
  /**
   * Answers the port at which the member `from` looks for the peer port of `to`, for relays between the two. Default: the port
   * itself.
   */
  readonly peerPort?: (from: number, to: number, port: number) => Promise<number>;
  /** Over these, for one member. */
  readonly configOf?: (id: number) => Readonly<Record<string, string | number>>;
  /** Where `from` finds the peer and election ports of `to`, itself perhaps; default 127.0.0.1. */
  readonly quorumHosts?: (to: number, from: number) => readonly string[];
  /** System properties of all, Java's and ours. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Where each member runs; default all on loopback. */
  readonly machines?: readonly Machine[];
}

interface TestContext {
  after(done: () => unknown): void;
}

/**
 * Short ticks, so that a test need not wait long for what takes some. Limits that a busy machine does not come to: whoever waits
 * for a silent server to be given up says a shorter one.
 */
const TIMES = { tickTime: 1000, initLimit: 20, syncLimit: 20 };

/** Resolves once all serve; they end with the test. */
export async function startEnsemble(t: TestContext, options: EnsembleOptions): Promise<Ensemble> {
  const all = await makeMembers(options);
  const { length } = options.members;
  const ensemble = new Ensemble(all.slice(0, length), all.slice(length));
  t.after(() => ensemble.kill());
  await ensemble.start();
  return ensemble;
}

/** Where one member lives. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly quorumHost: string;
  readonly peerPort: number;
  readonly electionPort: number;
  readonly enter: readonly string[];
}

async function makeMembers(options: EnsembleOptions): Promise<Member[]> {
  const { members, joiners = [], config = {}, configOf, properties = {} } = options;
  const dir = tempDir();
  const places = await placesOf(options);
  const made: Member[] = [];
  for (const { id, kind, role = 'participant', config: own = {} } of [...members, ...joiners]) {
    const { host, port, enter } = placeOf(places, id);
    const peerType: Record<string, string> = role === 'observer' ? { peerType: role } : {};
    const servers = await serverLines(options, id, places);
    const lines = { ...TIMES, ...peerType, ...servers, ...config, ...configOf?.(id), ...own };
    made.push(
      new Member({ id, kind, role, dataDir: join(dir, `${id}`), host, port, enter, config: lines, properties }),
    );
  }
  return made;
}

async function placesOf({ members, joiners = [], machines }: EnsembleOptions): Promise<Map<number, Place>> {
  if (machines !== undefined) {
    const ports = { port: 2181, peerPort: 2888, electionPort: 3888 }; // each has all ports to itself
    return new Map(
      machines.map(({ id, host, clientHost, enter }) => [id, { ...ports, host: clientHost, quorumHost: host, enter }]),
    );
  }
  const all = [...members, ...joiners];
  const ports = await freePorts(3 * all.length);
  const loopback = { host: '127.0.0.1', quorumHost: '127.0.0.1', enter: [] };
  return new Map(
    all.map(({ id }, index) => {
      const [port = 0, peerPort = 0, electionPort = 0] = ports.slice(3 * index);
      return [id, { ...loopback, port, peerPort, electionPort }];
    }),
  );
}

/** As the member `self` has them. */
async function serverLines(
  { members, joiners = [], peerPort: seenPort, quorumHosts }: EnsembleOptions,
  self: number,
  places: ReadonlyMap<number, Place>,
): Promise<Record<string, string>> {
  const lines: Record<string, string> = {};
  for (const { id, role } of [...members, ...joiners.filter(({ id }) => id === self)]) {
    const { quorumHost, peerPort, electionPort } = placeOf(places, id);
    const seen = id === self || seenPort === undefined ? peerPort : await seenPort(self, id, peerPort);
    const hosts = quorumHosts?.(id, self) ?? [quorumHost];
    const suffix = role === 'observer' ? ':observer' : '';
    lines[`server.${id}`] = hosts.map((host) => `${host}:${seen}:${electionPort}${suffix}`).join('|');
  }
  return lines;
}

function placeOf(places: ReadonlyMap<number, Place>, id: number): Place {
  const place = places.get(id);
  if (place === undefined) throw new RangeError(`no place for member ${id}`);
  return place;
}

export class Ensemble {
  readonly members: readonly Member[];
  readonly joiners: readonly Member[];

  constructor(members: readonly Member[], joiners: readonly Member[] = []) {
    this.members = members;
    this.joiners = joiners;
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
    await Promise.all([...this.members, ...this.joiners].map((member) => member.kill()));
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
