import type { OptionSpec, ParsedOptions } from './option-parser.ts';
import { refuseWith, requireOption, usageExit } from './tool.ts';

export const specs: readonly OptionSpec[] = [
  { name: 'bootstrap-server', argument: '', description: 'REQUIRED: the brokers to ask first.' },
  {
    name: 'command-config',
    argument: '',
    description: 'REQUIRED: a file of client settings. Brokers tell of tokens only to those who say who they are.',
  },
  { name: 'create', description: 'Makes a token.' },
  { name: 'renew', description: 'Lets a token last longer.' },
  { name: 'expire', description: 'Ends a token, now or soon.' },
  { name: 'describe', description: 'Shows the tokens of the owners that are named.' },
  { name: 'owner-principal', argument: '', isArgumentOptional: true, description: 'Whose token: User:name.' },
  {
    name: 'renewer-principal',
    argument: '',
    isArgumentOptional: true,
    description: 'Who else may renew and end it: User:name; may be repeated.',
  },
  {
    name: 'max-life-time-period',
    argument: '',
    type: 'Long',
    isArgumentOptional: true,
    description: 'Beyond this no renewal goes, in ms; -1: delegation.token.max.lifetime.ms of the broker.',
  },
  {
    name: 'renew-time-period',
    argument: '',
    type: 'Long',
    isArgumentOptional: true,
    description: 'How long it lasts from now on, in ms; -1: delegation.token.expiry.time.ms of the broker.',
  },
  {
    name: 'expiry-time-period',
    argument: '',
    type: 'Long',
    isArgumentOptional: true,
    description: 'When it ends, in ms from now on; -1: at once.',
  },
  { name: 'hmac', argument: '', isArgumentOptional: true, description: 'The secret of the token, in base 64.' },
  { name: 'help', description: 'Prints this table.' },
  { name: 'version', description: 'Prints the version of Kafka.' },
];

export const DESCRIPTION = 'This tool helps to create, renew, expire, or describe delegation tokens.';

const required = [
  ['create', ['max-life-time-period']],
  ['renew', ['hmac', 'renew-time-period']],
  ['expire', ['hmac', 'expiry-time-period']],
] as const;

/** What goes with which action not. */
const refusals = [
  ['create', ['hmac', 'renew-time-period', 'expiry-time-period']],
  ['renew', ['renewer-principal', 'max-life-time-period', 'expiry-time-period', 'owner-principal']],
  ['expire', ['max-life-time-period', 'renew-time-period', 'owner-principal']],
  ['describe', ['renew-time-period', 'max-life-time-period', 'hmac', 'expiry-time-period']],
] as const;

/** @throws ToolExit */
export function checkTokenOptions(options: ParsedOptions): void {
  const actions = ['create', 'renew', 'expire', 'describe'].filter((action) => options.has(action));
  if (actions.length !== 1) {
    throw usageExit('Command must include exactly one action: --create, --renew, --expire or --describe', specs);
  }
  requireOption(options, specs, 'bootstrap-server', 'command-config');
  for (const [action, names] of required) if (options.has(action)) requireOption(options, specs, ...names);
  for (const [action, invalid] of refusals) refuseWith(options, specs, action, invalid);
}
