import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { compilePattern, PatternError } from '../../regular-expression.ts';
import type { TopicFilter } from '../join.ts';
import type { ConsumerGroup, ResolvedRegex } from './consumer-group.ts';
import { type ConsumerMember, regexOf } from './consumer-member.ts';
import type { ConsumerRecord } from './consumer-records.ts';
import type { TopicImage } from './topic-image.ts';

/** Regular expressions of a group are not resolved more often than this (`REGEX_BATCH_REFRESH_MIN_INTERVAL_MS`). */
const REFRESH_INTERVAL_MIN_MS = 10_000;

export interface RegexChange {
  readonly records: readonly ConsumerRecord[];
  /** The member subscribes by another expression than before. */
  readonly isChanged: boolean;
  /** ... and what it matches is known, so that the target can follow at once. */
  readonly isResolved: boolean;
  /** The expressions that have to be resolved again, if any. */
  readonly refresh: readonly string[];
}

export interface RegexTimes {
  readonly nowMs: number;
  readonly refreshIntervalMs: number;
  /** The group's expressions are being resolved already. */
  readonly isRefreshing: boolean;
}

/**
 * What a member's change of its regular expression brings (`GroupMetadataManager.maybeUpdateRegularExpressions`).
 * @throws KafkaError INVALID_REGULAR_EXPRESSION
 */
export function changeRegex(
  group: ConsumerGroup,
  former: ConsumerMember,
  updated: ConsumerMember,
  image: TopicImage,
  times: RegexTimes,
): RegexChange {
  const { regexes } = group.subscriptions;
  const [before, after] = [regexOf(former), regexOf(updated)];
  const isChanged = (former.topicRegex ?? null) !== (updated.topicRegex ?? null);
  const records: ConsumerRecord[] = [];
  let isNew = false;
  let isResolved = false;
  if (isChanged) {
    if (before !== undefined && regexes.of(before) === 1) records.push(regexTombstone(group.id, before));
    if (after === undefined) isResolved = before !== undefined;
    else if (regexes.of(after) > 0) isResolved = group.regexes.has(after);
    else {
      checkRegex(after);
      isNew = true;
    }
  }
  return { records, isChanged, isResolved, refresh: toRefresh(group, before, after, isNew, image, times) };
}

function toRefresh(
  group: ConsumerGroup,
  before: string | undefined,
  after: string | undefined,
  isNew: boolean,
  image: TopicImage,
  { nowMs, refreshIntervalMs, isRefreshing }: RegexTimes,
): readonly string[] {
  const wanted = group.subscriptions.regexes.copy();
  if ((!isNew && wanted.size === 0) || isRefreshing) return [];
  const [last] = group.regexes.values();
  if (last !== undefined && nowMs <= last.timestamp + REFRESH_INTERVAL_MIN_MS) return [];
  if (before !== undefined) wanted.add(before, -1);
  if (after !== undefined) wanted.add(after, 1);
  const isDue =
    isNew ||
    wanted.size !== group.regexes.size ||
    last === undefined ||
    last.version < image.version ||
    nowMs > last.timestamp + refreshIntervalMs;
  return isDue ? [...wanted.keys()] : [];
}

function checkRegex(regex: string): void {
  try {
    compilePattern(regex);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new KafkaError(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${error.message}.`,
    );
  }
}

/** What each expression matches among the topics that exist and that the member which called for it may describe. */
export function resolveRegexes(
  regexes: readonly string[],
  describable: TopicFilter,
  image: TopicImage,
  nowMs: number,
): Map<string, ResolvedRegex> {
  const { version } = image;
  const matches = regexes.map((regex) => matchesOf(regex, image));
  const visible = describable(matches.flat());
  const topics = matches.map((names) => names.filter((name) => visible.has(name)));
  return new Map(regexes.map((regex, index) => [regex, { topics: topics[index] ?? [], version, timestamp: nowMs }]));
}

/** Another coordinator may have let an expression in that we do not understand: it matches nothing. */
function matchesOf(regex: string, image: TopicImage): string[] {
  try {
    return [...image.names()].filter(compilePattern(regex)).sort();
  } catch (error) {
    if (error instanceof PatternError) return [];
    throw error;
  }
}

export function regexTombstone(group: string, regex: string): ConsumerRecord {
  return { kind: 'consumer-regex', group, regex, value: null };
}
