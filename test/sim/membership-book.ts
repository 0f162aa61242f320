/** Which memberships came into force, as the servers show it and as whoever asked for them was told. */
import { printHex } from '../../src/zookeeper/jute/ids.ts';
import { type Membership, parseMembership } from '../../src/zookeeper/quorum/membership.ts';
import { must } from './violation.ts';

export class MembershipBook {
  readonly #texts = new Map<bigint, string>();
  readonly #lastSeen = new Map<string, Membership>();
  #newest: Membership | undefined;
  #proposed: Membership | undefined;
  #acknowledged: Membership | undefined;
  /** Reconfigurations that were answered with the membership that they made. */
  acknowledgedCount = 0;

  /** Of all that was ever in force. */
  get newest(): Membership | undefined {
    return this.#newest;
  }

  /** Newest of all that was ever asked to be agreed on: it may come into force at any time. */
  get proposed(): Membership | undefined {
    return this.#proposed;
  }

  proposes(membership: Membership): void {
    if (this.#proposed === undefined || membership.version > this.#proposed.version) this.#proposed = membership;
  }

  /** A server has it in force. What an operator wrote has no version yet, and each server may have been told of another one. */
  holds(server: string, membership: Membership): void {
    if (this.#lastSeen.get(server) === membership) return;
    this.#lastSeen.set(server, membership);
    const { version } = membership;
    const text = canonical(membership);
    if (version > 0n) {
      const known = this.#texts.get(version);
      must(
        known === undefined || known === text,
        () => `membership ${printHex(version)} is ${known}\nand, on ${server}, ${text}`,
      );
      this.#texts.set(version, text);
    }
    if (this.#newest === undefined || version > this.#newest.version) this.#newest = membership;
  }

  /** Somebody was told that it is in force. */
  acknowledged(text: string): Membership {
    const membership = parseMembership(text);
    this.holds('the answer', membership);
    this.acknowledgedCount += 1;
    if (this.#acknowledged === undefined || membership.version > this.#acknowledged.version)
      this.#acknowledged = membership;
    return membership;
  }

  /** At rest all servers of the newest have that, and none that was acknowledged is lost. */
  check(servers: readonly { readonly name: string; readonly membership: Membership | undefined }[]): void {
    const promised = this.#acknowledged;
    for (const { name, membership } of servers) {
      const version = membership?.version ?? -1n;
      must(
        promised === undefined || version >= promised.version,
        () => `membership ${printHex(promised!.version)} was acknowledged, and ${name} is at ${printHex(version)}`,
      );
      must(
        membership !== undefined && this.#newest !== undefined && canonical(membership) === canonical(this.#newest),
        () => `${name} has the membership ${membership?.text}, not ${this.#newest?.text}`,
      );
    }
  }
}

/** Servers name the members in different orders, as the tables of Apache's do. */
function canonical({ text }: Membership): string {
  return text.split('\n').sort().join('\n');
}
