/** The flags of create requests (org.apache.zookeeper.CreateMode). */
export const CreateMode = {
  PERSISTENT: 0,
  EPHEMERAL: 1,
  PERSISTENT_SEQUENTIAL: 2,
  EPHEMERAL_SEQUENTIAL: 3,
  CONTAINER: 4,
  PERSISTENT_WITH_TTL: 5,
  PERSISTENT_SEQUENTIAL_WITH_TTL: 6,
} as const;
export type CreateMode = (typeof CreateMode)[keyof typeof CreateMode];

export const isCreateMode = (flags: number): flags is CreateMode => flags >= 0 && flags <= 6;
export const isEphemeral = (flags: number): boolean => flags === 1 || flags === 3;
export const isSequential = (flags: number): boolean => flags === 2 || flags === 3 || flags === 6;
export const isContainer = (flags: number): boolean => flags === 4;
export const isTtl = (flags: number): boolean => flags === 5 || flags === 6;
