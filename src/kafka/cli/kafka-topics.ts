/** kafka-topics.sh: with `--zookeeper` as in 2.1, otherwise as in 3.9. */
import { inJavaWords, isGiven, TOOLS_VERSION } from './generation.ts';
import {
  brokerOptions,
  checkBrokerOptions,
  checkZookeeperOptions,
  usage,
  zookeeperOptions,
} from './kafka-topics-options.ts';
import { parseOptions } from './option-parser.ts';
import { runTool, type Tool } from './tool.ts';
import { reportingErrors } from './topic-command.ts';
import { topicsByAdmin } from './topics-by-admin.ts';
import { topicsByZookeeper } from './topics-by-zookeeper.ts';

export const kafkaTopics: Tool = async (args, io, runtime) => {
  if (isGiven('zookeeper', args)) {
    const options = parseOptions(zookeeperOptions, args);
    checkZookeeperOptions(options);
    return reportingErrors(io, runtime, 'kafka.admin.TopicCommand$', () => topicsByZookeeper(options, io, runtime));
  }
  const options = inJavaWords(() => parseOptions(brokerOptions, args));
  if (args.length === 0 || options.has('help')) throw usage(brokerOptions);
  if (options.has('version')) {
    io.out(`${TOOLS_VERSION}\n`);
    return 0;
  }
  checkBrokerOptions(options);
  return reportingErrors(io, runtime, 'org.apache.kafka.tools.TopicCommand', () => topicsByAdmin(options, io, runtime));
};

if (import.meta.main) await runTool(kafkaTopics);
