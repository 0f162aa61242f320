/** What operators see of an ensemble, role by role and without a quorum: the same as of Apache 3.9.4's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type MemberName, memberNames, type Watched, watchEnsemble } from './operator/ensemble-answers.ts';

const kinds = ['apache-3.9.4', 'odradek'] as const;
const words = ['ruok', 'srvr', 'stat', 'conf', 'cons', 'dump', 'isro', 'dirs', 'hash', 'gtmk', 'wchs', 'wchp', 'orst'];

const commands = [
  ...[
    'configuration',
    'connections',
    'hash',
    'dirs',
    'dump',
    'get_trace_mask',
    'initial_configuration',
    'is_read_only',
  ],
  ...['leader', 'observers', 'server_stats', 'stats', 'voting_view', 'watches', 'watches_by_path', 'watch_summary'],
  ...['zabstate', 'nonsense'],
];

interface Told {
  readonly theirs: Watched;
  readonly ours: Watched;
}

/** Both kinds, one after the other: a small machine has room for one at a time to start. */
async function tellBoth(ended: (() => unknown)[], config: Readonly<Record<string, string>> = {}): Promise<Told> {
  const t = { after: (done: () => unknown) => ended.push(done) };
  const theirs = await watchEnsemble(t, { kind: kinds[0], config });
  const ours = await watchEnsemble(t, { kind: kinds[1], config });
  return { theirs, ours };
}

async function endAll(ended: (() => unknown)[]): Promise<void> {
  for (const done of ended.splice(0).reverse()) await done();
}

/** Addresses, times, sizes of files and ids of sessions differ; what was asked before, and of whom, too. */
function normalised(text: string): string {
  return (
    text
      .replace(/127\.0\.0\.1:\d+(?::\d+)?/g, 'ADDRESS')
      .replace(/0x[0-9a-f]{14,16}\b/g, 'SESSION')
      .replace(/\b\d{17,18}\b/g, 'SESSION')
      .replace(/\w{3} \w{3} \d\d [\d:]{8} UTC \d{4}/g, 'DATE')
      .replace(/^(clientPort|dataDir|dataLogDir|dataDirSize|dataLogSize|electionPort|quorumPort)=.*/gm, '$1=…')
      .replace(/\b(est|lresp|llat|minlat|avglat|maxlat|recved|sent)=\d+/g, '$1=N')
      // A ping may have come last, whose answer has the newest zxid, and between two of them a deadline.
      .replace(/\blop=\w+/g, 'lop=LAST')
      .replace(/\blzxid=0x[0-9a-f]+/g, 'lzxid=LAST')
      .replace(/"last_zxid" : \d+/g, '"last_zxid" : LAST')
      .replace(/"last_operation" : "\w+"/g, '"last_operation" : LAST')
      .replace(/^\d+ expire at DATE:\n/gm, '')
      .replace(/^Session Sets \(\d+\)/gm, 'Session Sets (N)')
      .replace(/^Zookeeper version: .*/gm, 'Zookeeper version: V')
      .replace(/^Latency min\/avg\/max: \d+\/\d+\.\d+\/\d+/gm, 'Latency min/avg/max: N')
      .replace(/^(Received|Sent): \d+/gm, '$1: N')
      .replace(/^(datadir_size|logdir_size): \d+/gm, '$1: N')
  );
}

function withoutConnections(word: string, text: string): string {
  if (word === 'dump') return text.slice(0, text.indexOf('Connections dump:'));
  // In any order; each that asks is one of them for a while.
  if (word === 'stat' || word === 'cons')
    return text
      .split('\n')
      .filter((line) => !line.includes('[0]('))
      .sort()
      .join('\n');
  return text.replace(/^Connections: \d+/m, 'Connections: N');
}

function normalisedJson(text: string): string {
  return normalised(text)
    .replace(/"expiry_time_to_session_ids" : \{\n[^}]*\}/, '"expiry_time_to_session_ids" : SETS')
    .replace(/("(?:version|data_dir|data_log_dir)") : ".*"/g, '$1 : TEXT')
    .replace(/"(0\.0\.0\.0):\d+"/g, '"$1:PORT"')
    .replace(/("all_ports") : \[ \d+ \]/g, '$1 : [ N ]')
    .replace(
      /("(?:last_buffer_size|min_buffer_size|client_port|datadir_size|logdir_size|data_dir_size|log_dir_size|uptime|established|last_response_time|queued_packets_size)") : -?\d+/g,
      '$1 : N',
    )
    .replace(
      /("(?:packets_sent|packets_received|last_latency|min_latency|avg_latency|max_latency|fsync_threshold_exceed_count)") : [\d.]+/g,
      '$1 : N',
    );
}

