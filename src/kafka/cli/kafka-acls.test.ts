/** kafka-acls in a simulated world: on ZooKeeper itself, with a broker that hears of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Runtime } from '../../runtime/runtime.ts';
import { ClusterWorld } from '../broker/testkit/cluster-world.ts';
import { kafkaAcls } from './kafka-acls.ts';
import { guarded, type ToolIo } from './tool.ts';

const keys = { 'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer', 'super.users': 'User:ANONYMOUS' };

class Desk {
  readonly world = new ClusterWorld({ kafka: keys });
  readonly #runtime: Runtime = this.world.sim.machine('desk').runtime;

  async start(): Promise<this> {
    await this.world.start();
    return this;
  }

  /** Answers what is printed, and the exit code if it is not 0. `_` is a blank in a word. */
  async run(line: string, answers = ''): Promise<string> {
    let told = '';
    const io: ToolIo = {
      out(text) {
        told += text;
      },
      err(text) {
        told += `! ${text}`;
      },
      input: (async function* () {
        yield Buffer.from(answers);
      })(),
      isInteractive: false,
      onInterrupt: () => () => undefined,
    };
    const code = await this.world.run(guarded(kafkaAcls, line.split(' '), io, this.#runtime));
    return code === 0 ? told : `${told.replace(/^Option {3}[\s\S]*/m, '')}(${code})`;
  }

  onZookeeper(line: string, answers = ''): Promise<string> {
    return this.run(`--authorizer-properties zookeeper.connect=${this.world.connect} ${line}`, answers);
  }

  atBroker(line: string, answers = ''): Promise<string> {
    return this.run(`--bootstrap-server ${this.world.broker(0).machine.host}:9092 ${line}`, answers);
  }
}

const oldLine = (operation: string): string =>
  `\tUser:Bob has Allow permission for operations: ${operation} from hosts: *`;
const newLine = (operation: string): string =>
  `\t(principal=User:Bob, host=*, operation=${operation}, permissionType=ALLOW)`;
const demo = '`ResourcePattern(resourceType=TOPIC, name=demo, patternType=LITERAL)`';

test('what is added on ZooKeeper is told in the words of 2.1, and listed by the broker in those of 3.9', async () => {
  const desk = await new Desk().start();
  const both = `${oldLine('Read')}\n${oldLine('Write')}`;
  assert.equal(
    await desk.onZookeeper('--add --topic demo --allow-principal User:Bob --operation Read --operation Write'),
    `Adding ACLs for resource \`Topic:LITERAL:demo\`: \n ${both} \n\nCurrent ACLs for resource \`Topic:LITERAL:demo\`: \n ${both} \n\n`,
  );
  assert.deepEqual(await desk.world.json('/kafka-acl/Topic/demo'), {
    acls: ['Read', 'Write'].map((operation) => ({
      principal: 'User:Bob',
      permissionType: 'Allow',
      host: '*',
      operation,
    })),
    version: 1,
  });
  await desk.world.sim.runFor(1_000);
  assert.equal(
    await desk.atBroker('--list'),
    `Current ACLs for resource ${demo}: \n ${newLine('READ')}\n${newLine('WRITE')} \n\n`,
  );
});

test('what the broker was given is removed on ZooKeeper once somebody says yes', async () => {
  const desk = await new Desk().start();
  await desk.atBroker('--add --topic demo --allow-principal User:Bob --operation Read');
  const question = `Are you sure you want to delete all ACLs for resource filter ${demo}? (y/n)\n`;
  const rest = `Current ACLs for resource \`Topic:LITERAL:demo\`: \n ${oldLine('Read')} \n\n`;
  assert.equal(await desk.onZookeeper('--remove --topic demo', 'no\n'), question + rest);
  assert.match(await desk.onZookeeper('--remove --topic demo'), /nobody answered.*\n\(1\)/s);
  assert.equal(await desk.onZookeeper('--remove --topic demo', 'Y\n'), question);
  await desk.world.sim.runFor(1_000);
  assert.equal(await desk.atBroker('--list'), '');
  assert.equal(await desk.world.exists('/kafka-acl/Topic/demo'), false);
});

test('of several ACLs of a resource those are removed that are named, and no others', async () => {
  const desk = await new Desk().start();
  await desk.atBroker('--add --topic demo --allow-principal User:Bob --operation Read --operation Write');
  assert.equal(await desk.atBroker('--remove --force --topic demo --allow-principal User:Bob --operation Read'), '');
  const rest = `Current ACLs for resource ${demo}: \n ${newLine('WRITE')} \n\n`;
  assert.equal(await desk.atBroker('--list'), rest);
  assert.equal(
    await desk.atBroker('--list --principal User:Eve --principal User:Bob'),
    `ACLs for principal \`User:Eve\`\nACLs for principal \`User:Bob\`\n${rest}`,
  );
});

const roles = [
  {
    line: '--producer --idempotent --topic t --transactional-id x',
    want: [
      'CLUSTER kafka-cluster IDEMPOTENT_WRITE',
      'TOPIC t CREATE',
      'TOPIC t DESCRIBE',
      'TOPIC t WRITE',
      'TRANSACTIONAL_ID x DESCRIBE',
      'TRANSACTIONAL_ID x WRITE',
    ],
  },
  { line: '--consumer --topic t --group g', want: ['GROUP g READ', 'TOPIC t DESCRIBE', 'TOPIC t READ'] },
  {
    line: '--producer --consumer --topic t --group g',
    want: ['GROUP g READ', 'TOPIC t CREATE', 'TOPIC t DESCRIBE', 'TOPIC t READ', 'TOPIC t WRITE'],
  },
];
for (const { line, want } of roles) {
  test(`${line} stands for what that client needs`, async () => {
    const desk = await new Desk().start();
    await desk.atBroker(`--add ${line} --allow-principal User:Bob`);
    const listed = await desk.atBroker('--list');
    const found = [...listed.matchAll(/resourceType=(\w+), name=([\w-]+).*\n((?: ?\t.*\n)*)/g)].flatMap(
      ([, type, name, acls = '']) =>
        [...acls.matchAll(/operation=(\w+)/g)].map(([, operation]) => `${type} ${name} ${operation}`),
    );
    assert.deepEqual(found.sort(), want);
    assert.equal(await desk.atBroker(`--remove --force ${line} --allow-principal User:Bob`), '');
    assert.equal(await desk.atBroker('--list'), '');
  });
}

const complaints = [
  ['', '--list --producer', '! Option "[list]" can\'t be used with option"[producer]"\n(1)'],
  [
    '',
    '--add --topic t --allow-principal User:a --operation Alter',
    /^! ResourceType TOPIC only supports operations Read,All,/,
  ],
  [
    '',
    '--add --topic t --allow-principal a',
    /^Error while executing ACL command: expected a string in format principalType:principalName but got a\njava.lang.Ill/,
  ],
  ['no/such', '--list', /^Error while executing ACL command: KeeperErrorCode = NoNode for \/kafka-acl.*\(1\)$/s],
] as const;
for (const [chroot, line, want] of complaints) {
  test(`on ZooKeeper ${line} ${chroot === '' ? '' : `below /${chroot} `}is refused as by 2.1`, async () => {
    const desk = await new Desk().start();
    const { connect } = desk.world;
    const told = await desk.run(`--authorizer-properties zookeeper.connect=${connect}/${chroot} ${line}`);
    if (typeof want === 'string') assert.equal(told, want);
    else assert.match(told, want);
  });
}

test('another authorizer, and a ZooKeeper that is not named, are refused', async () => {
  const desk = await new Desk().start();
  assert.match(
    await desk.onZookeeper('--authorizer com.example.Mine --list'),
    /Java classes cannot be loaded here.*\(1\)/s,
  );
  assert.match(
    await desk.run('--authorizer-properties super.users=User:a --list'),
    /Missing required configuration "zookeeper.connect" which has no default value.\n.*\(1\)/s,
  );
  const own = `--authorizer-properties authorizer.zookeeper.url=${desk.world.connect}`;
  assert.equal(await desk.run(`${own} --authorizer kafka.security.auth.SimpleAclAuthorizer --list`), '');
});
