/** What operators see of an ensemble, role by role and without a quorum: the same as of Apache 3.9.4's. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type MemberName, memberNames, type Watched, watchEnsemble } from './operator/ensemble-answers.ts';

const kinds = ['apache-3.9.4', 'odradek'] as const;
const words = ['ruok', 'srvr', 'stat', 'conf', 'cons', 'dump', 'isro', 'dirs', 'hash', 'gtmk', 'wchs', 'wchp', 'orst'];

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
  return text
    .replace(/127\.0\.0\.1:\d+(?::\d+)?/g, 'ADDRESS')
    .replace(/0x\d00[0-9a-f]{13}\b/g, 'SESSION')
    .replace(/\b\d{17,18}\b/g, 'SESSION')
    .replace(/\w{3} \w{3} \d\d [\d:]{8} UTC \d{4}/g, 'DATE')
    .replace(/^(clientPort|dataDir|dataLogDir|dataDirSize|dataLogSize|electionPort|quorumPort)=.*/gm, '$1=…')
    .replace(/\b(est|lresp|llat|minlat|avglat|maxlat|recved|sent)=\d+/g, '$1=N')
    .replace(/^Zookeeper version: .*/gm, 'Zookeeper version: V')
    .replace(/^Latency min\/avg\/max: \d+\/\d+\.\d+\/\d+/gm, 'Latency min/avg/max: N')
    .replace(/^(Received|Sent): \d+/gm, '$1: N')
    .replace(/^(datadir_size|logdir_size): \d+/gm, '$1: N');
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

type Values = ReadonlyMap<string, string>;

async function monitor(watched: Watched, name: MemberName): Promise<Values> {
  const lines = (await watched.ask(name, 'mntr')).trimEnd().split('\n');
  return new Map(lines.map((line) => line.split('\t') as [string, string]));
}

function formOf(value: string): string {
  if (/^-?\d+$/.test(value)) return 'int';
  return /^-?\d+\.\d+$/.test(value) ? 'decimal' : 'text';
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
  ...['outstanding_changes_removed', 'prep_processor_request_queued', 'sync_processor_request_queued'],
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
    test(`mntr of a ${name} has Apache’s keys, forms and counts`, async () => {
      const [theirs, mine] = await Promise.all([monitor(told.theirs, name), monitor(told.ours, name)]);
      assert.deepEqual(formsOf(mine), formsOf(theirs));
      assert.deepEqual(figuresOf(mine), figuresOf(theirs));
    });

    test(`a ${name} answers four-letter words as Apache’s`, async () => {
      for (const word of words) {
        const [theirs, mine] = await Promise.all(
          [told.theirs, told.ours].map(async (side) =>
            withoutConnections(word, normalised(await side.ask(name, word))),
          ),
        );
        assert.equal(mine, theirs, word);
      }
    });
  }
});
