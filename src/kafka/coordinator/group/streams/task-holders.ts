import type { StreamsMember } from './streams-member.ts';

/** Which processes have which tasks, those that their members are still to give up among them. */
export class TaskHolders {
  readonly #active = new Map<string, string>();
  readonly #standby = new Map<string, Set<string>>();
  readonly #warmup = new Map<string, Set<string>>();

  constructor(members: Iterable<StreamsMember>) {
    for (const { processId, assigned, revoking } of members) {
      for (const { active, standby, warmup } of [assigned, revoking]) {
        for (const [id, partitions] of active)
          for (const one of partitions.keys()) this.#active.set(key(id, one), processId);
        for (const [id, partitions] of standby)
          for (const one of partitions) add(this.#standby, key(id, one), processId);
        for (const [id, partitions] of warmup) for (const one of partitions) add(this.#warmup, key(id, one), processId);
      }
    }
  }

  active(subtopologyId: string, partition: number): string | undefined {
    return this.#active.get(key(subtopologyId, partition));
  }

  standby(subtopologyId: string, partition: number): ReadonlySet<string> {
    return this.#standby.get(key(subtopologyId, partition)) ?? nobody;
  }

  warmup(subtopologyId: string, partition: number): ReadonlySet<string> {
    return this.#warmup.get(key(subtopologyId, partition)) ?? nobody;
  }
}

const nobody: ReadonlySet<string> = new Set();

function key(subtopologyId: string, partition: number): string {
  return `${partition} ${subtopologyId}`;
}

function add(holders: Map<string, Set<string>>, task: string, processId: string): void {
  const known = holders.get(task);
  if (known === undefined) holders.set(task, new Set([processId]));
  else known.add(processId);
}
