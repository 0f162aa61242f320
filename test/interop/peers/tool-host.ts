/** Kafka's tools one after another in one Java machine, for long lists of commands; what a start of each would cost is most of their time. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { javaLine } from './java.ts';
import { type KafkaToolName, type KafkaToolVersion, mainClassOf } from './kafka-tools.ts';
import { type Outcome, PeerError, type Service, startService } from './process.ts';
import { tempDir } from './temp-dir.ts';

const program = join(import.meta.dirname, '..', 'clients', 'ToolHost.java');

export class ToolHost {
  readonly #version: KafkaToolVersion;
  readonly #service: Service;
  readonly #socket: Socket;
  readonly #answers: AsyncIterator<string>;

  private constructor(version: KafkaToolVersion, service: Service, socket: Socket) {
    this.#version = version;
    this.#service = service;
    this.#socket = socket;
    this.#answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /** Of a version that runs on the Java of PATH. */
  static async start(version: Exclude<KafkaToolVersion, '2.1.0'>): Promise<ToolHost> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const { args } = await javaLine(`kafka-${version}`, program, [`${port}`], { heapMiB: 256 });
    const service = startService('java', args, { logFile: join(tempDir(), 'tool-host.log') });
    const ended = service.ended.then((code) => {
      throw new PeerError(`the host of the tools ended with ${code}`);
    });
    const [socket] = (await Promise.race([once(server, 'connection'), ended])) as [Socket];
    ended.catch(() => socket.destroy());
    server.close();
    return new ToolHost(version, service, socket);
  }

  /** One at a time. @throws PeerError when the host has gone */
  async run(name: KafkaToolName, args: readonly string[], { stdin = '' } = {}): Promise<Outcome> {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    this.#socket.write(`${[mainClassOf(name, this.#version), ...[stdin, ...args].map(base64)].join('\t')}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new PeerError('the host of the tools has gone');
    const [code, ...streams] = (value as string).split('\t');
    const [stdout = '', stderr = ''] = streams.map((text) => Buffer.from(text, 'base64').toString('utf8'));
    return { code: Number(code), stdout, stderr };
  }

  async close(): Promise<void> {
    await this.#service.stop();
  }
}
