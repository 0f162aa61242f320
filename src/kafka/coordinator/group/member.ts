import { build } from '../../../wire/schema.ts';
import { JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts';
import type { Deadline } from '../deadline.ts';

export type JoinAnswer = (response: JoinGroupResponse) => void;
export type SyncAnswer = (response: SyncGroupResponse) => void;

/** An assignment strategy that a member offers, and what it has to say to the leader under it. */
export interface Protocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

/** One member of a classic group, as this coordinator sees it. */
export interface Member {
  /** A static member gets a new one with each of its lives. */
  id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  /** As Java prints an address: `/127.0.0.1`. */
  readonly clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  /** The member's favourite first. */
  protocols: readonly Protocol[];
  assignment: Uint8Array;
  /** It has not completed a join yet, so it may not know its id and cannot send heartbeats. */
  isNew: boolean;
  awaitingJoin: JoinAnswer | undefined;
  awaitingSync: SyncAnswer | undefined;
  readonly session: Deadline;
}

export const NO_MEMBER_ID = '';
export const NO_BYTES = new Uint8Array(0);

export function metadataFor(member: Member, protocol: string): Uint8Array {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES;
}

/** The member says what it said before. */
export function offersSame(member: Member, protocols: readonly Protocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index] as Protocol;
      return name === other.name && Buffer.compare(metadata, other.metadata) === 0;
    })
  );
}

export function joinError(memberId: string, errorCode: number): JoinGroupResponse {
  return build(JoinGroupResponse, { errorCode, memberId, protocolName: null });
}

export function syncError(errorCode: number): SyncGroupResponse {
  return build(SyncGroupResponse, { errorCode });
}
