/** kafka-acls.sh: with `--authorizer-properties` on ZooKeeper, as in 2.1, otherwise by request as in 3.9. */
import { ConfigError } from '../../config/config-error.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { KeeperError } from '../../zookeeper/jute/errors.ts';
import { ClientUsageError } from '../client/client-errors.ts';
import { KafkaError } from '../protocol/errors.ts';
import { AclCommands, type AclKeeper } from './acl-commands.ts';
import { newAcls, oldAcls } from './acl-generations.ts';
import { withAclsInZookeeper } from './acls-in-zookeeper.ts';
import { exceptionOf } from './command-error.ts';
import { isGiven, TOOLS_VERSION } from './generation.ts';
import { checkAclOptions, DESCRIPTION, OLD_DESCRIPTION, specs, usage } from './kafka-acls-options.ts';
import { type ParsedOptions, parseOptions } from './option-parser.ts';
import { runTool, type Tool } from './tool.ts';
import { withAdmin } from './with-admin.ts';

export const kafkaAcls: Tool = async (args, io, runtime) => {
  const isOldTool = isGiven('authorizer-properties', args);
  const options = parseOptions(specs, args);
  if (args.length === 0 || options.has('help')) throw usage(isOldTool ? OLD_DESCRIPTION : DESCRIPTION);
  if (options.has('version')) {
    io.out(`${TOOLS_VERSION}\n`);
    return 0;
  }
  checkAclOptions(options, isOldTool);
  const generation = isOldTool ? oldAcls : newAcls;
  const withKeeper = isOldTool ? withAclsInZookeeper : withBrokers;
  try {
    if (options.has('command-config') && options.value('command-config') === undefined) {
      io.out('Did not load any properties since the property file is not specified\n');
    }
    await withKeeper(options, runtime, (keeper) => new AclCommands({ keeper, options, generation, io }).run());
    return 0;
  } catch (error) {
    const complaint = complaintOf(error);
    if (complaint === undefined) throw error;
    io.out(`Error while executing ACL command: ${complaint.message}\n${complaint.exception}: ${complaint.message}\n\n`);
    return 1;
  }
};

function withBrokers(
  options: ParsedOptions,
  runtime: Runtime,
  work: (keeper: AclKeeper) => Promise<void>,
): Promise<void> {
  return withAdmin(options, runtime, (admin) => work(admin.acls));
}

/** What Apache's tool would have caught, and what of. */
function complaintOf(error: unknown): { readonly exception: string; readonly message: string } | undefined {
  const exception = exceptionOf(error);
  const { message } = error as Error;
  if (error instanceof KafkaError) {
    return { exception: 'java.util.concurrent.ExecutionException', message: `${exception}: ${message}` };
  }
  if (exception !== undefined) return { exception, message };
  if (error instanceof KeeperError) {
    return { exception: `org.apache.zookeeper.KeeperException$${error.name}Exception`, message };
  }
  if (error instanceof ConfigError || error instanceof ClientUsageError) {
    return { exception: 'org.apache.kafka.common.config.ConfigException', message };
  }
  return undefined;
}

if (import.meta.main) await runTool(kafkaAcls);
