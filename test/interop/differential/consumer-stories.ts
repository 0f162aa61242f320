/** Lives of groups of the consumer protocol. Topic t has four partitions, u two. */
import { within } from '../security/sasl-stories.ts';
import type { Beaten, ConsumerStory } from './consumer-story.ts';

export interface Story {
  readonly name: string;
  readonly tell: (story: ConsumerStory) => Promise<void>;
}

/** A group's expressions are resolved once in so long at most. */
const REGEX_PAUSE_MS = 10_000;

const hasNews = (answer: Beaten): boolean => answer.assignment !== null;

export const consumerStories: readonly Story[] = [
  {
    name: 'two members join, share, revoke, commit, leave; the group is deleted',
    async tell(story) {
      await story.beat('one', { rackId: 'r' });
      await story.describe();
      await story.list();
      await story.beat('one', { epoch: 2 });
      await story.beat('two');
      await story.describe();
      await story.list(['reconciling', 'assigning'], ['consumer']);
      await story.beat('two', { epoch: 3 });
      await story.beat('one', { epoch: 2 });
      await story.describe();
      await story.commit('one', 2, 0);
      await story.commit('one', 2, 3);
      await story.commit('one', 1, 0);
      await story.commit('one', 9, 0);
      await story.beat('one', { epoch: 2, owned: { t: [0, 1, 2, 3] } });
      await story.beat('two', { epoch: 3 });
      await story.beat('one', { epoch: 2, owned: { t: [0, 1] } });
      await story.beat('one', { epoch: 2, owned: { t: [2, 3] } });
      await story.beat('two', { epoch: 3 });
      await story.beat('two', { epoch: 3, owned: { t: [2, 3] } });
      await story.describe(0);
      await story.commit('one', 3, 0);
      await story.commit('one', 2, 0);
      await story.commit('one', 2, 3);
      await story.commit('two', 3, 2, 9);
      await story.commit('nobody', 3, 2, 9);
      await story.commit('', -1, 2, 9);
      await story.commit('one', 3, 0, 8);
      await story.fetch('one', 3);
      await story.fetch('one', 2);
      await story.fetch('nobody', 2);
      await story.fetch();
      await story.deleteOffsets('t', 'u');
      await story.deleteGroup();
      await story.describeClassic();
      await story.describeClassic(5);
      await story.beat('one', { epoch: -1 });
      await story.beat('one', { epoch: 3 });
      await story.beat('two', { epoch: 3 });
      await story.beat('two', { epoch: 4, owned: { t: [2, 3] } });
      await story.beat('two', { epoch: -1 });
      await story.describe();
      await story.list(['empty']);
      await story.commit('', -1, 1, 9);
      await story.deleteOffsets('t');
      await story.fetch();
      await story.deleteGroup();
      await story.deleteGroup();
      await story.describe();
      await story.list();
    },
  },
  {
    name: 'requests that are refused',
    async tell(story) {
      await story.beat('one', { epoch: 5 });
      await story.beat('one', { epoch: -1 });
      await story.beat('');
      await story.beat('', { epoch: 3, version: 0 });
      await story.beat('one', { group: ' ' });
      await story.beat('one', { instanceId: '' });
      await story.beat('one', { rackId: ' ' });
      await story.beat('one', { rebalanceTimeoutMs: -1 });
      await story.beat('one', { owned: null });
      await story.beat('one', { owned: { t: [0] } });
      await story.beat('one', { topics: null });
      await story.beat('one', { epoch: -2 });
      await story.beat('one', { epoch: -3 });
      await story.beat('one', { assignor: 'none' });
      await story.beat('one', { regex: '(' });
      await story.beat('one', { regex: 'a**' });
      await story.beat('one', { regex: '[b-a]' });
      await story.beat('one', { regex: 'x\\' });
      await story.beat('one', { regex: '(?=a)' });
      await story.beat('one', { regex: '*a' });
      await story.beat('one', { regex: 'a)' });
      await story.beat('one', { regex: '[a' });
      await story.beat('one', { regex: 'a{1001}' });
      await story.beat('one', { regex: '\\8' });
      await story.beat('one');
      await story.beat('one', { epoch: 2, assignor: 'none' });
      await story.beat('one', { epoch: 3 });
      await story.beat('one', { epoch: 1 });
      await story.beat('one', { epoch: 1, owned: {} });
      await story.beat('one', { epoch: 0 });
      await story.beat('other', { epoch: 2 });
      await story.beat('one', { epoch: 2, instanceId: 'i' });
      await story.beat('two');
      await story.beat('three');
      await story.beat('four');
      await story.describe();
      await story.deleteOffsets();
    },
  },
  {
    name: 'members with other topics, unknown topics, and what follows from a change of mind',
    async tell(story) {
      await story.beat('one', { topics: ['t', 'u', 'later'], assignor: 'range' });
      await story.beat('two', { topics: ['u'], assignor: 'range' });
      await story.beat('one', { epoch: 2, topics: ['t'] });
      await story.describe();
      await story.beat('one', { epoch: 2, topics: ['t'], owned: { t: [0, 1, 2, 3] } });
      await story.beat('two', { epoch: 3 });
      await story.beat('two', { epoch: 4 });
      await story.beat('two', { epoch: 4, assignor: 'uniform' });
      await story.beat('one', { epoch: 4, assignor: 'uniform' });
      await story.beat('two', { epoch: 5, topics: [] });
      await story.beat('two', { epoch: 5, topics: [], owned: {} });
      await story.beat('two', { epoch: 6, topics: ['t'], owned: {}, rebalanceTimeoutMs: 9000 });
      await story.beat('two', { epoch: 6, topics: ['t'], owned: {}, rebalanceTimeoutMs: 9000 });
      await story.beat('one', { epoch: 5 });
      await story.describe();
    },
  },
  {
    name: 'static members leave for a while, come back, are fenced, and leave for good',
    async tell(story) {
      await story.beat('one', { instanceId: 'i' });
      await story.beat('two', { instanceId: 'j' });
      await story.beat('one', { epoch: 2, instanceId: 'i' });
      await story.beat('one', { epoch: 2, instanceId: 'i', owned: { t: [0, 1] } });
      await story.beat('one', { epoch: 2, instanceId: 'i', owned: { t: [2, 3] } });
      await story.beat('two', { epoch: 3, instanceId: 'j' });
      await story.beat('three', { instanceId: 'i' });
      await story.beat('one', { epoch: -2, instanceId: 'j' });
      await story.beat('one', { epoch: -2, instanceId: 'k' });
      await story.beat('one', { epoch: -2, instanceId: 'i' });
      await story.describe();
      await story.beat('one', { epoch: 3, instanceId: 'i' });
      await story.beat('three', { instanceId: 'i' });
      await story.describe();
      await story.beat('one', { epoch: 3, instanceId: 'i' });
      await story.beat('three', { epoch: 3, instanceId: 'i' });
      await story.beat('three', { epoch: -2, instanceId: 'i' });
      await story.beat('four', { instanceId: 'i', topics: ['u'] });
      await story.describe();
      await story.beat('four', { epoch: -1, instanceId: 'i' });
      await story.leave({ instanceId: 'j' }, { memberId: 'two', instanceId: 'x' }, { memberId: 'nobody' });
      await story.describe();
    },
  },
  {
    name: 'members that do not give up what they must, or are not heard of any more',
    async tell(story) {
      await story.beat('one', { rebalanceTimeoutMs: 500 });
      await story.beat('two');
      await story.beat('one', { epoch: 2 });
      await story.waitForMembers(1);
      await story.beat('one', { epoch: 2 });
      await story.beatUntil('two', 3, hasNews);
      // A member's next heartbeat is the first that goes by it.
      await story.configure({ 'consumer.session.timeout.ms': '1000', 'consumer.heartbeat.interval.ms': '500' });
      await story.beatAgain('two', 4);
      await story.waitForMembers(0);
      await story.describe();
    },
  },
  {
    name: 'a member of version 0 that is given its id',
    async tell(story) {
      const { memberId } = await story.beat('', { version: 0 });
      await story.beat(memberId, { version: 0, epoch: 2, owned: { t: [0, 1, 2, 3] } });
      await story.beat('chosen', { version: 0 });
      await story.describe(0);
      await story.beat(memberId, { version: 0, epoch: -1 });
      await story.beat('chosen', { version: 0, epoch: 3 });
    },
  },
  {
    name: 'regular expressions',
    async tell(story) {
      await within(REGEX_PAUSE_MS, async () => {
        const { memberEpoch } = await story.beat('one', { topics: null, regex: '[tu]', assignor: 'range' });
        // What it matches is found apart from the request: the next epoch comes with it.
        await story.beatUntil('one', memberEpoch, hasNews);
        await story.describe();
        await story.beat('two', { topics: null, regex: '[tu]' });
        await story.beat('one', { epoch: 3, owned: { t: [0, 1, 2, 3], u: [0, 1] } });
        await story.beat('one', { epoch: 3, owned: { t: [0, 1], u: [0] } });
        await story.beat('two', { epoch: 4 });
        await story.describe();
        // So this one matches nothing yet.
        await story.beat('two', { epoch: 4, regex: 't.*' });
        await story.beat('two', { epoch: 4, owned: {} });
        await story.describe();
      });
      await story.beat('two', { epoch: 4, regex: '[tu]' });
      await story.beat('two', { epoch: 5 });
      await story.beat('two', { epoch: 5, regex: '' });
      await story.beat('two', { epoch: 5, owned: {} });
      await story.beat('two', { epoch: 6, topics: ['u'], regex: '[tu]', owned: {} });
      await story.beat('one', { epoch: 4 });
      await story.describe();
      await story.beat('two', { epoch: -1 });
      await story.beat('one', { epoch: 7 });
      // The last of an expression takes along when that was resolved, so the next heartbeat resolves the new one.
      await story.beat('one', { epoch: 8, regex: 't.*', owned: {} });
      await story.beatUntil('one', 8, hasNews);
      await story.describe();
      await story.beat('one', { epoch: -1 });
      await story.describe();
    },
  },
  {
    name: 'a classic group becomes one of the consumer protocol, and classic again',
    async tell(story) {
      const one = await story.enter();
      await story.sync(one);
      // range goes by instance and member ids, and those that are drawn begin with the name of the client
      await story.beat('new', { assignor: 'range' });
      await story.describe();
      await story.describeClassic();
      await story.heartbeat(one);
      await story.commit(one.memberId, one.generationId, 0, 9);
      const again = await story.join({ memberId: one.memberId });
      await story.sync(again);
      await story.heartbeat(again);
      await story.describe();
      await story.sync({ ...again, generationId: 99 });
      await story.sync({ ...again, protocolName: 'sticky' });
      await story.heartbeat({ ...again, memberId: 'new' });
      await story.heartbeat({ ...again, memberId: 'nobody' });
      await story.join({ protocolType: 'connect' });
      await story.join({ protocols: ['sticky'] });
      const two = await story.join({ instanceId: 'j' });
      await story.sync(two, {}, 'j');
      await story.beat('new', { epoch: 2 });
      await story.describe();
      await story.leave({ memberId: two.memberId, instanceId: 'j' });
      await story.beat('new', { epoch: -1 });
      await story.waitForClassic('PreparingRebalance');
      const last = await story.join({ memberId: one.memberId });
      await story.sync(last);
      await story.describeClassic(5);
      await story.describe();
      await story.leave({ memberId: one.memberId });
      await story.waitForClassic('Empty');
      await story.beat('new');
      await story.describe();
      await story.beat('new', { epoch: -1 });
      await story.enter();
      await story.describe();
    },
  },
  {
    name: 'a classic member takes the place of a static one, and the group goes back to it',
    async tell(story) {
      await story.beat('one', { instanceId: 'i' });
      await story.beat('one', { epoch: -2, instanceId: 'i' });
      const back = await story.join({ instanceId: 'i' });
      await story.sync(back, {}, 'i');
      await story.describeClassic(5);
      await story.heartbeat(back, 'i');
      await story.beat('two', { instanceId: 'i' });
      await story.describe();
    },
  },
];
