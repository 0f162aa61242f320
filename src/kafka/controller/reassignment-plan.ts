import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { PartitionAssignment } from '../zk/znodes.ts';

/** The assignments of KIP-455: `replicas` are those of before and those of after the move (`ReplicaAssignment`). */

export function isBeingReassigned({ addingReplicas, removingReplicas }: PartitionAssignment): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0;
}

/** Who has the partition when the move is complete, in the order that was asked for. */
export function targetOf({ replicas, removingReplicas }: PartitionAssignment): number[] {
  return replicas.filter((id) => !removingReplicas.includes(id));
}

/** Who has it if the move is cancelled. */
export function originOf({ replicas, addingReplicas }: PartitionAssignment): number[] {
  return replicas.filter((id) => !addingReplicas.includes(id));
}

/** From where the partition was before any move to a target. */
export function reassignTo(current: PartitionAssignment, target: readonly number[]): PartitionAssignment {
  const origin = originOf(current);
  const replicas = [...new Set([...target, ...origin])];
  return {
    replicas,
    addingReplicas: replicas.filter((id) => !origin.includes(id)),
    removingReplicas: replicas.filter((id) => !target.includes(id)),
  };
}

export function isSame(a: PartitionAssignment, b: PartitionAssignment): boolean {
  const text = ({ replicas, addingReplicas, removingReplicas }: PartitionAssignment): string =>
    [replicas, addingReplicas, removingReplicas].join(';');
  return text(a) === text(b);
}

/**
 * Whether a partition can be asked to move there; the texts are those of `KafkaController.validateReplicas`.
 * @throws KafkaError INVALID_REPLICA_ASSIGNMENT
 */
export function checkTarget(current: PartitionAssignment, target: readonly number[], live: ReadonlySet<number>): void {
  if (target.length === 0) throw invalid('Empty replica list specified in partition reassignment.');
  const list = `ArrayBuffer(${target.join(', ')})`;
  if (new Set(target).size !== target.length) {
    throw invalid(`Duplicate replica ids in partition reassignment replica list: ${list}`);
  }
  if (target.some((id) => id < 0)) throw invalid(`Invalid broker id in replica list: ${list}`);
  const { addingReplicas } = reassignTo(current, target);
  if (addingReplicas.every((id) => live.has(id))) return;
  throw invalid(
    'Replica assignment has brokers that are not alive. ' +
      `Replica list: ArrayBuffer(${addingReplicas.join(', ')}), live broker list: Set(${[...live].join(', ')})`,
  );
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}
