import type { RejectedRecords } from '../records/validation.ts';

/** Who counts what becomes of appends, by topic (`BrokerTopicMetrics`). Nobody does unless somebody may look. */
export interface AppendFigures {
  /** What is counted of a topic, until it is forgotten. */
  of(topic: string): TopicFigures;
  /** This broker leads no partition of the topic any more. */
  stopsLeading(topic: string): void;
  /** This broker has no replica of the topic any more. */
  forget(topic: string): void;
}

export interface TopicFigures {
  asked(): void;
  /** An append has its outcome; the records' size is what was sent. */
  settled(errorCode: number, sizeInBytes: number, recordCount: number): void;
  /** Of all topics alone. */
  rejected(why: RejectedRecords): void;
  /** Records were written anew. */
  converted(recordCount: number): void;
}
