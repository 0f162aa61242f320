/** Lives of streams groups. Topic t has four partitions, u two, v four. */
import { counting, type StreamsStory, type StreamsTold, type SubtopologySpec } from './streams-story.ts';

export interface Story {
  readonly name: string;
  readonly tell: (story: StreamsStory) => Promise<void>;
}

export const streamsStories: readonly Story[] = [
  {
    name: 'two members join, share, revoke, commit, leave; the group is deleted',
    async tell(story) {
      await story.streams('one', { rackId: 'r', tags: { zone: 'a', cluster: 'b' } });
      await story.describeStreams();
      await story.list();
      await story.waitForTopics('counts');
      await story.streams('one', { epoch: 2 });
      await story.describeStreams();
      await story.streams('one', { epoch: 3, version: 0 });
      await story.streams('two');
      await story.describeStreams(1, true);
      await story.list(['reconciling', 'assigning'], ['streams']);
      await story.streams('two', { epoch: 4 });
      await story.streams('one', { epoch: 3 });
      await story.describeStreams(0);
      await story.commit('one', 3, 0);
      await story.commit('one', 3, 3);
      await story.commit('one', 2, 0);
      await story.commit('one', 9, 0);
      await story.streams('one', { epoch: 3, active: { 0: [0, 1, 2, 3] } });
      await story.streams('one', { epoch: 3, active: { 0: [0, 1] } });
      await story.streams('two', { epoch: 4 });
      await story.streams('two', { epoch: 4, active: { 0: [2, 3] } });
      await story.describeStreams();
      await story.commit('one', 4, 0);
      await story.commit('one', 3, 0);
      await story.commit('one', 3, 3);
      await story.commit('two', 4, 2, 9);
      await story.commit('two', 3, 2, 9, 'u');
      await story.commit('nobody', 4, 2, 9);
      await story.commit('', -1, 2, 9);
      await story.commit('one', 4, 0, 8);
      await story.fetch('one', 4);
      await story.fetch('one', 3);
      await story.fetch('nobody', 3);
      await story.fetch();
      await story.deleteOffsets('t', 'u');
      await story.deleteGroup();
      await story.describeClassic();
      await story.describeClassic(5);
      await story.describe();
      await story.streams('one', { epoch: -1 });
      await story.streams('one', { epoch: 4 });
      await story.streams('two', { epoch: 4 });
      await story.streams('two', { epoch: 5, active: { 0: [2, 3] } });
      await story.list();
      await story.streams('two', { epoch: -1 });
      await story.describeStreams();
      await story.list(['empty']);
      await story.commit('', -1, 1, 9);
      await story.deleteOffsets('t');
      await story.fetch();
      await story.deleteGroup();
      await story.deleteGroup();
      await story.describeStreams();
      await story.list();
    },
  },
  {
    name: 'requests that are refused',
    async tell(story) {
      await story.streams('one', { epoch: 5 });
      await story.streams('one', { epoch: -1 });
      await story.describeStreams();
      await story.streams('');
      await story.streams('one', { group: ' ' });
      await story.streams('one', { group: '' });
      await story.streams('one', { instanceId: '' });
      await story.streams('one', { rackId: ' ' });
      await story.streams('one', { rebalanceTimeoutMs: -1 });
      await story.streams('one', { active: { 0: [0] } });
      await story.streams('one', { standby: { 0: [0] } });
      await story.streams('one', { warmup: { 0: [0] } });
      await story.streams('one', { active: null });
      await story.streams('one', { topology: null });
      await story.streams('one', { epoch: 3, topology: counting });
      await story.streams('one', { epoch: -2 });
      await story.streams('one', { epoch: -3 });
      await story.streams('one', { topology: { 0: { sources: ['t'], regex: ['a.*'] } } });
      await story.streams('one', { topology: { 0: { sources: ['t'], changelogs: [{ name: 'c', partitions: 3 }] } } });
      await story.streams('one', { topology: { 0: { sources: ['t', 'no-?'] } } });
      await story.streams('one', { topologyEpoch: -1 });
      await story.streams('one', {
        offsets: [
          ['0', 1, 2],
          ['0', 1, 3],
        ],
      });
      await story.streams('one', { topology: { 0: {} } });
      await story.streams('one', { topology: {}, group: `${story.group}-nothing` });
      await story.describeStreams();
      await story.streams('other');
      await story.waitForTopics('counts');
      await story.streams('other', { epoch: 2 });
      await story.streams('other', {
        epoch: 3,
        offsets: [
          ['0', 1, 2],
          ['0', 1, 3],
        ],
      });
      await story.streams('other', { epoch: 3, active: { 0: [4] } });
      await story.streams('other', { epoch: 3, active: { 1: [0] } });
      await story.streams('other', { epoch: 4 });
      await story.streams('other', { epoch: 1 });
      await story.streams('other', { epoch: 2 });
      await story.streams('other', { epoch: 2, active: {} });
      await story.streams('other', { topologyEpoch: 1 });
      await story.streams('other', { topology: { 0: { sources: ['u'] } } });
      await story.streams('another', { epoch: 2 });
      await story.streams('other', { epoch: 3, instanceId: 'i' });
      await story.streams('other');
      await story.streams('two');
      await story.streams('three');
      await story.streams('four');
      await story.streams('five');
      await story.streams('other', { epoch: -1, group: `${story.group}-none` });
    },
  },
  {
    name: 'topologies whose topics are missing, come, or do not fit',
    async tell(story) {
      const chain: Readonly<Record<string, SubtopologySpec>> = {
        0: { sources: ['u'], sinks: ['middle'], changelogs: [{ name: 'seen' }] },
        1: { repartition: [{ name: 'middle' }], sinks: ['last'], changelogs: [{ name: 'sums' }, { name: 'more' }] },
        2: { sources: ['source'], repartition: [{ name: 'last' }], together: [[[0], [0]]] },
      };
      await story.streams('one', { topology: chain });
      await story.describeStreams();
      await story.list(['notready']);
      await story.list(['not_ready']);
      await story.streams('one', { epoch: 2 });
      await story.createTopic('source', 3);
      await story.streams('one', { epoch: 2 });
      await story.waitForTopics('middle', 'last', 'seen', 'sums', 'more');
      await story.describeStreams();
      await story.streams('one', { epoch: 3 });
      await story.describeStreams();
      await story.streams('one', { epoch: 4 });
      await story.streams('two', { topology: chain, topologyEpoch: -1 });
      await story.streams('one', { epoch: -1 });
    },
  },
  {
    name: 'topics that are joined',
    async tell(story) {
      const topologies: readonly Readonly<Record<string, SubtopologySpec>>[] = [
        { 0: { sources: ['t', 'u'], together: [[[0, 1], []]] } },
        { 0: { sources: ['t', 'v'], together: [[[0, 1], []]] } },
        { 0: { sources: ['u'], repartition: [{ name: 'a', partitions: 3 }], sinks: ['a'], together: [[[0], [0]]] } },
        {
          0: { sources: ['u'], sinks: ['b', 'c'] },
          1: { repartition: [{ name: 'b', partitions: 3 }, { name: 'c' }], together: [[[], [0, 1]]] },
        },
        {
          0: { sources: ['u'], sinks: ['d', 'e'] },
          1: {
            repartition: [
              { name: 'd', partitions: 3 },
              { name: 'e', partitions: 5 },
            ],
            together: [[[], [0, 1]]],
          },
        },
        { 0: { repartition: [{ name: 'f' }], sinks: ['f'] } },
        { 0: { sources: ['u'], repartition: [{ name: 'g' }] } },
        { 0: { sources: ['u'], changelogs: [{ name: 'too-large', replicationFactor: 3 }] } },
        { 0: { sources: ['u'], changelogs: [{ name: 'odd', configs: { 'no.such.key': '1' } }] } },
      ];
      for (const [index, topology] of topologies.entries()) {
        const told = await story.streams(`one${index}`, { topology, group: `${story.group}-${index}` });
        // A controller may be quicker than the answer; what it refused is told below.
        for (const status of (told as unknown as StreamsTold).status ?? [])
          status.statusDetail = status.statusDetail.replace(/; Creation failed.*/, '');
      }
      const [joined, odd] = [`${story.group}-3`, `${story.group}-8`];
      await story.waitForTopicsOf(joined, 'b', 'c');
      await story.streams('one3', { epoch: 2, group: joined });
      // A controller of 4.4 has other words than one of 3.9 for too few brokers.
      const isRefused = ({ status }: StreamsTold): boolean => /Creation failed/.test(status?.[0]?.statusDetail ?? '');
      await story.streamsUntil('one8', { epoch: 2, group: odd }, isRefused);
      await story.createTopic('h', 3);
      await story.streams('one', { topology: { 0: { sources: ['u'], changelogs: [{ name: 'h' }] } } });
      await story.describeStreams();
    },
  },
  {
    name: 'static members leave for a while, come back, are fenced, and leave for good',
    async tell(story) {
      const topology = { 0: { sources: ['t'] } };
      await story.streams('one', { instanceId: 'i', topology });
      await story.streams('two', { instanceId: 'j', topology });
      await story.streams('one', { epoch: 2, instanceId: 'i' });
      await story.streams('one', { epoch: 2, instanceId: 'i', active: { 0: [0, 1] } });
      await story.streams('one', { epoch: 2, instanceId: 'i', active: { 0: [2, 3] } });
      await story.streams('two', { epoch: 3, instanceId: 'j' });
      await story.streams('three', { instanceId: 'i', topology });
      await story.streams('one', { epoch: -2, instanceId: 'j' });
      await story.streams('one', { epoch: -2, instanceId: 'k' });
      await story.streams('one', { epoch: -2, instanceId: 'i' });
      await story.describeStreams();
      await story.streams('two', { epoch: 3, instanceId: 'j' });
      await story.streams('three', { instanceId: 'i', topology, process: 'process of one' });
      await story.describeStreams();
      await story.streams('one', { epoch: 3, instanceId: 'i' });
      await story.streams('three', { epoch: 3, instanceId: 'i' });
      await story.commit('three', 3, 0);
      await story.streams('three', { epoch: -2, instanceId: 'i' });
      await story.streams('four', { instanceId: 'i', topology });
      await story.describeStreams();
      await story.streams('two', { epoch: -1, instanceId: 'j' });
      await story.streams('four', { epoch: 4, instanceId: 'i', active: { 0: [0, 1] } });
      await story.streams('four', { epoch: -1, instanceId: 'i' });
      await story.describeStreams();
    },
  },
  {
    name: 'copies of state stand by, take over and give way',
    async tell(story) {
      await story.configure({ 'streams.num.standby.replicas': '1' });
      await story.streams('one');
      await story.waitForTopics('counts');
      await story.streams('one', { epoch: 2 });
      await story.streams('two', { process: 'process of one' });
      await story.streams('three', { process: 'elsewhere' });
      await story.describeStreams();
      await story.streams('one', { epoch: 3, active: { 0: [0, 1] } });
      await story.streams('two', { epoch: 4, active: {} });
      await story.streams('three', { epoch: 5, active: {} });
      await story.describeStreams();
      await story.streams('one', { epoch: 5, active: { 0: [0, 1] }, standby: { 0: [3] } });
      await story.streams('two', { epoch: 5, active: { 0: [2] }, standby: {} });
      await story.streams('three', { epoch: 5, active: { 0: [3] }, standby: { 0: [0, 1, 2] } });
      await story.describeStreams();
      await story.streams('three', {
        epoch: 5,
        offsets: [
          ['0', 0, 10],
          ['0', 1, 20],
        ],
        ends: [['0', 0, 12]],
      });
      await story.streams('one', { epoch: -1 });
      await story.streams('two', { epoch: 5, active: { 0: [2] } });
      await story.streams('three', { epoch: 5, active: { 0: [3] }, standby: { 0: [0, 1, 2] } });
      await story.describeStreams();
      await story.streams('three', { epoch: 6, active: { 0: [0, 3] }, standby: { 0: [1, 2] } });
      await story.streams('two', { epoch: 6, active: { 0: [2] }, standby: { 0: [0, 3] } });
      await story.describeStreams();
      await story.configure({ 'streams.num.standby.replicas': '0' });
      await story.streams('three', { epoch: 6, active: { 0: [0, 3] }, standby: {} });
      await story.streams('two', { epoch: 6, active: { 0: [1, 2] }, standby: {} });
      await story.describeStreams();
      await story.configure({ 'streams.rack.aware.assignment.tags': 'zone,cluster' });
      await story.streams('three', { epoch: 7, tags: { zone: 'a' } });
      await story.streams('three', { epoch: 7, tags: { zone: 'a' }, version: 0 });
      await story.streams('two', { epoch: 8, tags: { zone: 'a', cluster: 'b' } });
    },
  },
  {
    name: 'many members of many processes, and tasks of many subtopologies',
    async tell(story) {
      await story.configure({ 'streams.num.standby.replicas': '2' });
      const topology = {
        0: { sources: ['t'], changelogs: [{ name: 'a' }] },
        1: { sources: ['u'] },
        2: { sources: ['v'], changelogs: [{ name: 'b' }] },
        10: { sources: ['t', 'u'], changelogs: [{ name: 'c' }] },
      };
      const names = ['one', 'two', 'three', 'four'];
      await story.streams('one', { topology, process: 'p0' });
      await story.waitForTopics('a', 'b', 'c');
      for (const [index, name] of names.slice(1).entries()) {
        await story.streams(name, { topology, process: `p${index % 3}` });
        await story.describeStreams();
      }
      for (let round = 0; round < 4; round += 1) {
        for (const name of names) {
          const { groups } = (await story.describeStreams()) as never as {
            groups: { members: { memberId: string; memberEpoch: number; assignment: Record<string, never[]> }[] }[];
          };
          const { memberEpoch: epoch, assignment } = groups[0]!.members.find(({ memberId }) => memberId === name)!;
          const held = (kind: string): Record<string, number[]> =>
            Object.fromEntries(
              (assignment[kind] as { subtopologyId: string; partitions: number[] }[]).map((one) => [
                one.subtopologyId,
                one.partitions,
              ]),
            );
          await story.streams(name, {
            epoch,
            active: held('activeTasks'),
            standby: held('standbyTasks'),
            warmup: held('warmupTasks'),
          });
        }
        if (round === 1) await story.streams('two', { epoch: -1 });
        if (round === 1) names.splice(1, 1);
      }
      await story.describeStreams();
    },
  },
  {
    name: 'endpoints of interactive queries, the end of an application',
    async tell(story) {
      const topology = { 0: { sources: ['t', 'u'] } };
      const endpoint = { host: 'h', port: 40_000 };
      await story.streams('one', { topology, endpoint });
      await story.streams('one', { epoch: 2 });
      await story.streams('one', { epoch: 2, endpoint: { host: 'h', port: 1 } });
      await story.streams('one', { epoch: 3, endpointEpoch: 1 });
      await story.streams('two', { topology });
      await story.streams('one', { epoch: 3, endpointEpoch: 1 });
      await story.streams('one', { epoch: 3, endpointEpoch: 1, active: { 0: [0, 1] } });
      await story.streams('two', { epoch: 4, endpoint: { host: 'other', port: 2 } });
      await story.streams('one', { epoch: 4, endpointEpoch: 2, shutdown: true });
      await story.describeStreams();
      await story.streams('two', { epoch: 5, shutdown: true });
      await story.streams('one', { epoch: -1 });
      await story.streams('two', { epoch: 5 });
      await story.streams('two', { epoch: -1, shutdown: true });
      await story.streams('three', { topology, shutdown: true, endpoint });
      await story.streams('three', { epoch: 9 });
    },
  },
  {
    name: 'a new group waits for more members',
    async tell(story) {
      const topology = { 0: { sources: ['t'] } };
      await story.configure({ 'streams.initial.rebalance.delay.ms': '10000' });
      await story.streams('one', { topology });
      await story.streams('two', { topology });
      await story.describeStreams();
      await story.streams('one', { epoch: 1 });
      await story.waitForStreams('an assignment', ({ assignmentEpoch }) => assignmentEpoch > 1);
      await story.describeStreams();
      await story.streams('one', { epoch: 1 });
      await story.streams('two', { epoch: 1 });
      await story.describeStreams();
      await story.configure({ 'streams.assignment.interval.ms': '60000' });
      await story.streams('three', { topology });
      await story.streams('one', { epoch: 3 });
      await story.describeStreams();
    },
  },
  {
    name: 'members that are not heard of, and that do not give up what they must',
    async tell(story) {
      const topology = { 0: { sources: ['t'] } };
      await story.streams('one', { topology, rebalanceTimeoutMs: 10_000 });
      await story.streams('two', { topology });
      await story.streams('one', { epoch: 2 });
      await story.describeStreams();
      await story.waitForStreams('one is removed', ({ members }) => members.length === 1);
      await story.describeStreams();
      await story.streams('two', { epoch: 3 });
      await story.streams('one', { epoch: 2 });
      // A member's next heartbeat is the first that goes by it.
      await story.configure({ 'streams.session.timeout.ms': '1000', 'streams.heartbeat.interval.ms': '500' });
      await story.streamsUntil('two', { epoch: 4 }, () => true);
      await story.waitForStreams('two is removed', ({ members }) => members.length === 0);
      await story.describeStreams();
      await story.streams('two', { epoch: 4 });
    },
  },
  {
    name: 'groups of other kinds',
    async tell(story) {
      const topology = { 0: { sources: ['t'] } };
      await story.commit('', -1, 1, 9);
      await story.streams('one', { topology });
      await story.describeStreams();
      await story.join();
      await story.join({ memberId: 'one' });
      await story.beat('two');
      await story.tell('share', 76, 1, {
        groupId: story.group,
        memberId: 'a',
        memberEpoch: 0,
        subscribedTopicNames: ['t'],
      });
      await story.tell('share described', 77, 1, { groupIds: [story.group] });
      await story.leave({ memberId: 'one' });
      await story.describe();
      await story.describeClassic();
      await story.tell('commit within', 28, 3, {
        transactionalId: 'none',
        groupId: story.group,
        producerId: -1,
        producerEpoch: -1,
        generationId: 9,
        memberId: 'one',
        topics: [
          {
            name: 't',
            partitions: [{ partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }],
          },
        ],
      });
      await story.tell('described', 93, 0, {
        groupId: story.group,
        memberId: 'one',
        topologyEpoch: 0,
        topologyDescription: { subtopologies: [], globalStores: [] },
      });
      await story.streams('one', { epoch: -1 });
      await story.enter();
      await story.streams('two', { topology });
      await story.describeStreams();
    },
  },
];
