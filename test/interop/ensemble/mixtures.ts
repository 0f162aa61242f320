/** Which servers make an ensemble: the kinds of the members 1, 2 and 3, of which 3 leads first. */
import type { MemberSpec } from '../ensemble.ts';
import type { MemberKind } from './member.ts';

export type Mixture = readonly [MemberKind, MemberKind, MemberKind];

export const apacheMixtures: readonly Mixture[] = [
  ['apache-3.9.4', 'apache-3.9.4', 'apache-3.9.4'],
  ['apache-3.4.8', 'apache-3.4.8', 'apache-3.4.8'],
];

/** Ours leads or follows, alone among Apache's or with one of them. */
export const mixedMixtures: readonly Mixture[] = [
  ['odradek', 'odradek', 'odradek'],
  ['odradek', 'apache-3.9.4', 'apache-3.9.4'],
  ['apache-3.9.4', 'apache-3.9.4', 'odradek'],
  ['odradek', 'odradek', 'apache-3.9.4'],
  ['apache-3.9.4', 'odradek', 'odradek'],
  ['odradek', 'apache-3.4.8', 'apache-3.4.8'],
  ['apache-3.4.8', 'apache-3.4.8', 'odradek'],
];

/** Who is replaced by whom, one server after the other, and back. */
export interface Replacement {
  readonly from: MemberKind;
  readonly to: MemberKind;
  readonly config?: Readonly<Record<string, string>>;
}

/** A server of 3.4 may have logs and no snapshot, which newer ones refuse unless they are told (ZOOKEEPER-3056). */
const fromOld = { from: 'apache-3.4.8', config: { 'snapshot.trust.empty': 'true' } } as const;

export const apacheReplacements: readonly Replacement[] = [
  { from: 'apache-3.9.4', to: 'apache-3.9.4' },
  { ...fromOld, to: 'apache-3.9.4' },
];

export const mixedReplacements: readonly Replacement[] = [
  { from: 'apache-3.9.4', to: 'odradek' },
  { from: 'odradek', to: 'odradek' },
  { ...fromOld, to: 'odradek' },
];

export function membersOf(mixture: Mixture): MemberSpec[] {
  return mixture.map((kind, index) => ({ id: index + 1, kind }));
}

/** `2 of apache-3.9.4, led by odradek`. */
export function nameOf(mixture: Mixture): string {
  const counts = Map.groupBy(mixture.slice(0, 2), (kind) => kind);
  const followers = [...counts].map(([kind, all]) => `${all.length} of ${kind}`).join(' and ');
  return `${followers} behind ${mixture[2]}`;
}
