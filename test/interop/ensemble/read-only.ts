/** A member that lost its ensemble, as its clients see it: a script that any kind of members plays. */
import { connect } from 'node:net';
import type { SessionId } from '../../../src/zookeeper/jute/ids.ts';
import { OpCode } from '../../../src/zookeeper/jute/op-codes.ts';
import { sessionPassword } from '../../../src/zookeeper/server/session-identity.ts';
import { type Hello, helloFrame } from '../../../src/zookeeper/server/testkit/raw-client.ts';
import {
  create,
  exists,
  getChildren,
  getData,
  multi,
  remove,
  setData,
} from '../../../src/zookeeper/server/testkit/requests.ts';
import type { Ensemble } from '../ensemble.ts';
import { until } from '../peers/process.ts';
import type { Told } from './local-sessions.ts';
import type { Member } from './member.ts';
import { SessionClient, sessionCounts } from './session-client.ts';

const EPHEMERAL = 1;
const readOnly: Hello = { readOnly: true };
const sync = {
  type: OpCode.sync,
  body: (to: { bytes(of: Uint8Array): void }) => to.bytes(Buffer.from([0, 0, 0, 1, 0x2f])),
};

/** Member 1 is left alone. */
export async function playReadOnly(ensemble: Ensemble): Promise<Told[]> {
  const story = new Story(ensemble.member(1));
  await story.before();
  await ensemble.member(2).kill();
  await ensemble.member(3).kill();
  await ensemble.member(1).reached('read-only');
  await story.looks();
  await story.admits();
  await story.answers();
  await story.expires();
  const last = await story.lastClient();
  await Promise.all([ensemble.member(2).start(), ensemble.member(3).start()]);
  await last?.closed();
  await until('a leader', async () => ((await ensemble.member(1).ask('isro')) === 'rw' ? true : undefined));
  await story.after();
  return story.told;
}

class Story {
  readonly told: Told[] = [];
  readonly #at: Member;
  #global: Hello = {};

  constructor(at: Member) {
    this.#at = at;
  }

  async before(): Promise<void> {
    const client = await SessionClient.open(this.#at, readOnly);
    this.#tell('admission', client.admission);
    this.#tell(
      'creations',
      await client.ask(create('/r', 'x'), create('/r/mine', 'x', EPHEMERAL), create('/r/kept', 'y')),
    );
    this.#tell('isro', await this.#at.ask('isro'));
    this.#global = { ...client.identity, ...readOnly };
  }

  async looks(): Promise<void> {
    const telling = /^(r[ow]|imok|READ.*|Mode.*|zk_server_state.*)$/;
    for (const word of ['isro', 'ruok', 'srvr', 'stat', 'mntr']) {
      const lines = (await this.#at.ask(word)).split('\n');
      this.#tell(word, lines.filter((line) => telling.test(line)).join());
    }
    this.#tell('counts', await sessionCounts(this.#at));
  }

  async admits(): Promise<void> {
    this.#tell('who wants to write', (await SessionClient.open(this.#at)).admission);
    this.#tell('who does not say', (await SessionClient.open(this.#at, { readOnly: undefined })).admission);
    this.#tell('a session of before', (await SessionClient.open(this.#at, this.#global)).admission);
    const sessionId = (7n << 56n) + 12_345n;
    const passwd = sessionPassword(sessionId as SessionId);
    const unheard = await SessionClient.open(this.#at, { sessionId, passwd, ...readOnly });
    this.#tell('a session that was never heard of', unheard.admission);
    if (unheard.admission.startsWith('session')) {
      this.#tell('its requests', await unheard.ask(exists('/r/kept/none'), setData('/r/kept', 'z')));
      unheard.leave();
    }
    this.#tell('a false password', (await SessionClient.open(this.#at, { sessionId, ...readOnly })).admission);
    this.#tell('a new session', await firstAnswer(this.#at, readOnly));
  }

  async answers(): Promise<void> {
    const client = await this.#open();
    if (client === undefined) return;
    this.#tell('admission', client.admission);
    this.#tell('counts with it', await sessionCounts(this.#at));
    this.#tell('reads', errors(await client.ask(exists('/r'), getData('/r/kept', true), getChildren('/r'))));
    this.#tell(
      'writes',
      await client.ask(
        create('/n'),
        create('/n', 'x', EPHEMERAL),
        setData('/r/kept', 'z'),
        remove('/r/kept'),
        multi(create('/n')),
        sync,
        exists('/r/none'),
      ),
    );
    const again = await SessionClient.open(this.#at, { ...client.identity, ...readOnly });
    this.#tell('again', again.admission);
    this.#tell('end', await again.end());
    this.#tell('comes back', (await SessionClient.open(this.#at, { ...again.identity, ...readOnly })).admission);
    this.#tell('counts without it', await sessionCounts(this.#at));
  }

  async expires(): Promise<void> {
    const silent = await this.#open({ timeOut: 1 });
    await silent?.closed();
  }

  lastClient(): Promise<SessionClient | undefined> {
    return this.#open({ timeOut: 100_000 });
  }

  async after(): Promise<void> {
    const client = await SessionClient.open(this.#at, { ...readOnly });
    this.#tell('admission by a member with a leader', client.admission);
    this.#tell('writes again', errors(await client.ask(setData('/r/kept', 'w'), getData('/r/kept'))));
    this.#tell('end', await client.end());
  }

  /** Undefined where there are no sessions. */
  async #open(hello: Hello = {}): Promise<SessionClient | undefined> {
    if ((await firstAnswer(this.#at, readOnly)).startsWith('no session')) return undefined;
    return SessionClient.open(this.#at, { ...hello, ...readOnly });
  }

  #tell(step: string, what: unknown): void {
    this.told.push({ step, what });
  }
}

/** It may be none that a client can read. */
function firstAnswer({ port }: Member, hello: Hello): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(helloFrame(hello)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const frame = Buffer.concat(chunks);
      if (frame.length < 4 || frame.length < 4 + frame.readInt32BE(0)) return;
      const isSession = frame.length > 20;
      resolve(isSession ? 'a session' : `no session: xid ${frame.readInt32BE(4)}, error ${frame.readInt32BE(16)}`);
      socket.destroy();
    });
    socket.on('close', () => resolve('closed'));
    socket.on('error', reject);
  });
}

function errors(answers: readonly string[]): string {
  return answers.map((answer) => answer.split(' ')[0]).join();
}
