import { type AclBinding, type AclEntry, type ResourcePattern, showPattern } from '../security/acl.ts';
import { type AclFilter, everyAcl } from '../security/acl-filter.ts';
import type { AclGeneration } from './acl-generations.ts';
import { CommandError } from './command-error.ts';
import { readLines } from './lines.ts';
import type { ParsedOptions } from './option-parser.ts';
import type { ToolIo } from './tool.ts';
import { aclsNamed, aclsToAdd, patternsIn, principalsIn, type WantedAcls } from './wanted-acls.ts';

/** Who keeps ACLs: the brokers, or ZooKeeper. */
export interface AclKeeper {
  create(bindings: readonly AclBinding[]): Promise<unknown>;
  delete(filters: readonly AclFilter[]): Promise<unknown>;
  describe(filter: AclFilter): Promise<readonly AclBinding[]>;
}

export interface AclCommandOptions {
  readonly keeper: AclKeeper;
  readonly options: ParsedOptions;
  readonly generation: AclGeneration;
  readonly io: ToolIo;
}

/** The three things that kafka-acls does. */
export class AclCommands {
  readonly #keeper: AclKeeper;
  readonly #options: ParsedOptions;
  readonly #generation: AclGeneration;
  readonly #io: ToolIo;
  readonly #answers: AsyncIterator<string>;

  constructor({ keeper, options, generation, io }: AclCommandOptions) {
    this.#keeper = keeper;
    this.#options = options;
    this.#generation = generation;
    this.#io = io;
    this.#answers = readLines(io.input);
  }

  async run(): Promise<void> {
    if (this.#options.has('list')) return this.#list();
    await (this.#options.has('add') ? this.#add() : this.#remove());
    if (this.#generation.listsChanges) await this.#list();
  }

  async #add(): Promise<void> {
    for (const { pattern, entries } of aclsToAdd(this.#options, this.#generation)) {
      this.#print(
        `Adding ACLs for resource \`${this.#generation.showPattern(pattern)}\`: \n ${this.#shown(entries)} \n`,
      );
      await this.#keeper.create(entries.map((entry) => ({ pattern, entry })));
    }
  }

  async #remove(): Promise<void> {
    for (const wanted of aclsNamed(this.#options, this.#generation)) {
      if (!(await this.#isSure(wanted))) continue;
      const { pattern, entries } = wanted;
      await this.#keeper.delete(entries.length === 0 ? [{ ...everyAcl, ...pattern }] : entriesAt(pattern, entries));
    }
  }

  async #isSure({ pattern, entries }: WantedAcls): Promise<boolean> {
    if (this.#options.has('force')) return true;
    const filter = showPattern(pattern);
    this.#print(
      entries.length === 0
        ? `Are you sure you want to delete all ACLs for resource filter \`${filter}\`? (y/n)`
        : `Are you sure you want to remove ACLs: \n ${this.#shown(entries)} \n from resource filter \`${filter}\`? (y/n)`,
    );
    const { value: answer } = await this.#answers.next();
    if (answer === undefined) throw new CommandError('nobody answered the question; --force asks none');
    return answer.toLowerCase() === 'y';
  }

  async #list(): Promise<void> {
    const patterns = patternsIn(this.#options);
    const filters = patterns.length === 0 ? [everyAcl] : patterns.map((pattern) => ({ ...everyAcl, ...pattern }));
    const principals = principalsIn(this.#options, 'principal');
    const found: AclBinding[] = [];
    for (const filter of filters) found.push(...(await this.#keeper.describe(filter)));
    if (principals.length === 0) this.#printCurrent(found);
    for (const principal of principals) {
      this.#print(`ACLs for principal \`${principal}\``);
      this.#printCurrent(found.filter(({ entry }) => entry.principal === principal));
    }
  }

  #printCurrent(bindings: readonly AclBinding[]): void {
    for (const group of Map.groupBy(bindings, ({ pattern }) => showPattern(pattern)).values()) {
      const name = this.#generation.showPattern(group[0]!.pattern);
      // What two filters mean is found twice.
      const lines = new Set(group.map(({ entry }) => this.#line(entry)));
      this.#print(`Current ACLs for resource \`${name}\`: \n ${[...lines].join('\n')} \n`);
    }
  }

  #shown(entries: readonly AclEntry[]): string {
    return entries.map((entry) => this.#line(entry)).join('\n');
  }

  #line(entry: AclEntry): string {
    return `\t${this.#generation.showEntry(entry)}`;
  }

  #print(text: string): void {
    this.#io.out(`${text}\n`);
  }
}

function entriesAt(pattern: ResourcePattern, entries: readonly AclEntry[]): AclFilter[] {
  return entries.map((entry) => ({ ...pattern, ...entry }));
}
