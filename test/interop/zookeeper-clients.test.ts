/**
 * ZooKeeper clients of other languages and makers: the C client, Go's, kazoo with its recipes, node-zookeeper-client. Each walks
 * through what it can do on our server, keeps its session, ephemerals and watches over kill -9 and a restart, and does the same
 * on Apache's server, so that a walk is known to ask for nothing that Apache does not give.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chosen } from './breadth.ts';
import { startOdradek } from './odradek.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { startCuttableProxy } from './peers/cuttable-proxy.ts';
import { freePort } from './peers/free-port.ts';
import { installNode, installPython, installZookeeperC, installZookeeperGo } from './peers/install.ts';
import { PeerError, runOrThrow, type Service, startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

interface Server {
  readonly connect: string;
  /**
   * kill -9, and back at the same address. Nobody reaches the server before it serves: Apache's may forget a connection that comes
   * earlier, neither reading nor closing it, and not every client gives up such a connection.
   */
  restart(): Promise<void>;
}

type Start = (dir: string, port: number) => Promise<Service & { readonly port: number }>;

const servers: Readonly<Record<string, Start>> = {
  'our server': async (dir, port) => {
    const service = await startOdradek({ dir, withoutKafka: true, zookeeperPort: port, zookeeper: extendedTypes });
    return Object.assign(service, { port: service.zookeeperPort });
  },
  'Apache ZooKeeper 3.9.4': (dir, port) =>
    startApacheZookeeper({ version: '3.9.4', dataDir: dir, port, config: { tickTime: 500, ...extendedTypes } }),
};
const extendedTypes = { extendedTypesEnabled: 'true' };

async function serve(t: TestContext, start: Start): Promise<Server> {
  const dir = tempDir();
  const port = await freePort();
  let service = await start(dir, port);
  t.after(() => service.kill());
  const proxy = await startCuttableProxy(port);
  t.after(() => proxy.close());
  return {
    connect: proxy.connect,
    async restart() {
      await service.kill();
      proxy.cut();
      service = await start(dir, port);
      proxy.mend();
    },
  };
}

const program = (name: string): string => fileURLToPath(new URL(`./clients/${name}`, import.meta.url));

interface Walk {
  readonly client: string;
  readonly command: (connect: string) => Promise<readonly string[]>;
  readonly env?: () => Promise<Readonly<Record<string, string>>>;
}

const walks: readonly Walk[] = [
  {
    client: 'kazoo and its recipes',
    command: async (connect) => [await installPython(), program('zookeeper-kazoo.py'), connect],
  },
  {
    client: 'the Go client',
    command: async (connect) => [await installZookeeperGo(), connect],
  },
  {
    client: 'node-zookeeper-client',
    command: async (connect) => {
      const preload = fileURLToPath(new URL('./peers/resolve-from-cache.ts', import.meta.url));
      return [process.execPath, '--import', preload, program('zookeeper-node.mjs'), connect];
    },
    env: async () => ({ PEER_NODE_MODULES: await installNode() }),
  },
];

