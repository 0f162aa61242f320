/** Kafka Connect with its connectors for files: lines go from a file through a topic of our broker into another file. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chosen } from './breadth.ts';
import { SHORT_SESSION, startOdradek } from './odradek.ts';
import { freePort } from './peers/free-port.ts';
import { javaLine } from './peers/java.ts';
import { type Service, startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { kcat } from './peers/tools.ts';

const connect = 'org.apache.kafka.connect.cli.ConnectStandalone';

function writeProperties(file: string, properties: Readonly<Record<string, string>>): string {
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  return file;
}

const names = ['Connect 3.9.1 carries lines from file to file, and goes on where it was after a restart of both'];

for (const name of chosen(names, () => false)) {
  test(name, async (t) => {
    const ports = { kafkaPort: await freePort(), zookeeperPort: await freePort() };
    const spec = { dir: tempDir(), kafka: { ...SHORT_SESSION, 'offsets.topic.num.partitions': '3' }, ...ports };
    let broker = await startOdradek(spec);
    t.after(() => broker.kill());
    const { bootstrap } = broker;
    const dir = tempDir();
    const [from, to, log] = [join(dir, 'from.txt'), join(dir, 'to.txt'), join(dir, 'connect.log')];
    const worker = writeProperties(join(dir, 'worker.properties'), {
      'bootstrap.servers': bootstrap,
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'offset.storage.file.filename': join(dir, 'offsets'),
      'offset.flush.interval.ms': '200',
      'plugin.discovery': 'only_scan',
      listeners: 'http://127.0.0.1:0',
    });
    const source = writeProperties(join(dir, 'source.properties'), {
      name: 'source',
      'connector.class': 'FileStreamSource',
      'tasks.max': '1',
      file: from,
      topic: 'file-lines',
    });
    const sink = writeProperties(join(dir, 'sink.properties'), {
      name: 'sink',
      'connector.class': 'FileStreamSink',
      'tasks.max': '1',
      file: to,
      topics: 'file-lines',
    });
    const written = (): readonly string[] =>
      existsSync(to)
        ? readFileSync(to, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
        : [];
    const start = async (): Promise<Service> => {
      const { command, args } = await javaLine('kafka-connect-3.9.1', connect, [worker, source, sink]);
      const service = startService(command, args, { logFile: log });
      t.after(() => service.kill());
      return service;
    };
    const arrive = (count: number): Promise<true> =>
      until(`${count} lines`, () => written().length >= count || undefined).catch((error) =>
        assert.fail(`${error}\n${readFileSync(log, 'utf8')}`),
      );
    const lines = Array.from({ length: 300 }, (_, at) => `line ${at}`);
    const add = (first: number, end: number): void =>
      appendFileSync(
        from,
        lines
          .slice(first, end)
          .map((line) => `${line}\n`)
          .join(''),
      );
    add(0, 100);
    const first = await start();
    await arrive(100);
    await first.stop();
    await broker.kill();
    broker = await startOdradek(spec);
    add(100, 200);
    await start();
    await arrive(200);
    add(200, 300);
    await arrive(300);
    assert.deepEqual(written(), lines);
    const consumed = await kcat(['-C', '-b', bootstrap, '-t', 'file-lines', '-e', '-q', '-o', 'beginning']);
    const values = consumed.stdout.trim().split('\n');
    assert.deepEqual(
      values.map((value) => JSON.parse(value).payload),
      lines,
    );
  });
}
