import { ErrorCode } from '../protocol/errors.ts';

/** Operations as bits of their ACL codes (`AclOperation`): what a client may do where no authorizer says otherwise (KIP-430). */
const bits = (...codes: readonly number[]): number => codes.reduce((sum, code) => sum | (1 << code), 0);

const READ = 3;
const WRITE = 4;
const CREATE = 5;
const DELETE = 6;
const ALTER = 7;
const DESCRIBE = 8;
const CLUSTER_ACTION = 9;
const DESCRIBE_CONFIGS = 10;
const ALTER_CONFIGS = 11;
const IDEMPOTENT_WRITE = 12;

export const CLUSTER_OPERATIONS = bits(
  CREATE,
  ALTER,
  DESCRIBE,
  CLUSTER_ACTION,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
  IDEMPOTENT_WRITE,
);
export const TOPIC_OPERATIONS = bits(READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS);
export const GROUP_OPERATIONS = bits(READ, DELETE, DESCRIBE);
/** Since groups have configuration of their own (4.0). */
const CONFIGURABLE_GROUP_OPERATIONS = bits(READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS);

/** What is answered where nobody asked for them, or they cannot be told. */
export const UNKNOWN_OPERATIONS = -2_147_483_648;

/** What may be done with a group of 4.x, where it was asked for and there is such a group. */
export function configurableGroupOperations(isAsked: boolean, errorCode: number): number {
  return isAsked && errorCode === ErrorCode.NONE ? CONFIGURABLE_GROUP_OPERATIONS : UNKNOWN_OPERATIONS;
}
