/** What every ensemble must do, whoever its members are. */
import {
  bigAbsence,
  emptiedDisk,
  everyoneKilled,
  killedServers,
  leaderHangs,
  unagreedBranch,
  unagreedTail,
} from './crashes.ts';
import type { Mixture } from './mixtures.ts';
import { observers } from './observers.ts';
import { movingSessions, servingThroughEach, sessionsOfTheDead } from './serving.ts';

export interface TestContext {
  after(done: () => unknown): void;
}

export type Scenario = (t: TestContext, mixture: Mixture) => Promise<void>;

export const scenarios: readonly (readonly [name: string, run: Scenario])[] = [
  ['what one member is told, all tell', servingThroughEach],
  ['a session goes on at another member, with its watches and ephemeral nodes', movingSessions],
  ['a session whose client is gone ends everywhere', sessionsOfTheDead],
  ['leaders and followers are killed, and come back', killedServers],
  ['all are killed, and come back', everyoneKilled],
  ['who led forgets what nobody else has, when it comes back at once', unagreedTail],
  ['who led forgets what nobody else has, when it comes back after others wrote', unagreedBranch],
  ['a follower whose disk was emptied gets everything again', emptiedDisk],
  ['a follower catches up with more than the leader remembers', bigAbsence],
  ['a leader that hangs follows when it wakes', leaderHangs],
  ['an observer serves, and does not count', observers],
];
