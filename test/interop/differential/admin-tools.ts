/** Apache's tools for administrators, on Apache's broker 3.9.1 and on ours: the same lines and exit codes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chosen } from '../breadth.ts';
import { type KafkaToolName, type KafkaToolVersion, kafkaTool } from '../peers/kafka-tools.ts';
import { tempDir } from '../peers/temp-dir.ts';

interface Row {
  readonly tool: KafkaToolName;
  /** `$DIR` is a folder with the files below; arguments have one blank between them. */
  readonly args: string;
  /** Told in every run, with the tools of one release. */
  readonly always?: KafkaToolVersion;
}

/** Of topics with one partition on broker 0. The records of `diff` are old: brokers delete them when they find the time. */
const files: Readonly<Record<string, object>> = {
  'offsets.json': { version: 1, partitions: [{ topic: 'diff2', partition: 0, offset: 0 }] },
  'partitions.json': {
    partitions: [
      { topic: 'diff', partition: 0 },
      { topic: 'missing', partition: 0 },
    ],
  },
  'here.json': { version: 1, partitions: [{ topic: 'diff', partition: 0, replicas: [0] }] },
  'away.json': { version: 1, partitions: [{ topic: 'diff', partition: 0, replicas: [7] }] },
};

const rows: readonly Row[] = [
  { tool: 'kafka-delete-records', args: '--offset-json-file $DIR/offsets.json', always: '3.9.1' },
  { tool: 'kafka-leader-election', args: '--election-type preferred --path-to-json-file $DIR/partitions.json' },
  { tool: 'kafka-leader-election', args: '--election-type unclean --topic diff --partition 0', always: '4.4.0' },
  { tool: 'kafka-reassign-partitions', args: '--list', always: '4.4.0' },
  { tool: 'kafka-reassign-partitions', args: '--verify --reassignment-json-file $DIR/here.json' },
  { tool: 'kafka-reassign-partitions', args: '--cancel --reassignment-json-file $DIR/here.json' },
  { tool: 'kafka-reassign-partitions', args: '--execute --reassignment-json-file $DIR/away.json' },
  { tool: 'kafka-features', args: 'describe' },
  { tool: 'kafka-get-offsets', args: '--topic diff2' },
  {
    tool: 'kafka-configs',
    args: '--alter --entity-type users --entity-name ann --add-config SCRAM-SHA-256=[iterations=4096,password=secret]',
  },
  {
    tool: 'kafka-configs',
    args: '--alter --entity-type users --entity-name ann --delete-config SCRAM-SHA-512',
  },
  {
    tool: 'kafka-configs',
    args: '--alter --entity-type users --entity-name ann --delete-config SCRAM-SHA-256',
  },
  { tool: 'kafka-acls', args: '--list' },
  { tool: 'kafka-acls', args: '--add --allow-principal User:ann --operation Read --topic diff' },
  { tool: 'kafka-delegation-tokens', args: '--describe --command-config $DIR/client.properties' },
];

export interface ToolStep {
  readonly tool: KafkaToolName;
  readonly version: KafkaToolVersion;
  readonly args: string;
}

const steps: readonly (ToolStep & { readonly isAlways: boolean })[] = rows.flatMap(({ tool, args, always }) =>
  (['3.9.1', '4.4.0'] as const).map((version) => ({ tool, version, args, isAlways: version === always })),
);

export const toolSteps: readonly ToolStep[] = chosen(steps, ({ isAlways }) => isAlways);

let folder: string | undefined;

function folderOfFiles(): string {
  if (folder !== undefined) return folder;
  folder = tempDir();
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(value));
  writeFileSync(join(folder, 'client.properties'), '');
  return folder;
}

/** What a tool says and ends with, without what is of its own moment: addresses, times, stack traces. */
export async function outcomeOf({ tool, version, args }: ToolStep, bootstrap: string): Promise<object> {
  const given = args.replaceAll('$DIR', folderOfFiles()).split(' ');
  const { code, stdout, stderr } = await kafkaTool(tool, version, ['--bootstrap-server', bootstrap, ...given]);
  const comparable = (text: string): string =>
    text
      .replaceAll(bootstrap, '$B')
      .replace(/\n\t(at |\.\.\. ).*/g, '')
      .replace(/^(\[.*?\]|\d+ \[\S+\])/gm, '[time]')
      .trim();
  return { code, stdout: comparable(stdout), stderr: comparable(stderr) };
}
