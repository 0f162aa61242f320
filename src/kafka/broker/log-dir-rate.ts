import { parseNumber } from '../../config/values.ts';
import type { ConfigStore } from './config/config-store.ts';

/** A key that no file sets, only a dynamic configuration (`DynamicConfig.Broker`). */
export function alterLogDirsRate(configs: ConfigStore): number {
  const value = configs.brokerValue('replica.alter.log.dirs.io.max.bytes.per.second');
  return value === null ? Infinity : parseNumber(value);
}
