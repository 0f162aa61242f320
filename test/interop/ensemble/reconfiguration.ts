/** One walk through all that changes a membership, and what each server shows and writes on the way. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reconfiguration } from '../../../src/zookeeper/client/client-options.ts';
import { connectZookeeper, type ZookeeperClient } from '../../../src/zookeeper/client/index.ts';
import { type Ensemble, startEnsemble } from '../ensemble.ts';
import { fourLetterWord } from '../peers/apache-zookeeper.ts';
import { freePort } from '../peers/free-port.ts';
import { until } from '../peers/process.ts';
import type { Member, MemberKind } from './member.ts';

interface TestContext {
  after(done: () => unknown): void;
}

/** The kinds of the members 1, 2, 3, of which 3 leads first, and of 4, which joins them. */
export type Walkers = readonly [MemberKind, MemberKind, MemberKind, MemberKind];

/** Lines that do not depend on places, ports and times: two ensembles that behave alike have the same. */
export async function walk(t: TestContext, kinds: Walkers): Promise<string[]> {
  const specs = kinds.map((kind, index) => ({ id: index + 1, kind }));
  const ensemble = await startEnsemble(t, {
    members: specs.slice(0, 3),
    joiners: specs.slice(3),
    config: { reconfigEnabled: 'true', skipACL: 'yes' },
  });
  const walker = new Walker(ensemble, await freePort());
  t.after(() => walker.close());
  await walker.run();
  return walker.transcript;
}

class Walker {
  readonly transcript: string[] = [];
  readonly #all: readonly Member[];
  readonly #joiner: Member;
  readonly #otherPort: number;
  /** Where clients find each member. */
  readonly #ports: Map<number, number>;
  readonly #clients: ZookeeperClient[] = [];
  /** In the order in which they came up. */
  readonly #versions: string[] = [];

  constructor(ensemble: Ensemble, otherPort: number) {
    this.#joiner = ensemble.joiners[0] as Member;
    this.#all = [...ensemble.members, this.#joiner];
    this.#otherPort = otherPort;
    this.#ports = new Map(this.#all.map(({ id, port }) => [id, port]));
  }

  async run(): Promise<void> {
    await this.#look('three, the third leads', [1, 2, 3]);
    await this.#joiner.start();
    await this.#look('a fourth comes', [1, 2, 3, 4]);
    await this.#refused();
    await this.#change('it joins', 1, { joining: this.#line(4) });
    await this.#change('it observes', 1, { joining: this.#line(4, 'observer') });
    await this.#change('it takes part again', 1, { joining: this.#line(4) });
    this.#ports.set(1, this.#otherPort);
    await this.#change('the first has another port for clients', 4, { joining: this.#line(1) });
    await this.#change('the second is removed', 1, { leaving: '2' });
    await this.#change('the leader is removed', 3, { leaving: '3' });
    await this.#change('the second is back, in full', 1, { members: [4, 2, 1].map((id) => this.#line(id)).join() });
    await this.#change('the third watches, at its old port', 1, { joining: this.#line(3, 'observer') });
    // on files that another kind of server may have written
    for (const id of [2, 3, 4]) {
      const member = this.#all[id - 1] as Member;
      const other = this.#all.find(({ kind }) => kind !== member.kind) ?? member;
      await member.restart(other.kind);
    }
    await this.#look('three of them come again', [1, 2, 3, 4]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  #line(id: number, role = 'participant'): string {
    const { serverLine } = this.#all[id - 1] as Member;
    return `${serverLine}:${role};127.0.0.1:${this.#ports.get(id)}`;
  }

