import { type ConsumerMember, regexOf } from './consumer-member.ts';
import { Counts } from './counts.ts';

/** What the members of a group subscribe to: topics by name, and regular expressions with what they match. */
export class Subscriptions {
  /** Members by topic name. */
  readonly byName: Counts;
  /** Resolved regular expressions by topic name. */
  readonly byRegex: Counts;
  /** Members by regular expression. */
  readonly regexes: Counts;

  constructor(byName = new Counts(), byRegex = new Counts(), regexes = new Counts()) {
    this.byName = byName;
    this.byRegex = byRegex;
    this.regexes = regexes;
  }

  copy(): Subscriptions {
    return new Subscriptions(this.byName.copy(), this.byRegex.copy(), this.regexes.copy());
  }

  /** As it is once a member is another. */
  with(former: ConsumerMember | undefined, updated: ConsumerMember | undefined): Subscriptions {
    const changed = this.copy();
    if (former !== undefined) changed.count(former.topicNames, regexOf(former), -1);
    if (updated !== undefined) changed.count(updated.topicNames, regexOf(updated), 1);
    return changed;
  }

  count(topicNames: readonly string[], regex: string | undefined, change: 1 | -1): void {
    for (const name of topicNames) this.byName.add(name, change);
    if (regex !== undefined) this.regexes.add(regex, change);
  }

  /** A regular expression matches other topics than before. */
  resolve(former: readonly string[], topics: readonly string[]): void {
    for (const name of former) this.byRegex.add(name, -1);
    for (const name of topics) this.byRegex.add(name, 1);
  }

  topics(): Set<string> {
    return new Set([...this.byName.keys(), ...this.byRegex.keys()]);
  }

  /** All members subscribe to the same topics, as far as can be told without comparing what expressions match. */
  isHomogeneous(memberCount: number): boolean {
    const [regex] = this.regexes.entries();
    if (regex === undefined) {
      for (const topic of this.topics()) if (this.byName.of(topic) !== memberCount) return false;
      return true;
    }
    if (regex[1] !== memberCount) return false;
    for (const topic of this.topics()) if (this.byRegex.of(topic) !== 1 || this.byName.of(topic) > 0) return false;
    return true;
  }
}
