/** The commands by which `acl-tools.test.ts` compares tools. */
export interface AclToolStep {
  readonly tool: 'kafka-acls' | 'kafka-delegation-tokens';
  /** `$B`, `$S`: the brokers, `$Z`: ZooKeeper with chroot, `$DIR`: a folder, `$H`: the secret of a token. */
  readonly args: string;
  readonly stdin?: string;
  /** Lists whose order is that of a Java set, or words that are Java's own. */
  readonly compare?: 'words' | 'code';
}

type Row = string | Omit<AclToolStep, 'tool'>;
const stepsOf = (tool: AclToolStep['tool'], where: string, rows: readonly Row[]): AclToolStep[] =>
  rows.map((row) => {
    const step = typeof row === 'string' ? { args: row } : row;
    return { tool, ...step, args: `${where} ${step.args}` };
  });

const added = [
  '--add --topic demo --allow-principal User:Bob --operation Read --operation write --allow-host 10.0.0.1 --allow-host 10.0.0.2',
  '--add --topic demo --deny-principal User:Eve --deny-host 10.0.0.9',
  '--add --topic demo --deny-principal User:Eve --allow-principal User:Ann --operation All',
  '--add --topic pre --resource-pattern-type prefixed --allow-principal User:* --operation Describe',
  '--add --cluster --group g --group * --transactional-id tx --delegation-token d --allow-principal User:a --operation Describe',
  '--add --producer --idempotent --topic p --transactional-id tx --allow-principal User:p',
  '--add --consumer --topic p --topic q --group cg --allow-principal User:p',
  '--add --producer --consumer --topic pc --group cg --allow-principal User:pc',
] as const;

const listed = [
  '--list',
  '--list --topic demo --topic demo',
  '--list --topic prefixed --resource-pattern-type match',
  '--list --topic pre --resource-pattern-type Any',
  '--list --principal User:Bob --principal User:p --principal User:nobody',
  '--list --principal User:Bob --topic demo',
  '--list --principal',
  '--list --cluster',
  '--list --topic nothing',
] as const;

const refused = [
  '--list --add',
  '--list --topic demo --bogus',
  '--list --producer --topic t',
  '--list --authorizer x',
  '--add --principal User:x --topic t',
  '--add --topic x',
  '--add --allow-principal User:a',
  '--add --topic x --resource-pattern-type match --allow-principal User:a',
  '--add --topic x --resource-pattern-type bogus --allow-principal User:a',
  '--add --topic x --allow-principal a',
  '--add --topic x --allow-principal User:a --operation',
  '--add --delegation-token t --allow-principal User:a --operation Read',
  '--add --producer --allow-principal User:p',
  '--add --producer --topic t --operation Read --allow-principal User:p',
  '--add --consumer --topic t --allow-principal User:p',
  '--add --consumer --topic t --group g --cluster --allow-principal User:p',
  '--add --idempotent --topic t --allow-principal User:p',
  { args: '--add --topic x --allow-principal User:a --operation describe_configs', compare: 'words' },
  { args: '--add --group x --allow-principal User:a --operation Any', compare: 'words' },
] as const satisfies readonly Row[];

const removed = [
  { args: '--remove --topic demo --deny-principal User:Eve --deny-host 10.0.0.9', stdin: 'n\n' },
  { args: '--remove --topic demo --deny-principal User:Eve --deny-host 10.0.0.9', stdin: 'Y\n' },
  '--list --topic demo',
  '--remove --topic demo --force --allow-principal User:Bob --operation Read --allow-host 10.0.0.1',
  '--list --topic demo',
  { args: '--remove --topic demo', stdin: 'y\n' },
  { args: '--remove --topic nothing', compare: 'code' },
  '--remove --topic prefixed --resource-pattern-type match --force',
  '--remove --consumer --topic p --group cg --allow-principal User:p --force',
  '--list',
] as const satisfies readonly Row[];

/** As of 3.9.1, by request. */
export const aclSteps39: readonly AclToolStep[] = [
  ...stepsOf('kafka-acls', '', [
    '',
    '--help',
    '--version',
    '--list',
    '--list --command-config $DIR/client.properties',
    '--bootstrap-controller $B --list',
  ]),
  ...stepsOf('kafka-acls', '--bootstrap-server $B', [
    '',
    '--list --authorizer-properties zookeeper.connect=$Z',
    ...refused,
    ...added,
    '--add --user-principal User:eve --allow-principal User:ann --operation CreateTokens --operation describetokens',
    '--add --topic demo --topic --allow-principal User:x --command-config $DIR/client.properties',
    ...listed,
    '--list --user-principal User:eve --command-config',
    ...removed,
  ]),
];

const tokens = '--bootstrap-server $S --command-config $DIR/login.properties';
export const tokenSteps39: readonly AclToolStep[] = [
  ...stepsOf('kafka-delegation-tokens', '', [
    '',
    '--create --bogus',
    '--create',
    '--create --renew',
    '--bootstrap-server $S --create --max-life-time-period 5',
  ]),
  ...stepsOf('kafka-delegation-tokens', '--bootstrap-server $B --command-config $DIR/client.properties', [
    '--create --max-life-time-period -1',
    '--describe',
  ]),
  ...stepsOf('kafka-delegation-tokens', tokens, [
    '--create',
    { args: '--create --max-life-time-period abc', compare: 'code' },
    '--create --max-life-time-period 5 --hmac x',
    '--create --max-life-time-period 5 --renewer-principal bob',
    '--create --max-life-time-period 100000000 --renewer-principal User:bob --renewer-principal User:e=v',
    '--create --max-life-time-period -1 --owner-principal User:tom',
    '--create --max-life-time-period -1 --renewer-principal Group:g',
    '--describe --owner-principal User:bob --owner-principal User:nobody',
    '--describe',
    '--describe --hmac x',
    '--renew --hmac $H',
    '--renew --renew-time-period 1000 --hmac $H --owner-principal User:ann',
    '--renew --renew-time-period 1000000000 --hmac $H',
    '--renew --renew-time-period 1 --hmac AAAA',
    '--renew --renew-time-period 1 --hmac a!b',
    '--renew --renew-time-period 1 --hmac AA=A',
    '--expire --expiry-time-period 5000000 --hmac $H',
    '--expire --expiry-time-period -1 --hmac $H',
    '--expire --expiry-time-period -1 --hmac $H',
    '--describe --owner-principal User:ann',
  ]),
];

/** As of 2.1.0, on ZooKeeper: each costs a start of Java, so these are few. */
export const oldAclSteps: readonly AclToolStep[] = [
  ...stepsOf('kafka-acls', '--authorizer-properties', ['foo --list', 'foo=bar --list']),
  ...stepsOf('kafka-acls', '--authorizer-properties zookeeper.connect=$Z', [
    '',
    '--help',
    '--list --producer --topic t',
    '--add --topic x --allow-principal a',
    '--add --topic x --resource-pattern-type bogus --allow-principal User:a',
    '--add --group x --allow-principal User:a --operation Any',
    '--add --topic x --allow-principal User:a --operation Alter',
    '--add --cluster --allow-principal User:a --operation Read',
    '--add --delegation-token t --allow-principal User:a --operation Read',
    ...added,
    '--authorizer kafka.security.auth.SimpleAclAuthorizer --list --topic pc',
    ...listed.slice(0, 6),
    ...removed,
  ]),
];
