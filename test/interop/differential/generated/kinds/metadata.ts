import { ZERO_UUID } from '../../../../../src/wire/schema.ts';
import { requestKind } from '../kind.ts';

interface Args {
  readonly version: number;
  /** Null asks for all. */
  readonly topics: readonly { readonly name: string; readonly by: 'name' | 'id' | 'both' | 'nothing' }[] | null;
  readonly withOperations: boolean;
}

export const metadata = requestKind<Args>({
  name: 'metadata',
  weight: 3,
  apiKey: 3,
  draw: (draw) => {
    const version = draw.version(3);
    // Before version 4 whoever asks for a topic creates it.
    const name = (): string => (version < 4 ? draw.topics[0]! : draw.topic());
    const by = (): 'name' | 'id' | 'both' | 'nothing' =>
      version < 10 || draw.chance(0.5) ? 'name' : draw.pick(['id', 'id', 'both', version < 12 ? 'nothing' : 'id']);
    const topics = version >= 1 && draw.chance(0.15) ? null : draw.some(3, () => ({ name: name(), by: by() }));
    return { version, topics, withOperations: draw.chance(0.3) };
  },
  request: ({ version, topics, withOperations }, side) => ({
    apiKey: 3,
    version,
    fields: {
      topics:
        topics?.map(({ name, by }) => ({
          name: by === 'id' || by === 'nothing' ? null : side.named(name),
          topicId: by === 'id' || by === 'both' ? side.topic(name, true).topicId : ZERO_UUID,
        })) ?? null,
      allowAutoTopicCreation: version < 4,
      includeTopicAuthorizedOperations: version >= 8 && withOperations,
      includeClusterAuthorizedOperations: version >= 8 && version <= 10 && withOperations,
    },
  }),
});
