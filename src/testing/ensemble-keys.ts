import type { ConfigKeys } from './test-keys.ts';

export interface EnsembleSize {
  /** Who elect and may lead, at least 2. Default 3. */
  readonly participants?: number;
  /** Who follow without a vote. Default 0. */
  readonly observers?: number;
}

export type MemberRole = 'participant' | 'observer';

/** Where a member hears the others, and clients. */
export interface MemberPlace {
  readonly host: string;
  readonly peerPort: number;
  readonly electionPort: number;
  readonly clientPort: number;
}

/** Short, since a test waits for them, and long enough for a busy machine. In ticks. */
const LIMITS = { initLimit: 10, syncLimit: 5 };

/** Ids from 1: participants, then observers. */
export function memberRoles({ participants = 3, observers = 0 }: EnsembleSize): ReadonlyMap<number, MemberRole> {
  if (participants < 2) throw new RangeError(`an ensemble has 2 participants or more, not ${participants}`);
  const ids = Array.from({ length: participants + observers }, (_, index) => index + 1);
  return new Map(ids.map((id) => [id, id > participants ? 'observer' : 'participant']));
}

/** What makes a server the member `self`, as far as zoo.cfg says it; `myid` says the rest. */
export function memberKeys(
  self: number,
  roles: ReadonlyMap<number, MemberRole>,
  placeOf: (id: number) => MemberPlace,
): ConfigKeys {
  const lines = [...roles].map(([id, role]) => {
    const { host, peerPort, electionPort } = placeOf(id);
    return [`server.${id}`, `${host}:${peerPort}:${electionPort}:${role}`];
  });
  const peerType = roles.get(self) ?? 'participant';
  return { ...LIMITS, clientPort: placeOf(self).clientPort, peerType, ...Object.fromEntries(lines) };
}
