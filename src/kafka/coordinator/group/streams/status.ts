/** What members are told of their group beside their tasks (`StreamsGroupHeartbeatResponse.Status`). */
export interface Status {
  readonly statusCode: number;
  readonly statusDetail: string;
}

export const StatusCode = {
  STALE_TOPOLOGY: 0,
  MISSING_SOURCE_TOPICS: 1,
  INCORRECTLY_PARTITIONED_TOPICS: 2,
  MISSING_INTERNAL_TOPICS: 3,
  SHUTDOWN_APPLICATION: 4,
  ASSIGNMENT_DELAYED: 5,
  MISSING_CLIENT_TAGS: 6,
} as const;

/** The topics of a topology allow of no tasks. */
export class TopicFault extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, detail: string) {
    super(detail);
    this.statusCode = statusCode;
  }
}
