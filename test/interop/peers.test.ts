/** The harness itself: the real peers install, start, understand each other and can be dumped. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chosen } from './breadth.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheKraft } from './peers/apache-kraft.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { parseCapture, startCapture } from './peers/capture.ts';
import { freePort, freePorts } from './peers/free-port.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { PeerError, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { dumpSnapshot, dumpTransactionLog, javaProgram, kcat, nodeScript, python, zkCli } from './peers/tools.ts';

const pairs = [
  { zookeeper: '3.9.4', kafka: '3.9.1' },
  { zookeeper: '3.4.8', kafka: '2.1.0' },
] as const;

for (const pair of chosen(pairs, () => false)) {
  test(`Apache Kafka ${pair.kafka} on Apache ZooKeeper ${pair.zookeeper} serves its tools and kcat`, async (t) => {
    const dir = tempDir();
    const dataDir = join(dir, 'zookeeper');
    const logDir = join(dir, 'kafka');
    const zookeeper = await startApacheZookeeper({
      version: pair.zookeeper,
      dataDir,
      config: { snapCount: 10 },
    });
    t.after(() => zookeeper.stop());
    const broker = await startApacheKafka({
      version: pair.kafka,
      zookeeperConnect: `${zookeeper.connect}/kafka`,
      logDir,
      brokerId: 7,
    });
    t.after(() => broker.kill());

    const cli = await zkCli(pair.zookeeper, zookeeper.connect, ['get', '/kafka/brokers/ids/7']);
    assert.match(cli.stdout, new RegExp(`"port":${broker.port}`), cli.stderr);
    const lines = await zkCli(pair.zookeeper, zookeeper.connect, [], {
      stdin: 'create /from-stdin 1\nls /\nquit\n',
    });
    assert.match(lines.stdout, /\[.*from-stdin.*\]/, lines.stderr);

    const where =
      pair.kafka === '2.1.0' ? ['--zookeeper', `${zookeeper.connect}/kafka`] : ['--bootstrap-server', broker.bootstrap];
    const created = await kafkaTool('kafka-topics', pair.kafka, [
      ...['--create', '--topic', 'lines', ...where],
      ...['--partitions', '1', '--replication-factor', '1'],
    ]);
    assert.equal(created.code, 0, created.stdout + created.stderr);

    const produced = await kcat(['-P', '-b', broker.bootstrap, '-t', 'lines', '-K', ':'], { stdin: 'key:a line\n' });
    assert.equal(produced.code, 0, produced.stderr);
    const consumed = await kcat([
      ...['-C', '-b', broker.bootstrap, '-t', 'lines'],
      ...['-o', 'beginning', '-e', '-q', '-K', ':'],
    ]);
    assert.equal(consumed.stdout, 'key:a line\n', consumed.stderr);

    await broker.stop();
    const segment = join(logDir, 'lines-0', '00000000000000000000.log');
    const dumped = await kafkaTool('kafka-dump-log', pair.kafka, [...['--files', segment, '--print-data-log']]);
    assert.match(dumped.stdout, /payload: a line/, dumped.stderr);

    await zookeeper.stop();
    const files = readdirSync(join(dataDir, 'version-2')).sort();
    const fileOf = (prefix: string) =>
      join(dataDir, 'version-2', files.find((name) => name.startsWith(prefix)) ?? prefix);
    const log = await dumpTransactionLog(pair.zookeeper, [fileOf('log.')]);
    assert.match(log.stdout, /session 0x[0-9a-f]+/, log.stderr);
    const snapshot = await dumpSnapshot(pair.zookeeper, [fileOf('snapshot.')]);
    assert.match(snapshot.stdout, /\/zookeeper/, snapshot.stderr);
  });
}

const proxied = ["third-party clients and today's tools speak with an Apache broker through the recording proxy"];

for (const name of chosen(proxied, () => false)) {
  test(name, async (t) => {
    const dir = tempDir();
    const capture = await startCapture();
    t.after(() => capture.close());
    const zookeeper = await startApacheZookeeper({
      version: '3.9.4',
      dataDir: join(dir, 'zookeeper'),
    });
    t.after(() => zookeeper.kill());
    const broker = await startApacheKafka({
      version: '3.9.1',
      zookeeperConnect: zookeeper.connect,
      logDir: join(dir, 'kafka'),
      advertisedPort: capture.port,
    });
    t.after(() => broker.kill());
    capture.forwardTo(broker.port);
    const bootstrap = `127.0.0.1:${capture.port}`;

    for (const version of ['4.4.0', '4.3.0'] as const) {
      const created = await kafkaTool('kafka-topics', version, [
        ...['--create', '--topic', `by-${version}`],
        ...['--bootstrap-server', bootstrap],
      ]);
      assert.match(created.stdout, /Created topic by-4/, created.stdout + created.stderr);
    }
    const produced = await kafkaTool(
      'kafka-console-producer',
      '4.4.0',
      ['--topic', 'by-4.4.0', '--bootstrap-server', bootstrap],
      { stdin: 'first\nsecond\n' },
    );
    assert.equal(produced.code, 0, produced.stderr);
    const consumed = await kafkaTool('kafka-console-consumer', '4.4.0', [
      ...['--topic', 'by-4.4.0', '--bootstrap-server', bootstrap],
      ...['--from-beginning', '--max-messages', '2', '--group', 'readers'],
    ]);
    assert.equal(consumed.stdout, 'first\nsecond\n', consumed.stderr);
    const group = await kafkaTool('kafka-consumer-groups', '4.4.0', [
      ...['--bootstrap-server', bootstrap, '--describe', '--group', 'readers'],
    ]);
    assert.match(group.stdout, /readers +by-4\.4\.0 +0 +2 +2 +0/, group.stderr);

    const importable = await python('-c', [
      'import kazoo, kafka, confluent_kafka, aiokafka, sys\n' +
        'from kazoo.client import KazooClient\n' +
        "zk = KazooClient(hosts=sys.argv[1]); zk.start(); print(sorted(zk.get_children('/brokers/topics'))); zk.stop()\n" +
        'print(sorted(kafka.KafkaAdminClient(bootstrap_servers=sys.argv[2]).list_topics()))',
      zookeeper.connect,
      bootstrap,
    ]);
    assert.match(importable.stdout, /'by-4\.3\.0', 'by-4\.4\.0'\]\n.*'by-4\.4\.0'/);

    const script = join(dir, 'clients.mjs');
    writeFileSync(
      script,
      `import { Kafka } from "kafkajs";
import { Admin } from "@platformatic/kafka";
import zookeeper from "node-zookeeper-client";
const [bootstrap] = process.argv.slice(2);
const admin = new Kafka({ brokers: [bootstrap] }).admin();
await admin.connect();
console.log((await admin.listTopics()).includes("by-4.4.0"));
await admin.disconnect();
const other = new Admin({ clientId: "peers", bootstrapBrokers: [bootstrap] });
console.log((await other.listTopics()).includes("by-4.4.0"));
await other.close();
console.log(typeof zookeeper.createClient);
`,
    );
    const listed = await nodeScript(script, [bootstrap]);
    assert.equal(listed.stdout, 'true\ntrue\nfunction\n', listed.stderr);

    const source = join(dir, 'Cluster.java');
    writeFileSync(
      source,
      `import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
public class Cluster {
  public static void main(String[] args) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      System.out.println(admin.describeCluster().nodes().get());
      System.out.println(Admin.class.getProtectionDomain().getCodeSource().getLocation());
    }
  }
}
`,
    );
    const cluster = await javaProgram('kafka-4.4.0', source, [bootstrap]);
    assert.match(cluster.stdout, new RegExp(`${bootstrap} .*\\n.*kafka-clients-4\\.4\\.0\\.jar`), cluster.stderr);

    assert.deepEqual(parseCapture(capture.text()), capture.frames);
    const apiVersions = capture.frames.find(({ direction, bytes }) => direction === '>' && bytes.readInt16BE(0) === 18);
    assert.ok(apiVersions, 'no ApiVersions request was recorded');
    const answer = capture.frames.find(
      ({ direction, connection, bytes }) =>
        direction === '<' &&
        connection === apiVersions.connection &&
        bytes.readInt32BE(0) === apiVersions.bytes.readInt32BE(4),
    );
    assert.ok(answer, 'its answer, found by correlation id, was not recorded');
  });
}

test('a server that was killed comes back on its port with what it had acknowledged', async (t) => {
  const dataDir = tempDir();
  const before = await startApacheZookeeper({ version: '3.9.4', dataDir });
  const created = await zkCli('3.9.4', before.connect, ['create', '/kept', 'x']);
  assert.match(created.stderr + created.stdout, /Created \/kept/);
  await before.kill();
  assert.equal(before.alive(), false);
  const after = await startApacheZookeeper({
    version: '3.9.4',
    dataDir,
    port: before.port,
  });
  t.after(() => after.kill());
  const kept = await zkCli('3.9.4', after.connect, ['get', '/kept']);
  assert.match(kept.stdout, /^x$/m);
  await assert.rejects(
    startApacheZookeeper({
      version: '3.4.8',
      dataDir: tempDir(),
      port: after.port,
    }),
    PeerError,
  );
});

const ensembles = ['an ensemble of both versions elects a leader and serves a write through every member'];

for (const name of chosen(ensembles, () => false)) {
  test(name, async (t) => {
    const dir = tempDir();
    const servers: Record<string, string> = {};
    for (const id of [1, 2, 3]) servers[`server.${id}`] = `127.0.0.1:${await freePort()}:${await freePort()}`;
    const members = await Promise.all(
      (['3.4.8', '3.9.4', '3.9.4'] as const).map((version, index) =>
        startApacheZookeeper({ version, dataDir: join(dir, `${index}`), config: servers, myid: index + 1 }),
      ),
    );
    t.after(() => Promise.all(members.map((member) => member.kill())));
    const modes = await Promise.all(members.map(async (member) => /Mode: (\w+)/.exec(await member.ask('srvr'))?.[1]));
    assert.deepEqual(modes.sort(), ['follower', 'follower', 'leader']);
    for (const [index, member] of members.entries()) {
      const created = await zkCli('3.9.4', member.connect, ['create', `/${index}`, 'x']);
      assert.match(created.stdout + created.stderr, /Created/);
    }
  });
}

test('ports are given once, and their block is nobody else’s while this process lives', async (t) => {
  const ports = await freePorts(150);
  assert.equal(new Set(ports).size, 150);
  for (const port of [ports.at(0) ?? 0, ports.at(-1) ?? 0]) {
    const other = createServer().listen(port - (port % 100), '127.0.0.1');
    t.after(() => other.close());
    await assert.rejects(once(other, 'listening'), { code: 'EADDRINUSE' });
  }
});

test('a peer dies with the process that started it, even by SIGKILL', async () => {
  const dir = tempDir();
  const starter = join(dir, 'starter.ts');
  const module = fileURLToPath(new URL('./peers/apache-zookeeper.ts', import.meta.url));
  writeFileSync(
    starter,
    `const { startApacheZookeeper } = await import(${JSON.stringify(module)});
const server = await startApacheZookeeper({ version: "3.4.8", dataDir: ${JSON.stringify(join(dir, 'data'))} });
console.log(server.pid);
setInterval(() => {}, 1000);
`,
  );
  const exists = (pid: number) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const child = spawn(process.execPath, [starter]);
    const [line] = await once(child.stdout, 'data');
    const pid = Number(line);
    assert.ok(exists(pid));
    child.kill(signal);
    await until(`end of process ${pid}`, () => !exists(pid) || undefined);
  }
});

const restarts = ['Apache Kafka 4.4.0 in KRaft mode is formatted, serves kcat and comes back on its port'];

for (const name of chosen(restarts, () => false)) {
  test(name, async (t) => {
    const logDir = join(tempDir(), 'kraft');
    const features = { 'share.version': 1 };
    const before = await startApacheKraft({ logDir, nodeId: 3, features });
    t.after(() => before.kill());
    const produced = await kcat(['-P', '-b', before.bootstrap, '-t', 'lines'], { stdin: 'a line\n' });
    assert.equal(produced.code, 0, produced.stderr);
    await before.kill();
    const after = await startApacheKraft({ logDir, nodeId: 3, port: before.port });
    t.after(() => after.kill());
    const consumed = await kcat(['-C', '-b', after.bootstrap, '-t', 'lines', '-o', 'beginning', '-e', '-q']);
    assert.equal(consumed.stdout, 'a line\n', consumed.stderr);
  });
}
