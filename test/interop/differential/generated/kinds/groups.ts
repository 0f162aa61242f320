/** Groups of one member each: what waits for others has a test of its own (group-lifecycle.test.ts). */
import { type Draw, requestKind } from '../kind.ts';
import type { Side } from '../side.ts';

const SESSION_MS = 60_000;
const UNKNOWN_MEMBER_ID = 25;

/** Who a request says it is. */
type Who = 'member' | 'stranger' | 'nobody';

interface MemberArgs {
  readonly version: number;
  readonly group: string;
  readonly who: Who;
  readonly generation: 'own' | 'wrong';
  readonly instance: string | null;
}

function drawMember(draw: Draw, apiKey: number, firstWithInstance: number): MemberArgs {
  const version = draw.version(apiKey);
  return {
    version,
    group: draw.group(),
    who: draw.pick(['member', 'member', 'member', 'member', 'stranger', 'nobody'] as const),
    generation: draw.chance(0.85) ? 'own' : 'wrong',
    instance: version >= firstWithInstance && draw.chance(0.1) ? 'instance' : null,
  };
}

function identityOf({ group, who, generation, instance }: MemberArgs, side: Side) {
  const known = side.members.get(group);
  return {
    groupId: side.named(group),
    memberId: who === 'member' ? (known?.memberId ?? 'none-yet') : who === 'stranger' ? 'a-stranger' : '',
    generationId: generation === 'own' ? (known?.generationId ?? 1) : 55,
    groupInstanceId: instance,
  };
}

interface JoinArgs {
  readonly version: number;
  readonly group: string;
  readonly who: Exclude<Who, 'nobody'>;
  readonly protocolType: string;
  readonly protocols: readonly string[];
  readonly sessionTimeoutMs: number;
}

const join = requestKind<JoinArgs>({
  name: 'join-group',
  weight: 4,
  apiKey: 11,
  draw: (draw) => ({
    version: draw.version(11),
    group: draw.group(),
    who: draw.pick(['member', 'member', 'member', 'stranger'] as const),
    protocolType: draw.chance(0.95) ? 'consumer' : draw.pick(['connect', '']),
    protocols: draw.chance(0.95) ? draw.pick([['range'], ['range', 'sticky'], ['sticky']]) : [],
    sessionTimeoutMs: draw.chance(0.95) ? SESSION_MS : draw.pick([1, 9_000_000]),
  }),
  request: ({ version, group, who, protocolType, protocols, sessionTimeoutMs }, side) => ({
    apiKey: 11,
    version,
    fields: {
      ...identityOf({ version, group, who, generation: 'own', instance: null }, side),
      // Who is in no group comes in; a second member would wait for the first.
      ...(who === 'member' && !side.members.has(group) ? { memberId: '' } : {}),
      sessionTimeoutMs,
      rebalanceTimeoutMs: version >= 1 ? SESSION_MS : -1,
      protocolType,
      protocols: protocols.map((name) => ({ name, metadata: Buffer.from('0001000000000000', 'hex') })),
    },
  }),
  learn: ({ group }, { errorCode, memberId, generationId }, side) => {
    if (memberId === '' || memberId === 'a-stranger') return;
    if (errorCode === UNKNOWN_MEMBER_ID) side.members.delete(group);
    else side.members.set(group, { memberId: memberId as string, generationId: Math.max(generationId as number, 0) });
  },
});

const sync = requestKind<MemberArgs>({
  name: 'sync-group',
  weight: 3,
  apiKey: 14,
  draw: (draw) => drawMember(draw, 14, 3),
  request: (args, side) => {
    const identity = identityOf(args, side);
    return {
      apiKey: 14,
      version: args.version,
      fields: {
        ...identity,
        protocolType: args.version >= 5 ? 'consumer' : null,
        protocolName: null,
        assignments: [{ memberId: identity.memberId, assignment: Buffer.from('00010000000000000000', 'hex') }],
      },
    };
  },
});

const heartbeat = requestKind<MemberArgs>({
  name: 'heartbeat',
  weight: 2,
  apiKey: 12,
  draw: (draw) => drawMember(draw, 12, 3),
  request: (args, side) => ({ apiKey: 12, version: args.version, fields: identityOf(args, side) }),
});

const leave = requestKind<MemberArgs>({
  name: 'leave-group',
  weight: 0.7,
  apiKey: 13,
  draw: (draw) => drawMember(draw, 13, 3),
  request: (args, side) => {
    const { groupId, memberId, groupInstanceId } = identityOf(args, side);
    const fields =
      args.version < 3 ? { groupId, memberId } : { groupId, members: [{ memberId, groupInstanceId, reason: null }] };
    return { apiKey: 13, version: args.version, fields };
  },
});

interface NamesArgs {
  readonly version: number;
  readonly groups: readonly string[];
}

function drawNames(draw: Draw, apiKey: number): NamesArgs {
  const groups = draw.distinct(2, () => (draw.chance(0.15) ? 'unheard-of' : draw.group()));
  return { version: draw.version(apiKey), groups };
}

const describe = requestKind<NamesArgs & { readonly withOperations: boolean }>({
  name: 'describe-groups',
  weight: 2,
  apiKey: 15,
  draw: (draw) => ({ ...drawNames(draw, 15), withOperations: draw.chance(0.5) }),
  request: ({ version, groups, withOperations }, side) => ({
    apiKey: 15,
    version,
    fields: {
      groups: groups.map((group) => side.named(group)),
      includeAuthorizedOperations: version >= 3 && withOperations,
    },
  }),
});

const remove = requestKind<NamesArgs>({
  name: 'delete-groups',
  weight: 0.5,
  apiKey: 42,
  draw: (draw) => drawNames(draw, 42),
  request: ({ version, groups }, side) => ({
    apiKey: 42,
    version,
    fields: { groupsNames: groups.map((group) => side.named(group)) },
  }),
});

interface ListArgs {
  readonly version: number;
  readonly states: readonly string[];
  readonly types: readonly string[];
}

const list = requestKind<ListArgs>({
  name: 'list-groups',
  weight: 1,
  apiKey: 16,
  draw: (draw) => ({
    version: draw.version(16),
    states: draw.pick([[], [], ['Stable'], ['empty'], ['Dead', 'Stable'], ['nonsense']]),
    types: draw.pick([[], [], ['classic'], ['Consumer']]),
  }),
  request: ({ version, states, types }) => ({
    apiKey: 16,
    version,
    fields: { statesFilter: version >= 4 ? states : [], typesFilter: version >= 5 ? types : [] },
  }),
});

interface FindArgs {
  readonly version: number;
  readonly group: string;
  readonly keyType: number;
}

const find = requestKind<FindArgs>({
  name: 'find-coordinator',
  weight: 0.7,
  apiKey: 10,
  draw: (draw) => ({ version: draw.version(10), group: draw.group(), keyType: draw.pick([0, 0, 0, 9]) }),
  request: ({ version, group, keyType }, side) => ({
    apiKey: 10,
    version,
    fields: {
      key: version < 4 ? side.named(group) : '',
      keyType: version >= 1 ? keyType : 0,
      coordinatorKeys: version >= 4 ? [side.named(group)] : [],
    },
  }),
});

export const groupKinds = [join, sync, heartbeat, leave, describe, remove, list, find];
