import { propertyNames } from '../../../config/zoo-cfg-options.ts';
import { isMembershipKey } from '../../../config/zoo-cfg-quorum.ts';
import { environmentOf } from '../environment.ts';
import type { ProcessView } from '../server-view.ts';
import { monitorValues } from '../words/monitor-values.ts';
import type { Data, ProcessCommand } from './admin-command.ts';
import { zabState } from './ensemble-commands.ts';

/** Commands that answer also while nobody is served. */
export const processCommands: readonly ProcessCommand[] = [
  { names: ['environment', 'env', 'envi'], tell: (host) => ({ data: Object.fromEntries(environmentOf(host)) }) },
  { names: ['get_trace_mask', 'gtmk'], tell: ({ trace }) => ({ data: { tracemask: trace.mask } }) },
  {
    names: ['set_trace_mask', 'stmk'],
    tell: (host, { parameters }) => ({ data: setTraceMask(host, parameters.get('traceMask')) }),
  },
  {
    names: ['monitor', 'mntr'],
    tell: ({ server }) => {
      // Apache's command fails there with this status.
      if (server === undefined)
        return { status: 500, data: { error: 'nobody is served: there is no server to monitor' } };
      return { data: Object.fromEntries(monitorValues(server)) };
    },
  },
  { names: ['system_properties', 'sysp'], tell: (host) => ({ data: systemProperties(host) }) },
  { names: ['zabstate'], tell: ({ server }) => ({ data: zabState(server) }) },
];

function setTraceMask(host: ProcessView, given: string | null): Data {
  if (given === null) return { error: 'setTraceMask requires long traceMask argument' };
  if (!/^[+-]?\d{1,19}$/.test(given) || BigInt.asIntN(64, BigInt(given)) !== BigInt(given)) {
    return { error: `setTraceMask requires long traceMask argument, got ${given}` };
  }
  host.trace.mask = BigInt(given);
  return { tracemask: host.trace.mask };
}

/** Flags, what Apache makes a property of, and the machine: sorted. Passwords stay here. */
function systemProperties({ config, process }: ProcessView): Data {
  const { keys, systemProperties: flags } = config.source;
  const all: Record<string, string> = {
    ...flags,
    'java.io.tmpdir': process.temporaryDirectory,
    'os.arch': process.osArch,
    'os.name': process.osName,
    'os.version': process.osVersion,
    'user.dir': process.workingDirectory,
    'user.home': process.userHome,
    'user.name': process.userName,
  };
  for (const [key, value] of keys) if (propertyNames.has(key) || isMembershipKey(key)) all[`zookeeper.${key}`] = value;
  const shown = Object.entries(all).filter(([key]) => !/password|passwd|superdigest/i.test(key));
  return Object.fromEntries(shown.sort(([a], [b]) => (a < b ? -1 : 1)));
}