/** A JVM gives the fields of a bean in an order of its own, at each start another one. */
function inOrder(command: string, json: string): string {
  if (!['server_stats', 'stats', 'zabstate'].includes(command)) return json;
  return json.replaceAll(',\n', '\n').split('\n').sort().join('\n');
}

async function formsOfCommands(side: Watched, name: MemberName): Promise<Record<string, string>> {
  const forms: Record<string, string> = {};
  const { text } = await side.command(name, 'monitor');
  for (const [, key = '', value = ''] of text.matchAll(/^ {2}"(.*)" : (.*?),?$/gm)) forms[key] = formOf(value);
  const properties = JSON.parse((await side.command(name, 'sysp')).text) as Record<string, string>;
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('zookeeper.') && !/Port|jmx|server\.\d/.test(key)) forms[key] = value;
    else if (key.startsWith('zookeeper.server.')) forms[key] = normalised(value);
  }
  return forms;
}

type Values = ReadonlyMap<string, string>;

async function monitor(watched: Watched, name: MemberName): Promise<Values> {
  const lines = (await watched.ask(name, 'mntr')).trimEnd().split('\n');
  return new Map(lines.map((line) => line.split('\t') as [string, string]));
}

function formOf(value: string): string {
  if (/^-?\d+$/.test(value)) return 'int';
  return /^(-?\d+\.\d+|NaN)$/.test(value) ? 'decimal' : 'text';
}

const formsOf = (values: Values): Record<string, string> =>
  Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, formOf(value)]));

/** Of a run in which nothing fails, whatever the machine does. */
const counted = [
  ...['server_state', 'peer_state', 'observer_master_id', 'quorum_size', 'learners', 'synced_followers'],
  ...['synced_observers', 'synced_non_voting_followers', 'pending_syncs', 'global_sessions', 'local_sessions'],
  ...['znode_count', 'ephemerals_count', 'watch_count', 'approximate_data_size'],
  ...['last_proposal_size', 'max_proposal_size', 'min_proposal_size'],
  ...['looking_count', 'proposal_count', 'commit_count', 'request_commit_queued', 'learner_proposal_received_count'],
  ...['learner_commit_received_count', 'revalidate_count', 'outstanding_changes_queued'],
  // Not prep_processor_request_queued: Apache's counts the pings of its clients too, of which there are more on a slow machine.
  ...['outstanding_changes_removed', 'sync_processor_request_queued'],
  ...['election_time', 'unavailable_time', 'leader_unavailable_time', 'follower_sync_time', 'observer_sync_time'],
  ...['propagation_latency', 'proposal_latency', 'quorum_ack_latency', 'commit_propagation_latency'],
  ...['proposal_ack_creation_latency', 'startup_snap_load_time', 'dbinittime'],
];

const figuresOf = (values: Values): Record<string, string | undefined> =>
  Object.fromEntries(counted.map((name) => [name, values.get(`zk_${name}`) ?? values.get(`zk_cnt_${name}`)]));

