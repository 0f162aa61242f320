/** Apache's message definitions (`../shared/kafka-messages`), brought into the form that the comparison needs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Versions } from '../../../src/wire/versions.ts';
import { root } from '../../source-files.ts';

const directory = join(root, '..', 'shared', 'kafka-messages');
export const definitionsArePresent = existsSync(directory);

export type Release = '3.9.1' | '4.4.0';
export const releases: readonly Release[] = ['3.9.1', '4.4.0'];

export interface ApacheField {
  readonly name: string;
  /** `[]int32` has the type `int32` and is an array; a struct's type is `struct`. */
  readonly type: string;
  readonly isArray: boolean;
  readonly versions: Versions;
  readonly nullable: Versions | undefined;
  readonly tagged: Versions | undefined;
  readonly tag: number | undefined;
  readonly default: unknown;
  readonly ignorable: boolean;
  readonly flexible: Versions | 'none' | undefined;
  readonly fields: readonly ApacheField[];
}
export interface ApacheMessage {
  readonly name: string;
  /** Undefined where 3.9.1 did not say it yet. */
  readonly apiKey: number | undefined;
  readonly flexible: Versions | 'none';
  /** Stable versions; `theirs` is what their fields' ranges speak of, `ours` what our schema calls it. */
  readonly versions: readonly { readonly theirs: number; readonly ours: number }[];
  readonly fields: readonly ApacheField[];
}

type RawVersions = Versions | 'none';
interface RawField {
  readonly name: string;
  readonly type: string;
  readonly versions?: Versions;
  readonly nullableVersions?: RawVersions;
  readonly taggedVersions?: RawVersions;
  readonly flexibleVersions?: RawVersions;
  readonly tag?: number;
  readonly default?: unknown;
  readonly ignorable?: boolean;
  readonly fields?: readonly RawField[];
}
interface RawMessage {
  readonly name: string;
  readonly type: string;
  readonly apiKey?: number;
  readonly validVersions: RawVersions;
  readonly latestVersionUnstable?: boolean;
  readonly flexibleVersions?: RawVersions;
  readonly fields?: readonly RawField[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly RawField[] }[];
}

export function readDefinitions(release: Release): ReadonlyMap<string, ApacheMessage> {
  const raw = new Map<string, RawMessage>();
  for (const folder of [join(directory, release), join(directory, release, 'records')]) {
    for (const file of readdirSync(folder)) {
      if (!file.endsWith('.json')) continue;
      const message = JSON.parse(withoutComments(readFileSync(join(folder, file), 'utf8'))) as RawMessage;
      raw.set(message.name, message);
    }
  }
  const messages = new Map<string, ApacheMessage>();
  for (const message of raw.values()) messages.set(message.name, messageOf(message, isUnstable(message, raw)));
  return messages;
}

/** Only requests say that their last version is unstable; it holds for the response too. */
function isUnstable(message: RawMessage, all: ReadonlyMap<string, RawMessage>): boolean {
  if (message.type !== 'response') return message.latestVersionUnstable === true;
  return all.get(message.name.replace(/Response$/, 'Request'))?.latestVersionUnstable === true;
}

function messageOf(raw: RawMessage, unstable: boolean): ApacheMessage {
  const all = versionsOf(raw.validVersions);
  const stable = unstable ? all.slice(0, -1) : all;
  const structs = new Map(raw.commonStructs?.map(({ name, fields }) => [name, fields]));
  // 3.9.1 calls the type of a record's key its version; the layout has one version.
  const keyType = raw.type === 'data' && raw.name.endsWith('Key') ? stable.at(-1) : undefined;
  return {
    name: raw.name,
    apiKey: keyType ?? raw.apiKey,
    flexible: raw.flexibleVersions ?? 'none',
    versions:
      keyType === undefined
        ? stable.map((version) => ({ theirs: version, ours: version }))
        : [{ theirs: keyType, ours: 0 }],
    fields: (raw.fields ?? []).map((field) => fieldOf(field, structs)),
  };
}

function fieldOf(raw: RawField, structs: ReadonlyMap<string, readonly RawField[]>): ApacheField {
  const element = raw.type.replace(/^\[\]/, '');
  const isStruct = /^[A-Z]/.test(element);
  const tagged = rangeOf(raw.taggedVersions);
  const versions = raw.versions ?? tagged; // a field without versions exists where it is tagged
  if (versions === undefined) throw new TypeError(`${raw.name} has no versions`);
  return {
    name: raw.name.charAt(0).toLowerCase() + raw.name.slice(1),
    type: isStruct ? 'struct' : element,
    isArray: raw.type.startsWith('[]'),
    versions,
    nullable: rangeOf(raw.nullableVersions),
    tagged,
    tag: raw.tag,
    // a default of JSON's null is none to Apache's generator; the text 'null' is the one that means null
    default: raw.default == null ? undefined : parseDefault(raw.default, element),
    ignorable: raw.ignorable === true,
    flexible: raw.flexibleVersions,
    fields: isStruct ? (raw.fields ?? structs.get(element) ?? []).map((field) => fieldOf(field, structs)) : [],
  };
}

function rangeOf(versions: RawVersions | undefined): Versions | undefined {
  return versions === 'none' ? undefined : versions;
}

/** Defaults stand in the files as text, numbers or booleans. */
function parseDefault(stated: unknown, type: string): unknown {
  if (stated === 'null') return null;
  if (type === 'string') return stated;
  if (type === 'bool') return stated === true || stated === 'true';
  const value = Number(stated);
  return Number.isSafeInteger(value) ? value : value * Infinity;
}

function versionsOf(range: RawVersions): number[] {
  if (range === 'none') return [];
  const [first = 0, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Line comments outside of strings go: the files are JSON but for them. */
function withoutComments(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\/\/.*$/gm, (_, quoted: string | undefined) => quoted ?? '');
}
