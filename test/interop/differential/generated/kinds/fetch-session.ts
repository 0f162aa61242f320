import { requestKind } from '../kind.ts';
import { drawFetchedTopics, drawLimits, type FetchedTopic, fetchFields, orderOf } from './fetch.ts';

interface Args {
  readonly version: number;
  readonly label: string;
  /** What the client says of its session. */
  readonly says: 'open' | 'next' | 'close' | 'oldEpoch' | 'unknown';
  readonly limits: ReturnType<typeof drawLimits>;
  readonly topics: readonly FetchedTopic[];
  readonly forgotten: readonly { readonly name: string; readonly partitions: readonly number[] }[];
}

export const fetchSession = requestKind<Args>({
  name: 'fetch-session',
  weight: 8,
  apiKey: 1,
  draw: (draw) => {
    const says = draw.pick(['open', 'next', 'next', 'next', 'next', 'close', 'oldEpoch', 'unknown'] as const);
    const isBare = draw.chance(says === 'next' ? 0.5 : 0.1);
    return {
      version: draw.chance(0.5) ? draw.pick([12, 13]) : draw.version(1, 7),
      label: draw.pick(['s0', 's1', 's2']),
      says,
      limits: drawLimits(draw),
      topics: isBare ? [] : drawFetchedTopics(draw, 2),
      forgotten:
        says === 'next' && draw.chance(0.3) ? [{ name: draw.topic(), partitions: draw.pick([[0], [0, 1, 2]]) }] : [],
    };
  },
  request: ({ version, label, says, limits, topics, forgotten }, side) => {
    const known = side.sessions.get(label) ?? { id: 0, epoch: 0 };
    const epochs = { open: 0, next: known.epoch, close: -1, oldEpoch: known.epoch + 3, unknown: 5 };
    return {
      apiKey: 1,
      version,
      fields: {
        ...limits,
        sessionId: says === 'unknown' ? 1 : known.id,
        sessionEpoch: epochs[says],
        topics: fetchFields(topics, version, side),
        forgottenTopicsData: forgotten.map(({ name, partitions }) => ({
          ...side.topic(name, version >= 13),
          partitions,
        })),
      },
    };
  },
  learn: ({ label, says }, { errorCode, sessionId }, side) => {
    const known = side.sessions.get(label);
    if (says === 'open') side.sessions.set(label, { id: sessionId as number, epoch: 1 });
    else if (says === 'next' && errorCode === 0 && known !== undefined && known.id !== 0) known.epoch += 1;
    else if (says === 'close') side.sessions.delete(label);
  },
  facts: orderOf,
});
