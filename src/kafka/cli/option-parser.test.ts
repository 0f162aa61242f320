import assert from 'node:assert/strict';
import test from 'node:test';
import { OptionError, type OptionSpec, parseOptions } from './option-parser.ts';
import { optionTable } from './option-table.ts';

const specs: readonly OptionSpec[] = [
  { name: 'topic', argument: 'topic', description: 'The topic.' },
  { name: 'topics-with-overrides', description: 'A flag.' },
  { name: 'partitions', argument: '# of partitions', type: 'Integer', description: 'How many.' },
  { name: 'state', argument: '', isArgumentOptional: true, description: 'States.' },
  { name: 'period', argument: '', type: 'Long', isArgumentOptional: true, description: 'A while.' },
  { name: 'timeout', argument: 'ms', type: 'Long', description: 'Patience.', default: '1000' },
  { name: 'list', description: 'Lists.' },
];

const parsed = (line: string) => parseOptions(specs, line.split(' '));
const failsWith = (message: string) => (error: unknown) => error instanceof OptionError && error.message === message;

test('values come as the next word, behind an equals sign, or as a default', () => {
  assert.equal(parsed('--topic a').value('topic'), 'a');
  assert.equal(parsed('--topic=a=b').value('topic'), 'a=b');
  assert.equal(parsed('-topic a').value('topic'), 'a');
  assert.equal(parsed('--list').number('timeout'), 1000);
  assert.equal(parsed('--partitions -1').number('partitions'), -1);
});

test('a name is never abbreviated, as in Apache’s tools', () => {
  assert.throws(() => parsed('--li'), failsWith('li is not a recognized option'));
});

test('an optional argument is taken unless an option follows', () => {
  assert.equal(parsed('--state Stable').value('state'), 'Stable');
  assert.equal(parsed('--state --list').value('state'), undefined);
  assert.ok(parsed('--state --list').has('list'));
});

test('a number may have a sign, and what is none is no optional argument of such an option', () => {
  assert.equal(parsed('--period -1').number('period'), -1);
  assert.equal(parsed('--period abc').number('period'), undefined);
  assert.deepEqual(parsed('--period abc').words, ['abc']);
});

test('an argument that has to follow is taken whatever it looks like', () => {
  assert.equal(parsed('--topic --list').value('topic'), '--list');
  assert.ok(!parsed('--topic --list').has('list'));
});

test('words that are no options, and all behind two dashes, are kept', () => {
  assert.deepEqual(parsed('word --list -- --topic').words, ['word', '--topic']);
});

test('what is wrong is said in the words of joptsimple', () => {
  assert.throws(() => parsed('--bogus'), failsWith('bogus is not a recognized option'));
  assert.throws(() => parsed('--topic'), failsWith('Option topic requires an argument'));
  assert.throws(
    () => parsed('--topic a --topic b').value('topic'),
    failsWith('Found multiple arguments for option topic, but you asked for only one'),
  );
  assert.throws(
    () => parsed('--partitions abc').number('partitions'),
    failsWith("Cannot parse argument 'abc' of option partitions"),
  );
});

test('the table has two columns within 80 characters, sorted by name', () => {
  const lines = optionTable(specs).trimEnd().split('\n');
  assert.match(lines[0]!, /^Option +Description +$/);
  assert.match(lines[1]!, /^------ +----------- +$/);
  assert.ok(lines.every((line) => line.length <= 80));
  const names = lines.flatMap((line) => /^--([\w-]+)/.exec(line)?.[1] ?? []);
  assert.deepEqual(names, [...names].sort());
  assert.match(optionTable(specs), /--state \[String\] +States\./);
  assert.match(optionTable(specs), /--timeout <Long: ms> +Patience\. \(default: 1000\)/);
});
