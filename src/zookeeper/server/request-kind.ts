import { OpCode } from '../jute/op-codes.ts';
import type { PendingRequest } from './pending-request.ts';

/**
 * How a request goes through the server: a read is answered from the tree in its session's order, a write takes the pipeline,
 * auth and sasl belong to the connection. What only multi may hold (check) or only the server may send is unknown.
 */
export type RequestKind = 'read' | 'write' | 'auth' | 'sasl' | 'unknown';

const kinds: readonly RequestKind[] = buildKinds();

function buildKinds(): RequestKind[] {
  const built: RequestKind[] = new Array(128).fill('unknown');
  const reads = [
    OpCode.getData,
    OpCode.exists,
    OpCode.getChildren,
    OpCode.getChildren2,
    OpCode.ping,
    OpCode.getACL,
    OpCode.setWatches,
    OpCode.setWatches2,
    OpCode.addWatch,
    OpCode.checkWatches,
    OpCode.removeWatches,
    OpCode.multiRead,
    OpCode.getEphemerals,
    OpCode.getAllChildrenNumber,
    OpCode.whoAmI,
  ];
  const writes = [
    OpCode.create,
    OpCode.create2,
    OpCode.createContainer,
    OpCode.createTTL,
    OpCode.delete,
    OpCode.setData,
    OpCode.setACL,
    OpCode.multi,
    OpCode.reconfig,
    OpCode.sync,
  ];
  for (const type of reads) built[type] = 'read';
  for (const type of writes) built[type] = 'write';
  built[OpCode.auth] = 'auth';
  built[OpCode.sasl] = 'sasl';
  return built;
}

/** Whether it goes no further than this server, and waits only for the writes of its session before it. */
export function isAnsweredHere({ type, session }: PendingRequest): boolean {
  return kindOf(type) === 'read' || (type === OpCode.closeSession && session.scope === 'local');
}

export function kindOf(type: number): RequestKind {
  if (type >= 0 && type < kinds.length) return kinds[type] as RequestKind;
  return type === OpCode.closeSession ? 'write' : 'unknown';
}
