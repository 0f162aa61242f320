/** One story of a full disk, where it may mount one: `node story-process.ts <story> <dir>`. */
import { PeerError } from '../peers/process.ts';
import { kafkaStory } from './kafka-story.ts';
import { zookeeperStory } from './zookeeper-story.ts';

const stories: Readonly<Record<string, (dir: string) => Promise<void>>> = {
  kafka: kafkaStory,
  zookeeper: zookeeperStory,
};

const [name = '', dir = ''] = process.argv.slice(2);
const story = stories[name];
if (story === undefined) throw new PeerError(`no story ${name}`);
await story(dir);
process.exit(0);
