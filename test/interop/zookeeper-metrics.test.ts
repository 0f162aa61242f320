/** Four-letter words, and `mntr` above all: the same names and the same form of values as Apache's server, fresh and used; figures that do not depend on time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { liveThrough, type Side, startBoth } from './operator/both-servers.ts';

type Values = ReadonlyMap<string, string>;

async function monitor(side: Side): Promise<Values> {
  const lines = (await side.ask('mntr')).trimEnd().split('\n');
  const values = new Map(lines.map((line) => line.split('\t') as [string, string]));
  assert.equal(values.size, lines.length, `${side.name} names no key twice`);
  return values;
}

/** `int`, `decimal` or the text itself. */
function formOf(value: string): string {
  if (/^-?\d+$/.test(value)) return 'int';
  return /^-?\d+\.\d+$/.test(value) ? 'decimal' : 'text';
}

const formsOf = (values: Values): Record<string, string> =>
  Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, formOf(value)]));

async function start(t: TestContext): Promise<readonly [Side, Side]> {
  const { apache, ours } = await startBoth({ keys: { enforceQuota: true } });
  t.after(() => Promise.all([apache.close(), ours.close()]));
  return [apache, ours];
}

/** Of one client's life, whatever the machine does. */
const counted = [
  ...['znode_count', 'ephemerals_count', 'approximate_data_size', 'watch_count', 'global_sessions', 'local_sessions'],
  ...['last_client_response_size', 'max_client_response_size', 'min_client_response_size'],
  ...['response_bytes', 'watch_bytes', 'connection_request_count', 'connection_rejected', 'auth_failed_count'],
  ...['outstanding_changes_queued', 'outstanding_changes_removed', 'stale_sessions_expired', 'connection_drop_count'],
  ...['app_quota_count_limit', 'app_quota_bytes_limit', 'app_quota_count_usage', 'app_quota_bytes_usage'].map(
    (name) => `${name}_per_namespace`,
  ),
  'app_quota_exceeded_error_per_namespace',
  ...['node_created', 'node_deleted', 'node_changed', 'node_children'].flatMap((name) =>
    ['cnt', 'sum', 'max'].map((figure) => `${figure}_${name}_watch_count`),
  ),
  ...['app_read', 'app_write', 'zookeeper_write'].flatMap((name) =>
    ['avg', 'min', 'max', 'cnt', 'sum'].map((figure) => `${figure}_${name}_per_namespace`),
  ),
  ...['startup_snap_load_time', 'startup_txns_load_time', 'startup_txns_loaded', 'dbinittime', 'snapshottime'].map(
    (name) => `cnt_${name}`,
  ),
  ...['connection_token_deficit', 'propagation_latency', 'updatelatency', 'sync_processor_queue_and_flush_time_ms'].map(
    (name) => `cnt_${name}`,
  ),
];

test('mntr names what Apache 3.9.4 names, in the same form, fresh and used', async (t) => {
  const [apache, ours] = await start(t);
  assert.deepEqual(formsOf(await monitor(ours)), formsOf(await monitor(apache)));
  for (const side of [apache, ours]) await liveThrough(await side.client());
  const theirs = await monitor(apache);
  const mine = await monitor(ours);
  assert.deepEqual(formsOf(mine), formsOf(theirs));
  const figures = (values: Values): Record<string, string | undefined> =>
    Object.fromEntries(counted.map((name) => [name, values.get(`zk_${name}`)]));
  assert.deepEqual(figures(mine), figures(theirs));
});

const PING_REPLY_BYTES = 16;

test('srst sets back what Apache sets back', async (t) => {
  const sides = await start(t);
  for (const side of sides) {
    await liveThrough(await side.client());
    await side.ask('srst');
  }
  const names = ['response_bytes', 'watch_bytes', 'connection_request_count', 'cnt_readlatency', 'cnt_fsynctime'];
  const kept = ['znode_count', 'watch_count', 'app_quota_count_usage_per_namespace', 'last_client_response_size'];
  const [theirs, mine] = await Promise.all(
    sides.map(async (side) => {
      const values = await monitor(side);
      // A client may have pinged since.
      const answered = Number(values.get('zk_response_bytes'));
      const pinged = answered % PING_REPLY_BYTES === 0 ? answered : 0;
      const value = (name: string): string | undefined =>
        name === 'response_bytes' ? String(answered - pinged) : values.get(`zk_${name}`);
      return [...names, ...kept].map((name) => `${name}=${value(name)}`);
    }),
  );
  assert.deepEqual(mine, theirs);
});

/** Names of servers, times and sizes of files differ; the rest may not. */
function normalised(text: string): string {
  return (
    text
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
      .replace(/0x1[0-9a-f]{14}\b/g, 'SESSION')
      .replace(/\w{3} \w{3} \d\d [\d:]{8} UTC \d{4}/g, 'DATE')
      .replace(/^(clientPort|dataDir|dataLogDir|dataDirSize|dataLogSize)=.*/gm, '$1=…')
      .replace(/\b(est|lresp|llat|minlat|avglat|maxlat)=\d+/g, '$1=N')
      .replace(/^Zookeeper version: .*/gm, 'Zookeeper version: V')
      .replace(/^Latency min\/avg\/max: \d+\/\d+\.\d+\/\d+/gm, 'Latency min/avg/max: N')
      // Apache was asked for its state until it had started.
      .replace(/^(Received|Sent): \d+/gm, '$1: N')
      .replace(/^(datadir_size|logdir_size): \d+/gm, '$1: N')
  );
}

test('conf, cons, dump, stat, srvr, wchs, wchc, wchp, dirs, isro, gtmk, orst, crst and srst answer as Apache does', async (t) => {
  const sides = await start(t);
  const answers: string[][] = [];
  for (const side of sides) {
    await liveThrough(await side.client());
    const said: string[] = [];
    for (const word of [
      'conf',
      'cons',
      'srvr',
      'wchs',
      'wchc',
      'wchp',
      'dirs',
      'isro',
      'gtmk',
      'orst',
      'crst',
      'srst',
    ]) {
      const lines = normalised(await side.ask(word)).split('\n');
      // Connections stand in any order.
      said.push(`${word}: ${(word === 'cons' ? lines.sort() : lines).join('\n')}`);
    }
    // Sets of one size may stand in any order, and each asking connection is one of them.
    const dump = normalised(await side.ask('dump')).split('\n');
    said.push(dump.slice(0, dump.indexOf('Connections dump:')).join('\n'));
    const mask = Buffer.alloc(12);
    mask.write('stmk');
    mask.writeBigInt64BE(307n, 4);
    said.push(await side.ask(mask.toString('latin1')), await side.ask('gtmk'));
    answers.push(said);
  }
  const [theirs, mine] = answers;
  assert.deepEqual(mine, theirs);
});

test('envi has the keys of Apache that are no JVM’s', async (t) => {
  const [apache, ours] = await start(t);
  const keysOf = async (side: Side): Promise<string[]> =>
    (await side.ask('envi'))
      .split('\n')
      .map((line) => line.split('=')[0] as string)
      .filter((key) => !/^(java\.(?!io\.tmpdir)|node\.)/.test(key));
  assert.deepEqual(await keysOf(ours), await keysOf(apache));
});
