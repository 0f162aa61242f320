import type { RejectedRecords } from '../records/validation.ts';

/** Who counts what becomes of appends, by topic (`BrokerTopicMetrics`). Nobody does unless somebody may look. */
export interface AppendFigures {
  asked(topic: string): void;
  /** An append has its outcome; the records' size is what was sent. */
  settled(topic: string, errorCode: number, sizeInBytes: number, recordCount: number): void;
  rejected(why: RejectedRecords): void;
  /** Records were written anew. */
  converted(topic: string, recordCount: number): void;
  /** This broker leads no partition of the topic any more. */
  stopsLeading(topic: string): void;
  /** This broker has no replica of the topic any more. */
  forget(topic: string): void;
}
