import { array, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/**
 * FindCoordinator: which broker coordinates a group or a transactional id.
 *
 * v1  key type, throttle time, error message
 * v2  the broker throttles after it has answered (KIP-219)
 * v3  flexible
 * v4  many keys in one request (KIP-699)
 * v5  TRANSACTION_ABORTABLE may be answered (KIP-890)
 * v6  key type 2: share group state (KIP-932)
 */

export const FindCoordinatorRequest = message({
  name: 'FindCoordinatorRequest',
  apiKey: 10,
  versions: '0-6',
  flexible: '3+',
  fields: {
    key: { type: string, versions: '0-3' },
    /** 0 group, 1 transactional id, 2 share group state. */
    keyType: { type: int8, versions: '1+' },
    coordinatorKeys: { type: array(string), versions: '4+' },
  },
});
export type FindCoordinatorRequest = Infer<typeof FindCoordinatorRequest>;

const Coordinator = struct({
  key: { type: string, versions: '4+' },
  nodeId: { type: int32, versions: '4+' },
  host: { type: string, versions: '4+' },
  port: { type: int32, versions: '4+' },
  errorCode: { type: int16, versions: '4+' },
  errorMessage: { type: string, versions: '4+', nullable: '4+', ignorable: true },
});

export const FindCoordinatorResponse = message({
  name: 'FindCoordinatorResponse',
  apiKey: 10,
  versions: '0-6',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    errorCode: { type: int16, versions: '0-3' },
    errorMessage: { type: string, versions: '1-3', nullable: '1-3', ignorable: true },
    nodeId: { type: int32, versions: '0-3' },
    host: { type: string, versions: '0-3' },
    port: { type: int32, versions: '0-3' },
    coordinators: { type: array(Coordinator), versions: '4+' },
  },
});
export type FindCoordinatorResponse = Infer<typeof FindCoordinatorResponse>;
