/** kafka-delegation-tokens in a simulated world: what is printed of a token's life. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ClusterWorld } from '../broker/testkit/cluster-world.ts';
import { createAdmin } from '../client/admin.ts';
import { specs } from './kafka-delegation-tokens-options.ts';
import { parseOptions } from './option-parser.ts';
import { TokenCommands } from './token-commands.ts';

const SASL_PORT = 9292;
const keys = {
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT',
  'sasl.enabled.mechanisms': 'PLAIN',
  'listener.name.sasl.plain.sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="secret";',
  'delegation.token.secret.key': 'key',
};

/** Answers what a command prints, without what is of the token alone. */
async function start(): Promise<(line: string) => Promise<string>> {
  const { host } = new ClusterWorld().broker(0).machine;
  const listeners = `PLAINTEXT://${host}:9092,SASL://${host}:${SASL_PORT}`;
  const world = await new ClusterWorld({ kafka: { ...keys, listeners } }).start();
  const { runtime } = world.sim.machine('desk');
  const sasl = { mechanism: 'PLAIN', username: 'ann', password: 'secret' } as const;
  const security = { protocol: 'SASL_PLAINTEXT', sasl } as const;
  const { tokens } = createAdmin(runtime, { bootstrapServers: `${host}:${SASL_PORT}`, security });
  let secret = '';
  return async (line) => {
    let told = '';
    const io = {
      out(text: string | Uint8Array): void {
        told += text;
      },
      err: () => assert.fail('nothing is complained of here'),
      input: (async function* () {})(),
      isInteractive: false,
      onInterrupt: () => () => undefined,
    };
    const options = parseOptions(specs, line.replace('$H', secret).split(' '));
    await world.run(new TokenCommands({ tokens, options, io, clock: runtime.clock }).run());
    secret = /[\w+/]{86}==/.exec(told)?.[0] ?? secret;
    return told
      .replace(/[\w+/]{86}==/g, '<secret>')
      .replace(/^[\w-]{22}(?=\s)|(?<=tokenId : )[\w-]{22}/gm, '<id>')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d/g, '<time>');
  };
}

const head = `${[
  ...['TOKENID        ', 'HMAC                          ', 'OWNER          ', 'REQUESTER      '],
  ...['RENEWERS                 ', 'ISSUEDATE      ', 'EXPIRYDATE     ', 'MAXDATE        '],
].join(' ')}\n`;
const row = '<id> <secret> User:ann        User:ann        [User:bob, User:e=v]      <time> <time> <time>\n';

test('a token is made, shown, renewed and ended, and each is told as by Apache’s tool', async () => {
  const told = await start();
  assert.equal(
    await told('--create --max-life-time-period 100000 --renewer-principal User:bob --renewer-principal=User:e=v'),
    `Calling create token operation with renewers :[User:bob, User:e=v] , max-life-time-period :100000\nCreated delegation token with tokenId : <id>\n\n${head}\n${row}`,
  );
  assert.match(
    await told('--describe --owner-principal User:ann'),
    /owners: \[User:ann\]\nTotal number of tokens : 1\nTOKENID/,
  );
  assert.equal(
    await told('--describe'),
    `Calling describe token operation for current user.\nTotal number of tokens : 0\n${head}`,
  );
  assert.equal(
    await told('--renew --renew-time-period 1000 --hmac $H'),
    'Calling renew token operation with hmac :<secret> , renew-time-period :1000\nCompleted renew operation. New expiry date : <time>',
  );
  assert.equal(
    await told('--expire --expiry-time-period -1 --hmac $H'),
    'Calling expire token operation with hmac :<secret> , expire-time-period :-1\nCompleted expire operation. New expiry date : <time>',
  );
  assert.match(await told('--describe --owner-principal User:ann'), /Total number of tokens : 0/);
});

const faults = [
  { line: '--create --max-life-time-period', message: /max-life-time-period requires an argument/ },
  { line: '--create --max-life-time-period 99999999999999999', message: /max-life-time-period is too far from 0/ },
  {
    line: '--create --max-life-time-period 1 --renewer-principal bob',
    message: /principalType:principalName but got bob/,
  },
  { line: '--renew --renew-time-period 1 --hmac', message: /hmac requires an argument/ },
  { line: '--renew --renew-time-period 1 --hmac a!b', message: /^Illegal base64 character 21$/ },
  { line: '--renew --renew-time-period 1 --hmac AA=A', message: /^Input byte array has wrong 4-byte ending unit$/ },
  { line: '--renew --renew-time-period 1 --hmac AAAAA', message: /wrong 4-byte ending unit/ },
  { line: '--renew --renew-time-period 1 --hmac AAA', message: /Delegation Token is not found on server/ },
];
for (const { line, message } of faults) {
  test(`${line} is refused: ${message.source}`, async () => {
    const told = await start();
    await assert.rejects(told(line), { message });
  });
}
