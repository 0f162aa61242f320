/** A topic as groups see it. */
export interface TopicView {
  readonly id: string;
  readonly name: string;
  readonly partitionCount: number;
  /** Racks of the replicas' live brokers, without order. */
  partitionRacks(partition: number): readonly string[];
}

/** The topics of the cluster as this broker knows them now. */
export interface TopicImage {
  topic(name: string): TopicView | undefined;
  /** The name of a topic id. */
  nameOf(id: string): string | undefined;
  names(): Iterable<string>;
  /** Changes with any topic, its partitions or their racks. */
  readonly changes: number;
  /** Wall time of the last change that brought a topic: says how old a regular expression's result is. */
  readonly version: number;
}

export function topicId(image: TopicImage, name: string): string | undefined {
  return image.topic(name)?.id;
}

/** Ids of the topics that exist among the names, in the order of the names. */
export function topicIds(image: TopicImage, names: Iterable<string>): string[] {
  const ids: string[] = [];
  for (const name of names) {
    const id = topicId(image, name);
    if (id !== undefined) ids.push(id);
  }
  return ids;
}