for (const [serverName, start] of chosen(Object.entries(servers), ([name]) => name === 'our server')) {
  for (const { client, command, env } of walks) {
    test(`${client}: all operations and a restart, on ${serverName}`, async (t) => {
      const server = await serve(t, start);
      const [name = '', ...args] = await command(server.connect);
      const logFile = join(tempDir(), 'client.log');
      const logged = (): string => readFileSync(logFile, 'utf8');
      const service = startService(name, args, { logFile, env: { PYTHONUNBUFFERED: '1', ...(await env?.()) } });
      t.after(() => service.kill());
      await until(
        `${client} to ask for the restart`,
        () => /^RESTART$/m.test(logged()) || !service.alive() || undefined,
        {
          timeoutMs: 120_000,
        },
      );
      assert.match(logged(), /^RESTART$/m);
      await server.restart();
      await until(`${client} to end`, () => !service.alive() || undefined);
      assert.equal(await service.ended, 0, logged());
    });
  }

  test(`the C client: all commands of its shell and a restart, on ${serverName}`, async (t) => {
    const server = await serve(t, start);
    const shell = await CShell.start(server.connect);
    t.after(() => shell.end());
    await shell.see(/Watcher SESSION_EVENT state = CONNECTED_STATE\n/);
    for (const [line, answer] of [
      ['create /c', /\[\/c\]: rc = 0\n\tname = \/c\n/],
      ['create /c', /\[\/c\]: rc = -110\n/],
      ['create /none/child', /rc = -101\n/],
      ['create +e /c/e', /name = \/c\/e\n/],
      ['create +s /c/s-', /name = \/c\/s-0000000001\n/],
      ['create +c /c/container', /name = \/c\/container\n/],
      ['create +t=60000 /c/ttl', /name = \/c\/ttl\n/],
      ['create2 /c/two', /name = \/c\/two\n(.*\n){4}\tversion=0\taversion=0\n\tephemeralOwner = 0\n/],
      ['set /c hello', /\/c: rc = 0 Stat:\n(.*\n){4}\tversion=1\taversion=0\n/],
      ['get /c', /\/c: rc = 0\n value_len = 5\nhello\nStat:\n/],
      ['aget /c', /\/c: rc = 0\n value_len = 5\nhello\nStat:\n/],
      ['ls /c', /\/c: rc = 0\n(\t(e|s-0000000001|container|ttl|two)\n){5}/],
      [
        'ls2 /c',
        /\/c: rc = 0\n(\t(e|s-0000000001|container|ttl|two)\n){5}time = .*\n\tctime(.*\n){4}\tversion=1\taversion=0\n/,
      ],
      // Of a node that is there it says nothing.
      ['exists /c', undefined],
      ['exists /none', /Error -101 for \/none\n/],
      ['delete /c', /\/c: rc = -111\n/],
      ['delete /c/two', /\/c\/two: rc = 0\n/],
      ['sync /c', /\[\/c\]: rc = 0\n/],
      ['myid', /session Id = [1-9a-f]/],
      ['addauth digest bob:secret', undefined],
      ['wexists /w', /Error -101 for \/w\n/],
      ['create /w', /CREATED_EVENT.*state = CONNECTED_STATE for path \/w\n/],
      ['wexists /w', undefined],
      ['set /w x', /CHANGED_EVENT.*state = CONNECTED_STATE for path \/w\n/],
      ['wexists /w', undefined],
      ['get /w', /value_len = 1\nx\nStat:\n(.*\n){4}\tversion=1\taversion=0\n/],
    ] as const) {
      shell.say(line);
      if (answer !== undefined) await shell.see(answer);
    }
    const owner = /session id: 0x([0-9a-f]+)\n/.exec(shell.text)?.[1];
    await server.restart();
    await shell.see(/SESSION_EVENT state = CONNECTING_STATE\n(.*\n)*.*SESSION_EVENT state = CONNECTED_STATE\n/);
    shell.say('get /c/e');
    await shell.see(new RegExp(`ephemeralOwner = ${owner}\\n`));
    shell.say('set /w y');
    await shell.see(/CHANGED_EVENT.*state = CONNECTED_STATE for path \/w\n/);
    shell.say('quit');
    assert.equal(await shell.ended, 0, shell.text);
  });
}

/** The shell, spoken to line by line: it hears them from a named pipe, and answers asynchronously. */
class CShell {
  readonly #service: Service;
  readonly #logFile: string;
  readonly #input: number;
  /** What has been seen. */
  #read = 0;

  private constructor(service: Service, logFile: string, input: number) {
    this.#service = service;
    this.#logFile = logFile;
    this.#input = input;
  }

  static async start(connect: string): Promise<CShell> {
    const [pipe, logFile] = [join(tempDir(), 'input'), join(tempDir(), 'cli.log')];
    await runOrThrow('mkfifo', [pipe]);
    const line = 'exec stdbuf -oL "$0" -h "$1" < "$2"';
    const service = startService('sh', ['-c', line, await installZookeeperC(), connect, pipe], { logFile });
    // Opened for both, so that neither side waits for the other.
    return new CShell(service, logFile, openSync(pipe, 'r+'));
  }

  get text(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  get ended(): Promise<number | null> {
    return this.#service.ended;
  }

  say(line: string): void {
    writeSync(this.#input, `${line}\n`);
  }

  async see(expected: RegExp): Promise<void> {
    await until(`${expected} from the C client`, () => {
      const found = expected.exec(this.text.slice(this.#read));
      if (found === null && !this.#service.alive()) throw new PeerError(`the C client ended\n${this.text}`);
      if (found === null) return undefined;
      this.#read += found.index + found[0].length;
      return true;
    }).catch((error: unknown) => {
      throw new PeerError(`${String(error)}\n${this.text.slice(this.#read)}`, { cause: error });
    });
  }

  async end(): Promise<void> {
    closeSync(this.#input);
    await this.#service.kill();
  }
}