describe('an ensemble', () => {
  const ended: (() => unknown)[] = [];
  let told: Told;
  before(async () => {
    told = await tellBoth(ended);
  });
  after(() => endAll(ended));

  for (const name of memberNames) {
    test(`mntr of the ${name} has Apache’s keys, forms and counts`, async () => {
      const [theirs, mine] = await Promise.all([monitor(told.theirs, name), monitor(told.ours, name)]);
      assert.deepEqual(formsOf(mine), formsOf(theirs));
      assert.deepEqual(figuresOf(mine), figuresOf(theirs));
    });

    test(`the ${name} answers four-letter words as Apache’s`, async () => {
      for (const word of words) {
        const [theirs, mine] = await Promise.all(
          [told.theirs, told.ours].map(async (side) =>
            withoutConnections(word, normalised(await side.ask(name, word))),
          ),
        );
        assert.equal(mine, theirs, word);
      }
    });

    test(`the AdminServer of the ${name} answers as Apache’s`, async () => {
      for (const command of commands) {
        const [theirs, mine] = await Promise.all(
          [told.theirs, told.ours].map(async (side) => {
            const { status, text } = await side.command(name, command);
            return `${status} ${inOrder(command, normalisedJson(text))}`;
          }),
        );
        assert.equal(mine, theirs, command);
      }
    });

    test(`monitor and system_properties of the ${name} have Apache’s keys and forms`, async () => {
      const [theirs, mine] = await Promise.all([told.theirs, told.ours].map((side) => formsOfCommands(side, name)));
      assert.deepEqual(mine, theirs);
    });
  }

  test('zkServer.sh status tells the role of each', async () => {
    for (const side of [told.theirs, told.ours]) {
      for (const name of memberNames) {
        const { code, stdout } = await side.status(name);
        assert.deepEqual([code, /^Mode: .*/m.exec(stdout)?.[0]], [0, `Mode: ${name}`]);
      }
    }
  });

  test('srst and orst set back what Apache sets back', async () => {
    const [theirs, mine] = await Promise.all(
      [told.theirs, told.ours].map(async (side) => {
        const said = [await side.ask('leader', 'srst')];
        await side.command('leader', 'orst');
        said.push(/Proposal sizes.*/.exec(await side.ask('leader', 'srvr'))?.[0] ?? '');
        const values = await monitor(side, 'leader');
        const names = [
          'proposal_count',
          'commit_count',
          'looking_count',
          'cnt_election_time',
          'cnt_quorum_ack_latency',
        ];
        for (const key of [...names, 'max_proposal_size', 'learners']) said.push(`${key}=${values.get(`zk_${key}`)}`);
        const { observers } = JSON.parse((await side.command('leader', 'obsr')).text) as {
          observers: { requests: 0 }[];
        };
        return [...said, ...observers.map(({ requests }) => requests)];
      }),
    );
    assert.deepEqual(mine, theirs);
  });

  test('without a quorum every word and command answers as Apache’s', async () => {
    const answers = await Promise.all(
      [told.theirs, told.ours].map(async (side) => {
        await side.loseQuorum();
        const said: string[] = [];
        for (const name of ['follower', 'observer'] as const) {
          for (const word of [...words, 'mntr', 'crst', 'srst', 'wchc']) {
            said.push(`${name} ${word}: ${await side.ask(name, word)}`);
          }
          said.push(`${name} ${(await side.ask(name, 'envi')).split('\n').slice(0, 1)}`);
          for (const command of [...commands, 'snapshot', 'ruok', 'crst']) {
            const { status, text } = await side.command(name, command);
            said.push(`${name} /${command} ${status} ${text}`);
          }
          said.push(`${name} /monitor ${(await side.command(name, 'monitor')).status}`);
        }
        return said;
      }),
    );
    const [theirs, mine] = answers;
    assert.deepEqual(mine, theirs);
  });

  test('zkServer.sh status finds nobody to tell it', async () => {
    for (const side of [told.theirs, told.ours]) {
      const { code, stdout } = await side.status('follower');
      assert.equal(code, 1);
      assert.match(stdout, /^Error contacting service\. It is probably not running\.$/m);
    }
  });

  test('the log of a follower that lost its leader has the lines that Apache’s has', () => {
    const [theirs, mine] = [told.theirs, told.ours].map((side) =>
      linesOf(readFileSync(side.logFile('follower'), 'utf8')),
    );
    assert.deepEqual(mine, theirs);
  });
});

const prometheus = {
  'metricsProvider.className': 'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
  'metricsProvider.exportJvmInfo': 'false',
};

describe('an ensemble for Prometheus', () => {
  const ended: (() => unknown)[] = [];
  let told: Told;
  before(async () => {
    told = await tellBoth(ended, prometheus);
  });
  after(() => endAll(ended));

  for (const name of memberNames) {
    test(`/metrics of the ${name} names and types what Apache’s does`, async () => {
      const [theirs, mine] = await Promise.all([told.theirs, told.ours].map((side) => families(side, name)));
      assert.deepEqual(mine, theirs);
    });

    test(`mntr of the ${name} shows the same`, async () => {
      const [theirs, mine] = await Promise.all(
        [told.theirs, told.ours].map(async (side) => formsOf(await monitor(side, name))),
      );
      assert.deepEqual(mine, theirs);
    });
  }

  test('without a quorum the counters are there, and the gauges of a server are not', async () => {
    const [theirs, mine] = await Promise.all(
      [told.theirs, told.ours].map(async (side) => {
        await side.loseQuorum();
        return families(side, 'follower');
      }),
    );
    assert.deepEqual(mine, theirs);
  });
});

/** Those that operators search for, in their order; Apache tells of more steps between discovery and broadcast. */
function linesOf(log: string): string[] {
  const sought =
    /\b((?:FOLLOWING|LEADING) - LEADER ELECTION TOOK -|Peer state changed: \w+ - (?:discovery|broadcast)(?= \(|$)|PeerState set to LOOKING)/gm;
  return [...log.matchAll(sought)].map(([line]) => line);
}

/** `# TYPE` lines, and every sample's name with its labels. */
async function families(side: Watched, name: MemberName): Promise<string[]> {
  const lines = (await side.metrics(name)).trimEnd().split('\n');
  return lines
    .filter((line) => !line.startsWith('# HELP'))
    .map((line) => (line.startsWith('#') ? line : line.slice(0, line.lastIndexOf(' '))))
    .sort();
}
