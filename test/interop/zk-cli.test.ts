/** Our zkCli beside Apache's: the same lines, against Apache's server, must print the same. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { chosen } from './breadth.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { type Outcome, run } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { zkCli } from './peers/tools.ts';

const ourCli = fileURLToPath(new URL('../../src/zookeeper/cli/zk-cli.ts', import.meta.url));

function ours(connect: string, args: readonly string[], stdin = ''): Promise<Outcome> {
  return run(process.execPath, [ourCli, '-waitforconnection', '-server', connect, ...args], { stdin });
}

/** What differs between any two runs: ports, times, zxids of another history, a JVM's own lines, the release. */
function comparable(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => !/^\d+ \[|^\tat |Exiting JVM/.test(line))
    .map((line) =>
      line
        .replace(/127\.0\.0\.1:\d+/g, 'HOST')
        .replace(/^Connecting to .*/, 'Connecting to HOST')
        .replace(/^(ctime|mtime) = \w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ 20\d\d$/, '$1 = DATE')
        .replace(/^ZooKeeper CLI version: \d[\w.-]+, built on .*/, 'ZooKeeper CLI version: V'),
    );
}

/**
 * Apache's tool prints events from a thread of its own, before the next prompt, after it or inside the line, and on `quit` perhaps
 * no longer: so they are compared among themselves.
 */
