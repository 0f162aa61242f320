interface Subtopology {
  readonly sourceTopics: readonly string[];
  readonly repartitionSinkTopics: readonly string[];
  readonly repartitionSourceTopics: readonly { readonly name: string }[];
  readonly stateChangelogTopics: readonly { readonly name: string }[];
}

/** The topics that a part of a topology reads and writes. */
export function topicNamesOf(one: Subtopology): string[] {
  return [
    ...one.sourceTopics,
    ...one.repartitionSinkTopics,
    ...one.repartitionSourceTopics.map(({ name }) => name),
    ...one.stateChangelogTopics.map(({ name }) => name),
  ];
}
