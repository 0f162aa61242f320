import type { DescribedGroup, DescribedMember } from '../client/groups.ts';

/** One line of `--describe`; undefined: printed as a dash. */
export interface OffsetRow {
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly current: number | undefined;
  readonly end: number | undefined;
  readonly member: DescribedMember | undefined;
}

const dash = (value: string | number | undefined): string => (value === undefined ? '-' : String(value));

/** The widest value decides, but no column is narrower than Apache's. */
function widthOf(values: readonly string[], least: number): number {
  return Math.max(least, ...values.map(({ length }) => length));
}

const pad = (cells: readonly (readonly [text: string, width: number])[], last: string): string =>
  `${cells.map(([text, width]) => `${text.padEnd(width)} `).join('')}${last}`;

export function offsetsTable(groupId: string, rows: readonly OffsetRow[]): string {
  const groupWidth = widthOf([groupId], 15);
  const topicWidth = widthOf(
    rows.map(({ topic }) => dash(topic)),
    15,
  );
  const memberWidth = widthOf(
    rows.map(({ member }) => dash(member?.memberId)),
    15,
  );
  const line = (cells: readonly [string, string, string, string, string, string, string, string, string]): string =>
    pad(
      [
        [cells[0], groupWidth],
        [cells[1], topicWidth],
        [cells[2], 10],
        [cells[3], 15],
        [cells[4], 15],
        [cells[5], 15],
        [cells[6], memberWidth],
        [cells[7], 15],
      ],
      cells[8],
    );
  const head = line([
    'GROUP',
    'TOPIC',
    'PARTITION',
    'CURRENT-OFFSET',
    'LOG-END-OFFSET',
    'LAG',
    'CONSUMER-ID',
    'HOST',
    'CLIENT-ID',
  ]);
  const lines = rows.map(({ topic, partition, current, end, member }) => {
    const lag = current === undefined || end === undefined ? undefined : end - current;
    return line([
      groupId,
      dash(topic),
      dash(partition),
      dash(current),
      dash(end),
      dash(lag),
      dash(member?.memberId),
      dash(member?.host),
      dash(member?.clientId),
    ]);
  });
  // No end of line behind the last one, as Apache prints it.
  return `\n${[head, ...lines].join('\n')}`;
}

export function membersTable({ groupId, members }: DescribedGroup, isVerbose: boolean): string {
  const groupWidth = widthOf([groupId], 15);
  const memberWidth = widthOf(
    members.map(({ memberId }) => memberId),
    15,
  );
  const instanceWidth = widthOf(
    members.map(({ groupInstanceId }) => groupInstanceId ?? ''),
    17,
  );
  const hostWidth = widthOf(
    members.map(({ host }) => host),
    15,
  );
  const clientWidth = widthOf(
    members.map(({ clientId }) => clientId),
    15,
  );
  const isStatic = members.some(({ groupInstanceId }) => groupInstanceId !== null);
  const line = (group: string, member: string, instance: string, host: string, client: string, count: string): string =>
    pad(
      [
        [group, groupWidth],
        [member, memberWidth],
        ...(isStatic ? [[instance, instanceWidth] as const] : []),
        [host, hostWidth],
        [client, clientWidth],
        [count, 15],
      ],
      '',
    );
  const head = line('GROUP', 'CONSUMER-ID', 'GROUP-INSTANCE-ID', 'HOST', 'CLIENT-ID', '#PARTITIONS');
  const lines = members.map((member) => {
    const { memberId, groupInstanceId, host, clientId, assignment } = member;
    const row = line(groupId, memberId, groupInstanceId ?? '', host, clientId, String(assignment.length));
    return isVerbose ? `${row}${assignmentText(member)}` : row;
  });
  return `\n${isVerbose ? `${head}ASSIGNMENT` : head}\n${lines.map((row) => `${row}\n`).join('')}`;
}

/** `topic(0,1), other(2)`. */
function assignmentText({ assignment }: DescribedMember): string {
  if (assignment.length === 0) return '-';
  return [...Map.groupBy(assignment, ({ topic }) => topic)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([topic, partitions]) =>
        `${topic}(${partitions
          .map(({ partition }) => partition)
          .sort((a, b) => a - b)
          .join(',')})`,
    )
    .join(', ');
}

export function stateTable({ groupId, coordinator, protocol, state, members }: DescribedGroup): string {
  const where = `${coordinator.host}:${coordinator.port}  (${coordinator.id})`;
  const line = (cells: readonly [string, string, string, string], count: string): string =>
    pad(
      [
        [cells[0], 25],
        [cells[1], widthOf([where], 25)],
        [cells[2], 20],
        [cells[3], 15],
      ],
      count,
    );
  const head = line(['GROUP', 'COORDINATOR (ID)', 'ASSIGNMENT-STRATEGY', 'STATE'], '#MEMBERS');
  return `\n${head}\n${line([groupId, where, protocol, state], String(members.length))}\n`;
}

export function listTable(
  groups: readonly { readonly groupId: string; readonly type: string; readonly state: string }[],
  columns: readonly ('type' | 'state')[],
): string {
  const groupWidth = widthOf(
    groups.map(({ groupId }) => groupId),
    15,
  );
  // Apache leaves another 17 columns of room behind the name.
  const width = Math.max(groupWidth, 32);
  const line = (group: string, cells: readonly string[]): string =>
    `${pad([[group, width], ...cells.map((cell) => [cell, 20] as const)], '').slice(0, -1)}\n`;
  const head = line(
    'GROUP',
    columns.map((column) => column.toUpperCase()),
  );
  return (
    head +
    groups
      .map((group) =>
        line(
          group.groupId,
          columns.map((column) => group[column]),
        ),
      )
      .join('')
  );
}
