/** What differs between one of Apache's definitions and our schema, each difference as one line of text. */
import { defaultOf, type Field, type Fields, type Message, type Type } from '../../../src/wire/schema.ts';
import { within } from '../../../src/wire/versions.ts';
import type { ApacheField, ApacheMessage } from './apache-definitions.ts';

type Version = ApacheMessage['versions'][number];

export function compareMessage(theirs: ApacheMessage, ours: Message<Fields>): string[] {
  const found: string[] = [];
  const note = (path: string, what: string): void => {
    found.push(`${theirs.name}${path} ${what}`);
  };
  if (theirs.apiKey !== undefined && theirs.apiKey !== ours.apiKey)
    note('', says('api key', theirs.apiKey, ours.apiKey));
  for (const version of theirs.versions) {
    if (!within(ours.versions, version.ours)) note('', `has no version ${version.ours}`);
    const flexible = within(theirs.flexible, version.theirs);
    if (flexible !== within(ours.flexible, version.ours))
      note('', `flexible in version ${version.ours}: theirs ${flexible}`);
  }
  compareFields(theirs.fields, ours.fields, theirs.versions, '', note);
  return found;
}

type Note = (path: string, what: string) => void;

function compareFields(
  theirs: readonly ApacheField[],
  ours: Fields,
  versions: readonly Version[],
  path: string,
  note: Note,
): void {
  const byName = new Map(theirs.map((field) => [field.name, field]));
  for (const name of new Set([...byName.keys(), ...Object.keys(ours)])) {
    const their = byName.get(name);
    const our = ours[name];
    const at = `${path}.${name}`;
    const present = versions.filter((version) => their !== undefined && within(their.versions, version.theirs));
    const missing = present.filter((version) => our === undefined || !within(our.versions, version.ours));
    const surplus = versions.filter(
      (version) => our !== undefined && within(our.versions, version.ours) && !present.includes(version),
    );
    if (missing.length > 0) note(at, `is missing in ${listed(missing)}`);
    if (surplus.length > 0) note(at, `is ours alone in ${listed(surplus)}`);
    if (their !== undefined && our !== undefined && present.length > 0) compareField(their, our, present, at, note);
  }
  compareOrder(theirs, ours, versions, path, note);
}

function compareField(theirs: ApacheField, ours: Field, versions: readonly Version[], path: string, note: Note): void {
  const compare = (what: string, their: unknown, our: unknown): void => {
    if (!Object.is(their, our)) note(path, says(what, their, our));
  };
  const element = elementOf(ours.type);
  compare('array', theirs.isArray, ours.type.kind === 'array');
  compare('type', theirs.type, element.kind);
  compare('ignorable', theirs.ignorable, ours.ignorable === true);
  compare('flexible', theirs.flexible ?? 'as the message', ours.flexible ?? 'as the message');
  compare('default', describeDefault(theirs.default ?? zeroOf(theirs)), describeDefault(defaultOf(ours)));
  const nullable = versions.filter(({ theirs: t, ours: o }) => within(theirs.nullable, t) !== within(ours.nullable, o));
  if (nullable.length > 0) note(path, `nullable differs in ${listed(nullable)}`);
  const tagged = versions.filter(({ theirs: t, ours: o }) => tagAt(theirs.tag, theirs.tagged, t) !== tagOf(ours, o));
  if (tagged.length > 0) note(path, `tag differs in ${listed(tagged)}`);
  if (element.kind === 'struct') compareFields(theirs.fields, element.fields, versions, path, note);
}

/** What stands in line is read in the order it was declared. */
function compareOrder(
  theirs: readonly ApacheField[],
  ours: Fields,
  versions: readonly Version[],
  path: string,
  note: Note,
): void {
  const wrong = versions.filter((version) => {
    const their = theirs
      .filter(
        (field) =>
          within(field.versions, version.theirs) && tagAt(field.tag, field.tagged, version.theirs) === undefined,
      )
      .map((field) => field.name);
    const our = Object.entries(ours)
      .filter(([, field]) => within(field.versions, version.ours) && tagOf(field, version.ours) === undefined)
      .map(([name]) => name)
      .filter((name) => their.includes(name));
    return their.filter((name) => our.includes(name)).join() !== our.join();
  });
  if (wrong.length > 0) note(path, `has its fields in another order in ${listed(wrong)}`);
}

function tagAt(tag: number | undefined, tagged: ApacheField['tagged'], version: number): number | undefined {
  return within(tagged, version) ? tag : undefined;
}

function tagOf(field: Field, version: number): number | undefined {
  return field.tag === undefined ? undefined : tagAt(field.tag, field.taggedVersions ?? field.versions, version);
}

function elementOf(type: Type<unknown>): Type<unknown> {
  return type.kind === 'array' ? type.element : type;
}

/** The default of a field for which Apache states none. */
function zeroOf(field: ApacheField): unknown {
  if (field.default === null) return null;
  if (field.isArray) return [];
  if (field.type === 'string') return '';
  if (field.type === 'bool') return false;
  if (field.type === 'uuid') return 'AAAAAAAAAAAAAAAAAAAAAA';
  return /^(u?int|float)/.test(field.type) ? 0 : {};
}

/** Structs, bytes and records are `{}`: their own fields are compared one by one, and an empty list has one form. */
function describeDefault(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return '[]';
  return value !== null && typeof value === 'object' ? '{}' : JSON.stringify(value);
}

function listed(versions: readonly Version[]): string {
  return `v${versions.map(({ ours }) => ours).join(',')}`;
}

function says(what: string, theirs: unknown, ours: unknown): string {
  return `${what}: theirs ${theirs}, ours ${ours}`;
}
