/** Ephemeral nodes live as long as their sessions, and are gone once: their names are never used again. */
import { printHex } from '../../src/zookeeper/jute/ids.ts';
import { describe, isWrite, type Operation } from './operation.ts';
import { must } from './violation.ts';

/** A look at a node: an answer, or a server's own tree. */
interface Look {
  readonly path: string;
  readonly zxid: bigint;
  readonly by: string;
}

/** @throws Violation */
export function checkEphemeralFates(operations: readonly Operation[], zxids: ReadonlyMap<Operation, bigint>): void {
  const aliveUntil = lastWrites(operations, zxids);
  const creations = new Map<string, { readonly operation: Operation; readonly czxid: bigint | undefined }>();
  const deletions = new Set<string>();
  const there: Look[] = [];
  const gone: Look[] = [];
  for (const operation of operations.filter(({ isEphemeral }) => isEphemeral)) {
    const { kind, path, outcome, zxid } = operation;
    if (kind === 'create') creations.set(path, { operation, czxid: zxids.get(operation) });
    if (kind === 'delete') deletions.add(path);
    if (outcome === undefined || zxid === undefined) continue;
    const look = { path, zxid, by: describe(operation) };
    if (outcome.kind === 'absent') gone.push(look);
    else there.push(look);
  }
  const goneAt = new Map<string, Look>();
  for (const look of gone) {
    const created = creations.get(look.path);
    if (created?.czxid === undefined || look.zxid < created.czxid) continue;
    const first = goneAt.get(look.path);
    if (first === undefined || look.zxid < first.zxid) goneAt.set(look.path, look);
    if (deletions.has(look.path)) continue;
    const last = aliveUntil.get(created.operation.session);
    must(
      last === undefined || last.zxid < look.zxid,
      () =>
        `${look.by} found nothing at ${printHex(look.zxid)}, and its session lived: ${last!.by} at ${printHex(last!.zxid)}`,
    );
  }
  for (const look of there) {
    const first = goneAt.get(look.path);
    must(
      first === undefined || look.zxid < first.zxid,
      () => `${look.by} found it at ${printHex(look.zxid)}, and it was gone at ${printHex(first!.zxid)}: ${first!.by}`,
    );
  }
}

/** Of each session the newest write that was answered: it lived then. */
function lastWrites(operations: readonly Operation[], zxids: ReadonlyMap<Operation, bigint>): Map<string, Look> {
  const last = new Map<string, Look>();
  for (const operation of operations) {
    const zxid = zxids.get(operation);
    if (!isWrite(operation) || zxid === undefined) continue;
    const known = last.get(operation.session);
    if (known === undefined || zxid > known.zxid) {
      last.set(operation.session, { path: operation.path, zxid, by: describe(operation) });
    }
  }
  return last;
}
