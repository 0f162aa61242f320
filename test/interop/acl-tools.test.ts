/** kafka-acls and kafka-delegation-tokens of ours beside Apache's: the same commands give the same lines and exit codes. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { KafkaConfig } from '../../src/kafka/broker/config/kafka-config.ts';
import { startKafka } from '../../src/kafka/broker/kafka-broker.ts';
import { kafkaAcls } from '../../src/kafka/cli/kafka-acls.ts';
import { kafkaDelegationTokens } from '../../src/kafka/cli/kafka-delegation-tokens.ts';
import { guarded } from '../../src/kafka/cli/tool.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper } from '../../src/zookeeper/client/client.ts';
import { type AclToolStep, aclSteps39, oldAclSteps, tokenSteps39 } from './acl-tool-steps.ts';
import { fullTest } from './breadth.ts';
import { startOdradek } from './odradek.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { type Outcome, runOrThrow } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { ToolHost } from './peers/tool-host.ts';

const runtime = nodeRuntime({ logLevel: 'off' });
const LOGIN = 'org.apache.kafka.common.security';
const SASL = 'listener.name.sasl_plaintext';
const overrides = {
  'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'delegation.token.secret.key': 'the key of the cluster',
  listeners: 'PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0',
  'sasl.enabled.mechanisms': 'PLAIN',
  [`${SASL}.plain.sasl.jaas.config`]: `${LOGIN}.plain.PlainLoginModule required user_ann="secret";`,
};

/** What the words of a command stand for. */
interface Side {
  /** `$B`: where everybody may do everything, `$S`: where clients say who they are. */
  readonly bootstrap: string;
  readonly secured: string;
  readonly zookeeper: string;
  /** `$H`: the secret of the side's own token, once it has one. */
  secret: string;
}

async function startOurs(t: TestContext, zookeeperConnect: string): Promise<Side> {
  const given = { ...overrides, 'log.dirs': tempDir(), 'zookeeper.connect': zookeeperConnect };
  const broker = await startKafka(runtime, new KafkaConfig(new Map(Object.entries(given))));
  t.after(() => broker.close());
  const at = (protocol: string): string =>
    `127.0.0.1:${broker.endpoints.find(({ securityProtocol }) => securityProtocol === protocol)?.port}`;
  return { bootstrap: at('PLAINTEXT'), secured: at('SASL_PLAINTEXT'), zookeeper: zookeeperConnect, secret: '' };
}

async function startTheirs(t: TestContext, zookeeperConnect: string): Promise<Side> {
  const broker = await startApacheKafka({ version: '3.9.1', zookeeperConnect, logDir: tempDir(), overrides });
  t.after(() => broker.kill());
  const [, port] = [...readFileSync(broker.logFile, 'utf8').matchAll(/Awaiting socket connections on .*:(\d+)/g)].map(
    ([, found]) => found,
  );
  return { bootstrap: broker.bootstrap, secured: `127.0.0.1:${port}`, zookeeper: zookeeperConnect, secret: '' };
}

function argsFor({ args }: AclToolStep, { bootstrap, secured, zookeeper, secret }: Side, dir: string): string[] {
  return args
    .split(' ')
    .filter((arg) => arg !== '')
    .map((arg) =>
      arg
        .replace('$B', bootstrap)
        .replace('$S', secured)
        .replace('$Z', zookeeper)
        .replace('$H', secret)
        .replace('$DIR', dir),
    );
}

const tools = { 'kafka-acls': kafkaAcls, 'kafka-delegation-tokens': kafkaDelegationTokens } as const;

/** In this process, since a start of Node for each would take longer than all the rest. */
async function ourTool(step: AclToolStep, args: readonly string[]): Promise<Outcome> {
  const written = { out: '', err: '' };
  const io = {
    out(text: string | Uint8Array): void {
      written.out += text;
    },
    err(text: string): void {
      written.err += text;
    },
    input: (async function* () {
      yield Buffer.from(step.stdin ?? '');
    })(),
    isInteractive: false,
    onInterrupt: () => () => undefined,
  };
  const code = await guarded(tools[step.tool], args, io, runtime);
  return { code, stdout: written.out, stderr: written.err };
}

/** The order of ACLs, and of resources, is that of Java's sets: whatever it is, all the rest is as it was printed. */
function arranged(text: string): string {
  const entries = (block: string): string =>
    block.replace(/^ \t(.*(?:\n\t.*)*) $/gm, (_, run: string) => ` \t${run.split('\n\t').sort().join('\n\t')} `);
  return text
    .split(/^(?=ACLs for principal )/m)
    .map((section) => {
      const parts = section.split(/^(?=(?:Current|Adding) ACLs for resource )/m).map(entries);
      const isBlock = (part: string): boolean => /^(Current|Adding) /.test(part);
      return [...parts.filter((part) => !isBlock(part)), ...parts.filter(isBlock).sort()].join('');
    })
    .join('');
}