function split(stdout: string): { events: string[]; rest: string } {
  const lines = comparable(stdout);
  const isEvent = (line: string): boolean => line.startsWith('WatchedEvent');
  const rest = lines.filter((line) => !isEvent(line) && line !== 'WATCHER::');
  return {
    events: lines.filter((line) => isEvent(line) && !line.includes('state:Closed')),
    rest: rest
      .join('\n')
      .replace(/\n+(?!\[zk)/g, '\n')
      .replace(/\]\s+/g, '] ')
      .replace(/\s+\[zk/g, '\n[zk'),
  };
}

const scripts: readonly { name: string; lines: string }[] = [
  {
    name: 'nodes are created, read, changed and deleted',
    lines: `
ls /
create /x hello
create /x again
get /x
get -s /x
create /n
get /n
create -s /n/s- a
create -s -e /n/e- a
create -e -c /n/bad a
create -t abc /n/t a
create -t 1000 -e /n/t a
create -c -t 500 /n/ct
create -t 0 /n/t0
create -t 100000 /n/t a
create -c /cont
create /nope/x a
ls -s /n
ls -R /
ls -Rs /n
ls /none
ls none
ls /n/
ls
set /x new
set -s /x new2
set -v 9 /x new3
set /x
set /n -s data
set -b /n aGVsbG8=
get /n
get
get -b /x
get -x /x
delete -v 7 /x
delete /n
delete /none
deleteall /n
deleteall /none
deleteall -b x /x
stat /x
stat /none
create -e /eph d
create /eph/child d
create a
create /a//b
create /a/../b
create /a/./b
create / x
delete /
delete /zookeeper
set /nope 1
create /y "two words"
get /y
create /y2 'single  quoted'
get /y2
create /q a"b
get /q
getEphemerals
getEphemerals /
getEphemerals /nope
getEphemerals x
getAllChildrenNumber /
getAllChildrenNumber /nope
sync /x
sync /nope
version
whoami
version x
config
config -s
config -c
create -s /n/ x
create -z /q2
ls -q /
ls --help
deleteall /eph
quit`,
  },
  {
    name: 'access lists and identities',
    lines: `
create /x 1
getAcl /x
getAcl -s /x
getAcl /nope
setAcl /x world:anyone:rwa
getAcl /x
setAcl -v 9 /x world:anyone:cdrwa
setAcl -s /x world:anyone:cdrwa
setAcl /nope world:anyone:r
setAcl /x
create /a d world:anyone:r,bad
create /b d digest:u:p:x
create /c d foo:bar:r
create /d d bad
setAcl /x bad
setAcl /x foo:bar:r
whoami
addauth digest user:pass
whoami
create /sec s auth::cdrwa
getAcl /sec
create /no s digest:u:p:r
get /no
set /no x
getAcl /no
setAcl /no world:anyone:r
ls /no
deleteall /no
create /d
create /d/a
create /d/a/b
setAcl -R /d world:anyone:cdra
getAcl /d/a/b
getAcl /d
setAcl -R /nope world:anyone:r
addauth
quit`,
  },
  {
    name: 'watches print their events',
    lines: `
create /x 1
get -w /x
set /x 2
ls -w /
create /y
stat -w /nonex
create /nonex
stat -w /x
delete /x
get /y true
set /y 1
ls /y watch
create /y/1
stat /y watch
delete /y/1 0
set /y 2
printwatches
printwatches off
get -w /y
set /y 3
printwatches
printwatches on
addWatch -m x /y
addWatch /y
create /y/deep
create /y/deep/er
set /y/deep 1
removewatches /none
removewatches
quit`,
  },
  {
    name: 'quotas',
    lines: `
create /e
setquota -n 0 /e
setquota -b -5 /e
setquota -n abc /e
setquota /e
setquota -n 5
setquota -n 3 /zookeeper/quota
setquota -N 3 /e
setquota -B 100 /e
listquota /e
ls -R /zookeeper/quota
delquota -N /e
listquota /e
delquota /e
listquota /e
ls -R /zookeeper/quota
delquota /e
delquota -n /e
create /p
create /p/q
create /p/q/r hello
setquota -n 5 /p
setquota -n 5 /p/q
delquota /p
setquota -b 2 /p/q
setquota -b 2 /p
setquota -B 1 /p
setquota -N 1 /p
setquota -n 1 /p/q/r
listquota /p/q
setquota -n 5 /nonono
setquota -n 5 /
delquota
listquota
quit`,
  },
  {
    name: 'membership, which a lone server has none of',
    lines: `
reconfig
reconfig -add server.1=h:1:2;3
reconfig -remove 1
reconfig -members server.1=h:1:2;3
reconfig -file /nonexistent/x
reconfig -file /nonexistent/x -remove 2
reconfig -v zz -remove 1
reconfig -v 5 -remove 1
reconfig -v -5 -remove 1
reconfig -v 1ffffffffffffffff -remove 1
reconfig -v zz -add x -members y
reconfig --add x
reconfig -members -s
reconfig -s -add server.2=h:1:2;3
reconfig -add
reconfig -q
config -w
config -q
config extra
quit`,
  },
  {
    name: 'watches are added and removed by kind',
    lines: `
create /x 1
create /x/y 1
addWatch -m PERSISTENT /x
addWatch -m persistent_recursive /x
addWatch
addWatch -m
addWatch -q /x
addWatch /x /y
set /x/y 2
get -w /x/y
ls -w /x/y
stat -w /x/y
removewatches /x/y -d
removewatches /x/y -c
removewatches /x/y -a
removewatches /x -p
removewatches /x -r
removewatches /x -a -l
removewatches /x -q
removewatches x
ls -w -R /x
ls -R -w -s /x
quit`,
  },
  {
    name: 'words and options that are wrong',
    lines: `
delete -v
create -s
create -t
create -t 5
create -s -t 5 /a/b/c
create -s -c /zz
get -b -x /zz
get -x -b /zz
get -s -b /zz
get /zz true
get -w
getAcl
getAcl -q /x
setAcl /zz
setAcl -R
whoami x
sync
sync x
getAllChildrenNumber
getAllChildrenNumber x
deleteall
deleteall -b 0 /zz
deleteall x
deleteall /
stat
stat x
version -q
listquota /zz
listquota x
delquota -q /zz
delquota -n -b /zz
setquota -n 3 -b 4 /zz
setquota -q
setquota -n
setquota -n 99999999999999999999 /zz
create /zz 1
setquota -n -b 5 /zz
setquota -n -7 /zz
setquota -n 2147483648 /zz
setquota -n=7 /zz
setquota -n 5 -n 6 /zz
setquota -B 9007199254740993 /zz
listquota /zz
delete -v -v /zz
delete -v=5 /zz
set -v 7 -v 0 /zz 3
set -v=0 /zz 2
get --s /zz
get -s=1 /zz
create -t -s /z1 x
create -t -z /z1 x
create -t 9223372036854775808 /z1 x
create -st=50000 /z1 x
addWatch -m=PERSISTENT /zz
ls -- /zz
redo -1
printwatches on off
history 5
connect`,
  },
  {
    name: 'a session that is closed and one that is connected again',
    lines: `
create -e /mine x
connect SERVER
ls /
close
close
create /x
connect SERVER
create /x
getEphemerals
quit`,
  },
  {
    name: 'history and unknown words',
    lines: `
create /x 1
history
redo 0
redo 100
redo
history extra
foo
foo bar
redo 6
history
printwatches foo

   ls /
close
ls /
history
printwatches
quit`,
  },
];

/** Starts a server, new and empty. */
async function startServer(t: TestContext, kind: 'Apache' | 'ours'): Promise<string> {
  const dataDir = tempDir();
  if (kind === 'Apache') {
    const server = await startApacheZookeeper({ version: '3.9.4', dataDir, config: { extendedTypesEnabled: 'true' } });
    t.after(() => server.stop());
    return server.connect;
  }
  const config = zooCfg({
    dataDir,
    clientPort: 0,
    clientPortAddress: '127.0.0.1',
    tickTime: 2000,
    extendedTypesEnabled: true,
  });
  const server = await startZookeeper(nodeRuntime({ logLevel: 'off' }), config);
  t.after(() => server.close());
  return `127.0.0.1:${server.clientAddress.port}`;
}

const told = [
  'nodes are created, read, changed and deleted',
  'access lists and identities',
  'watches print their events',
];

for (const { name, lines } of chosen(scripts, (one) => told.includes(one.name))) {
  test(`zkCli reads commands: ${name}`, async (t) => {
    const stdin = (server: string): string => `${lines.trimStart().replaceAll('SERVER', server)}\n`;
    // Eighty lines took it more than a minute on two cores that others wanted too.
    const byApache = (server: string) => zkCli('3.9.4', server, [], { stdin: stdin(server), timeoutMs: 240_000 });
    const byOurs = (server: string) => ours(server, [], stdin(server));
    const apache = await byApache(await startServer(t, 'Apache'));
    const others = [
      { who: 'ours on Apache', outcome: await byOurs(await startServer(t, 'Apache')) },
      { who: 'ours on ours', outcome: await byOurs(await startServer(t, 'ours')) },
      { who: 'Apache on ours', outcome: await byApache(await startServer(t, 'ours')) },
    ];
    for (const { who, outcome } of others) {
      const [mine, theirs] = [split(outcome.stdout), split(apache.stdout)];
      assert.deepEqual(mine.rest.split('\n'), theirs.rest.split('\n'), who);
      assert.deepEqual(mine.events, theirs.events, who);
      assert.deepEqual(comparable(outcome.stderr), comparable(apache.stderr), who);
      assert.equal(outcome.code, apache.code, who);
    }
  });
}

const single: readonly string[] = ['ls /', 'get /nope', 'create /one shot', 'create /one shot', 'foo', 'get', 'stat /'];

test('zkCli runs a command given as arguments', async (t) => {
  const server = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => server.stop());
  const other = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => other.stop());
  for (const line of single) {
    const [apache, mine] = await Promise.all([
      zkCli('3.9.4', server.connect, line.split(' ')),
      ours(other.connect, line.split(' ')),
    ]);
    assert.deepEqual(comparable(mine.stdout), comparable(apache.stdout), line);
    assert.deepEqual(comparable(mine.stderr), comparable(apache.stderr), line);
    assert.equal(mine.code, apache.code, line);
  }
});

test('zkCli says ConnectionLoss where no server is, with exit code 1', async () => {
  const { code, stdout, stderr } = await run(process.execPath, [ourCli, '-server', '127.0.0.1:1', 'ls', '/']);
  assert.equal(stdout, 'Connecting to 127.0.0.1:1\n');
  assert.equal(stderr, 'KeeperErrorCode = ConnectionLoss for /\n');
  assert.equal(code, 1);
});

test('the spellings of 3.4 work where 3.9 has no others', async (t) => {
  const server = await startApacheZookeeper({ version: '3.4.8', dataDir: tempDir() });
  t.after(() => server.stop());
  const { stdout, code } = await ours(server.connect, [], 'create /a 1\ncreate /a/b 2\nls2 /a\nrmr /a\nls /\n');
  assert.match(stdout, /^\[b\]\ncZxid = 0x2$/m);
  assert.match(stdout, /^\[zookeeper\]$/m);
  assert.equal(code, 0);
});
