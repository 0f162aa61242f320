/** Kinds of resources that carry configuration (`ConfigResource.Type`). */
export const ResourceType = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const;

/** What IncrementalAlterConfigs does with a key (`AlterConfigOp.OpType`). */
export const AlterOperation = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

export interface ConfigChange {
  readonly name: string;
  readonly operation: number;
  readonly value: string | null;
}

export interface ConfigResource {
  readonly type: number;
  readonly name: string;
}

/** What is asked for one resource: the values that it is to have, and those that were named. */
export interface Wish {
  readonly next: ReadonlyMap<string, string>;
  readonly named: ReadonlyMap<string, string | null>;
  readonly validateOnly: boolean;
}