/** Without what is of one side or one moment, and what is ours to word: stack traces and the tables of options. */
function comparable(text: string, side: Side): string {
  return arranged(text)
    .replaceAll(side.bootstrap, '$B')
    .replace(/^Option {3}[\s\S]*/m, '<table>\n')
    .replace(/^(\t(at |\.\.\. ).*|Caused by: .*)\n/gm, '')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d/g, '<time>')
    .replace(/[\w+/]{86}==/g, '<secret>')
    .replace(/^[\w-]{22}(?=\s)|(?<=tokenId : )[\w-]{22}/gm, '<id>');
}

function view({ code, stdout, stderr }: Outcome, side: Side, { compare }: AclToolStep): object {
  if (compare === 'code') return { code };
  const [out, err] = [comparable(stdout, side), comparable(stderr, side)];
  if (compare === 'words') return { code, words: `${out} ${err}`.split(/[\s,]+/).sort() };
  return { code, out, err };
}

interface Run {
  readonly steps: readonly AclToolStep[];
  readonly apaches: {
    readonly side: Side;
    readonly tool: (step: AclToolStep, args: readonly string[]) => Promise<Outcome>;
  };
  readonly ours: Readonly<Record<string, Side>>;
}

async function compareSteps({ steps, apaches, ours }: Run): Promise<void> {
  const dir = tempDir();
  writeFileSync(join(dir, 'client.properties'), 'request.timeout.ms=20000\n');
  const jaas = `${LOGIN}.plain.PlainLoginModule required username="ann" password="secret";`;
  const lines = ['security.protocol=SASL_PLAINTEXT', 'sasl.mechanism=PLAIN', `sasl.jaas.config=${jaas}`];
  writeFileSync(join(dir, 'login.properties'), lines.join('\n'));
  const differences: object[] = [];
  const told = async (step: AclToolStep, side: Side, tool: Run['apaches']['tool']): Promise<object> => {
    const outcome = await tool(step, argsFor(step, side, dir));
    if (side.secret === '') side.secret = /[\w+/]{86}==/.exec(outcome.stdout)?.[0] ?? '';
    return view(outcome, side, step);
  };
  for (const step of steps) {
    const theirs = await told(step, apaches.side, apaches.tool);
    for (const [at, side] of Object.entries(ours)) {
      const seen = await told(step, side, ourTool);
      if (!isDeepStrictEqual(seen, theirs)) differences.push({ command: step.args, at, ours: seen, theirs });
    }
  }
  assert.deepEqual(differences, []);
}

async function startZookeeper(t: TestContext): Promise<string> {
  const odradek = await startOdradek({ dir: tempDir(), withoutKafka: true });
  t.after(() => odradek.kill());
  return odradek.zookeeper;
}

test('kafka-acls and kafka-delegation-tokens, at our broker and at Apache’s, give the lines of 3.9.1', async (t) => {
  const zookeeper = await startZookeeper(t);
  const [host, asked, odradek, apache] = await Promise.all([
    ToolHost.start('3.9.1'),
    startOurs(t, `${zookeeper}/asked`),
    startOurs(t, `${zookeeper}/odradek`),
    startTheirs(t, `${zookeeper}/apache`),
  ]);
  t.after(() => host.close());
  await compareSteps({
    steps: [...aclSteps39, ...tokenSteps39],
    apaches: { side: asked, tool: (step, args) => host.run(step.tool, args, { stdin: step.stdin ?? '' }) },
    ours: { odradek, apache },
  });
});

test('the launchers start them', async () => {
  for (const tool of ['kafka-acls', 'kafka-delegation-tokens']) {
    const launcher = fileURLToPath(new URL(`../../bin/${tool}.sh`, import.meta.url));
    assert.equal((await runOrThrow(launcher, ['--version'])).stdout, '3.9.1\n');
  }
});

fullTest('kafka-acls with --authorizer-properties, on ZooKeeper, gives the lines of 2.1.0', async (t) => {
  const zookeeper = await startZookeeper(t);
  const client = connectZookeeper(runtime, { connect: zookeeper });
  t.after(() => client.close());
  const side = async (name: string): Promise<Side> => {
    await client.create(`/${name}`);
    return { bootstrap: 'none', secured: 'none', zookeeper: `${zookeeper}/${name}`, secret: '' };
  };
  await compareSteps({
    steps: oldAclSteps,
    apaches: {
      side: await side('asked'),
      tool: ({ tool, stdin = '' }, args) => kafkaTool(tool, '2.1.0', args, { stdin }),
    },
    ours: { odradek: await side('odradek') },
  });
});
