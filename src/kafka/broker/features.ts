import type { KafkaConfig } from './config/kafka-config.ts';

/** A feature that the cluster has agreed on (KIP-584): clients of 4.x speak its protocol only where they see it. */
export interface FinalizedFeature {
  readonly name: string;
  readonly level: number;
  /** The highest level that this broker could speak. */
  readonly levelMax: number;
}

const TRANSACTION_VERSION = 'transaction.version';
const TRANSACTION_VERSION_MAX = 2;

/** A level of 0 is the same as no feature, and is not told. */
export function finalizedFeatures(config: KafkaConfig): FinalizedFeature[] {
  const level = config.number(TRANSACTION_VERSION);
  return level === 0 ? [] : [{ name: TRANSACTION_VERSION, level, levelMax: TRANSACTION_VERSION_MAX }];
}
