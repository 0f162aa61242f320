/** What clients of an ensemble with local sessions see: a script that any kind of members plays. */
import { OpCode } from '../../../src/zookeeper/jute/op-codes.ts';
import type { TestRequest } from '../../../src/zookeeper/server/testkit/requests.ts';
import { create, exists, getData, multi, remove, setData } from '../../../src/zookeeper/server/testkit/requests.ts';
import type { Ensemble } from '../ensemble.ts';
import { until } from '../peers/process.ts';
import type { Member } from './member.ts';
import { counterAt, SessionClient, sessionCounts } from './session-client.ts';

const EPHEMERAL = 1;
const closeSession: TestRequest = { type: OpCode.closeSession, body: () => undefined };
const sync: TestRequest = { type: OpCode.sync, body: (to) => to.bytes(Buffer.from([0, 0, 0, 1, 0x2f])) };

export interface Told {
  readonly step: string;
  readonly what: unknown;
}

/** Members 1 and 2 follow 3, member 4 observes. */
export async function playLocalSessions(ensemble: Ensemble): Promise<Told[]> {
  const told: Told[] = [];
  for (const [at, other] of [
    [ensemble.member(1), ensemble.member(2)],
    [ensemble.member(3), ensemble.member(1)],
    [ensemble.member(4), ensemble.member(3)],
  ] as const) {
    const story = new Story(ensemble, at, told);
    await story.lifeAndEnd();
    await story.moves(other);
    await story.upgrades(other);
    await story.expires();
  }
  return told;
}

class Story {
  readonly #ensemble: Ensemble;
  readonly #at: Member;
  readonly #told: Told[];

  constructor(ensemble: Ensemble, at: Member, told: Told[]) {
    this.#ensemble = ensemble;
    this.#at = at;
    this.#told = told;
  }

  async lifeAndEnd(): Promise<void> {
    const path = `/life-${this.#at.id}`;
    const client = await this.#transactions('open', () => SessionClient.open(this.#at));
    this.#tell('admission', client.admission);
    this.#tell('counts while it lives', await sessionCounts(this.#at));
    await this.#transactions('writes', async () => {
      this.#tell('create', errors(await client.ask(create(path, 'x'))));
      this.#tell('setData', errors(await client.ask(setData(path, 'y'))));
      this.#tell('multi', errors(await client.ask(multi(create(`${path}/a`), remove(`${path}/a`)))));
      this.#tell('sync', await client.ask(sync));
      this.#tell('exists', errors(await client.ask(exists(path), getData(path))));
    });
    await this.#transactions('a write and the end behind it', async () => {
      this.#tell('answers', errors(await client.ask(setData(path, 'z'), getData(path), closeSession)));
      await client.closed();
    });
    this.#tell('counts after it', await sessionCounts(this.#at));
    this.#tell('comes back', (await SessionClient.open(this.#at, client.identity)).admission);
  }

  async moves(other: Member): Promise<void> {
    const client = await SessionClient.open(this.#at);
    await this.#transactions('moves', async () => {
      const moved = await SessionClient.open(other, client.identity);
      this.#tell('elsewhere', moved.admission);
      const back = await SessionClient.open(this.#at, client.identity);
      this.#tell('back', back.admission);
      await client.closed();
      this.#tell('end', await back.end());
    });
  }

  async upgrades(other: Member): Promise<void> {
    const path = `/up-${this.#at.id}`;
    const client = await SessionClient.open(this.#at);
    await this.#transactions('creates ephemeral nodes', async () => {
      this.#tell(
        'answers',
        errors(await client.ask(create(path, 'x', EPHEMERAL), create(`${path}-2`, 'x', EPHEMERAL))),
      );
    });
    this.#tell('counts as global', await sessionCounts(this.#at));
    const moved = await SessionClient.open(other, client.identity);
    this.#tell('elsewhere', moved.admission);
    await this.#transactions('ends as global', async () => this.#tell('end', await moved.end()));
    const second = await SessionClient.open(this.#at);
    await this.#transactions('a multi with an ephemeral node', async () => {
      const operations = [create(`/p${path.slice(1)}`), create(path, 'x', EPHEMERAL)];
      this.#tell('answers', errors(await second.ask(exists(path), multi(...operations), exists(path))));
    });
    await this.#transactions('an ephemeral node that fails', async () => {
      const third = await SessionClient.open(this.#at);
      this.#tell('answers', errors(await third.ask(create(`/none${path}`, 'x', EPHEMERAL), closeSession)));
      await third.closed();
    });
    this.#tell('gone', errors(await second.ask(exists(path))));
    this.#tell('end', await second.end());
    this.#tell('counts at the end', await sessionCounts(this.#at));
  }

  /** Nobody but its own server judges it. */
  async expires(): Promise<void> {
    await this.#transactions('expires', async () => {
      const silent = await SessionClient.open(this.#at, { timeOut: 1 });
      this.#tell('admission', silent.admission);
      this.#tell('before', await sessionCounts(this.#at));
      await silent.closed();
      this.#tell('comes back', (await SessionClient.open(this.#at, silent.identity)).admission);
      this.#tell('after', await sessionCounts(this.#at));
    });
  }

  #tell(step: string, what: unknown): void {
    this.#told.push({ step: `${this.#at.id}: ${step}`, what });
  }

  /** Also tells how many transactions it took. */
  async #transactions<T>(step: string, act: () => Promise<T>): Promise<T> {
    const before = await this.#settled();
    const result = await act();
    this.#tell(`transactions: ${step}`, (await this.#settled()) - before);
    return result;
  }

  #settled(): Promise<number> {
    return settledCounter(this.#ensemble);
  }
}

/** With upgrades off: who may not own a node is told so. */
export async function playRefusedUpgrades(ensemble: Ensemble): Promise<Told[]> {
  const told: Told[] = [];
  for (const at of ensemble.members) {
    const client = await SessionClient.open(at);
    const before = await settledCounter(ensemble);
    const asked: readonly [string, TestRequest][] = [
      ['create', create(`/e-${at.id}`, 'x', EPHEMERAL)],
      ['sequential', create(`/e-${at.id}`, 'x', 3)],
      ['below nothing', create(`/none/e-${at.id}`, 'x', EPHEMERAL)],
      ['at a bad path', create(`none`, 'x', EPHEMERAL)],
      ['of an unknown mode', create(`/mode-${at.id}`, 'x', 9)],
      ['multi', multi(create(`/p-${at.id}`), create(`/e-${at.id}`, 'x', EPHEMERAL))],
      ['persistent', create(`/kept-${at.id}`)],
    ];
    for (const [name, request] of asked) {
      const answers = await client.ask(request);
      told.push({ step: `${at.id}: ${name}`, what: name === 'multi' ? answers : errors(answers) });
    }
    told.push({ step: `${at.id}: transactions`, what: (await settledCounter(ensemble)) - before });
    told.push({ step: `${at.id}: counts`, what: await sessionCounts(at) });
    told.push({ step: `${at.id}: end`, what: await client.end() });
  }
  return told;
}

/** The same at all, and what was under way is done. */
async function settledCounter({ members }: Ensemble): Promise<number> {
  const client = await SessionClient.open(members[0] as Member);
  await client.ask(sync);
  await client.end();
  return until('the same zxid everywhere', async () => {
    const counters = await Promise.all(members.map(counterAt));
    return new Set(counters).size === 1 ? counters[0] : undefined;
  });
}

function errors(answers: readonly string[]): string {
  return answers.map((answer) => answer.split(' ')[0]).join();
}