  #client(ids: readonly number[]): ZookeeperClient {
    const client = connectZookeeper({ connect: ids.map((id) => `127.0.0.1:${this.#ports.get(id)}`).join() });
    this.#clients.push(client);
    return client;
  }

  /** Through one that keeps its place: others let their clients go as soon as they have another. */
  async #change(name: string, through: number, change: Reconfiguration): Promise<void> {
    await using client = this.#client([through]);
    const { data, stat } = await client.reconfigure(change);
    const { version, dataLength } = stat;
    this.transcript.push(
      `== ${name}`,
      `answer: version ${version}, ${dataLength === data?.length}`,
      ...this.#plain(data),
    );
    await this.#look(name, [1, 2, 3, 4]);
  }

  async #refused(): Promise<void> {
    await using client = this.#client([1]);
    const changes: Reconfiguration[] = [
      { leaving: '1', fromConfig: 5n },
      { leaving: '1,2' },
      { leaving: 'one' },
      { joining: 'server.7=127.0.0.1:1:2' },
      { members: 'server.1=nothing' },
      { members: 'peer.1=127.0.0.1:1:2' },
      { joining: 'server.7=127.0.0.7:1:2;3,server.8=127.0.0.8:1:2;3,server.9=127.0.0.9:1:2;3', leaving: '1,2' },
    ];
    for (const change of changes) {
      const outcome = await client.reconfigure(change).then(
        () => 'agreed',
        (error) => error.name,
      );
      this.transcript.push(`refused: ${outcome}`);
    }
  }

  /** Once all have come to rest. */
  async #look(name: string, ids: readonly number[]): Promise<void> {
    await until(`one membership at all: ${name}`, async () => {
      const modes = await Promise.all(ids.map((id) => this.#mode(id)));
      if (modes.includes('none') || modes.filter((mode) => mode === 'leader').length !== 1) return undefined;
      const texts = await Promise.all(ids.map((id) => this.#text(id)));
      return new Set(texts).size === 1 || undefined;
    });
    this.transcript.push(`-- ${name}`);
    for (const id of ids) this.transcript.push(`${id}: ${await this.#mode(id)}`, ...this.#files(id));
    this.transcript.push(...this.#plain(Buffer.from(await this.#text(ids[0] as number))));
  }

  #versionName(version: string): string {
    if (!this.#versions.includes(version)) this.#versions.push(version);
    return `NUMBER${this.#versions.indexOf(version)}-EPOCH${BigInt(`0x${version}`) >> 32n}`;
  }

  async #mode(id: number): Promise<string> {
    const answer = await fourLetterWord(this.#ports.get(id) as number, 'srvr').catch(() => '');
    return /Mode: (\w+)/.exec(answer)?.[1] ?? 'none';
  }

  async #text(id: number): Promise<string> {
    await using client = this.#client([id]);
    await client.sync('/');
    const { data } = await client.getConfig();
    return String(data);
  }

  #files(id: number): string[] {
    const { dataDir } = this.#all[id - 1] as Member;
    const names = readdirSync(dataDir)
      .filter((name) => name.startsWith('zoo.cfg'))
      .sort();
    const lines = names
      .filter((name) => name !== 'zoo.cfg.bak')
      .flatMap((name) => [
        ...this.#plain(Buffer.from(`  ${name}`)),
        ...this.#plain(readFileSync(join(dataDir, name))).map((line) => `    ${line}`),
      ]);
    return names.includes('zoo.cfg.bak') ? ['  zoo.cfg.bak', ...lines] : lines;
  }

  /** Without what differs from run to run. Versions are counted: sessions come between. */
  #plain(data: Uint8Array | null): string[] {
    let text = String(data);
    for (const { id, dataDir, serverLine, port } of this.#all) {
      const [, peer = '', election = ''] = /:(\d+):(\d+)/.exec(serverLine) ?? [];
      text = text.replaceAll(dataDir, `DIR${id}`).replaceAll(`:${peer}:${election}`, `:PEER${id}:ELECTION${id}`);
      text = text.replaceAll(new RegExp(`([:=])${port}\\b`, 'g'), `$1CLIENT${id}`);
    }
    return text
      .replaceAll(new RegExp(`([:=])${this.#otherPort}\\b`, 'g'), '$1OTHER')
      .replaceAll(/(?<=version=|\.dynamic\.)[0-9a-f]+/g, (version) => this.#versionName(version))
      .split('\n')
      .filter((line) => !line.startsWith('#'));
  }
}
