import { javaAddress } from '../../base/java-address.ts';
import type { Log } from '../../runtime/log.ts';
import { apiInfos } from '../protocol/api-keys.ts';
import {
  type AclBinding,
  type AclEntry,
  AclOperation,
  AclPermission,
  operationName,
  PatternType,
  type ResourcePattern,
  resourceTypeName,
  WILDCARD,
} from './acl.ts';
import { type Audit, type Authorizer, asked, type Requester } from './authorizer.ts';

export interface AclAuthorizerOptions {
  /** `super.users`: they may do everything, whatever ACLs say. */
  readonly superUsers: ReadonlySet<string>;
  /** `allow.everyone.if.no.acl.found` */
  readonly allowsWithoutAcl: boolean;
  /** `kafka.authorizer.logger` */
  readonly log: Log;
}

/** Whoever may do one of these may describe, too. */
const impliedBy: ReadonlyMap<number, readonly number[]> = new Map([
  [
    AclOperation.describe,
    [AclOperation.describe, AclOperation.read, AclOperation.write, AclOperation.delete, AclOperation.alter],
  ],
  [AclOperation.describeConfigs, [AclOperation.describeConfigs, AclOperation.alterConfigs]],
]);

const EVERYBODY = 'User:*';
const noEntries: readonly AclEntry[] = [];

/** The rules of one type of resources. */
interface Rules {
  readonly literal: Map<string, readonly AclEntry[]>;
  readonly prefixed: Map<string, readonly AclEntry[]>;
  /** No prefix is longer; it never shrinks. */
  longestPrefix: number;
}

/** The requester as rules name him. */
interface Subject {
  readonly principal: string;
  readonly host: string;
}

/** Decides by the ACLs that it is given (`kafka.security.authorizer.AclAuthorizer`). A denial counts more than any allowance. */
export class AclAuthorizer implements Authorizer {
  readonly #options: AclAuthorizerOptions;
  readonly #rules = new Map<number, Rules>();

  constructor(options: AclAuthorizerOptions) {
    this.#options = options;
  }

  /** From now on these are all ACLs of the pattern; an empty list leaves none. */
  set({ resourceType, patternType, name }: ResourcePattern, entries: readonly AclEntry[]): void {
    let rules = this.#rules.get(resourceType);
    if (rules === undefined) {
      rules = { literal: new Map(), prefixed: new Map(), longestPrefix: 0 };
      this.#rules.set(resourceType, rules);
    }
    const named = patternType === PatternType.literal ? rules.literal : rules.prefixed;
    if (entries.length === 0) named.delete(name);
    else named.set(name, entries);
    if (patternType === PatternType.prefixed) rules.longestPrefix = Math.max(rules.longestPrefix, name.length);
  }

  *bindings(): Generator<AclBinding> {
    for (const [resourceType, { literal, prefixed }] of this.#rules) {
      for (const [patternType, named] of [
        [PatternType.literal, literal],
        [PatternType.prefixed, prefixed],
      ] as const) {
        for (const [name, entries] of named) {
          for (const entry of entries) yield { pattern: { resourceType, patternType, name }, entry };
        }
      }
    }
  }

  isAllowed(
    requester: Requester,
    operation: number,
    resourceType: number,
    name: string,
    audit: Audit = asked,
  ): boolean {
    const subject = subjectOf(requester);
    if (subject === undefined) return true;
    const isAllowed =
      this.#options.superUsers.has(subject.principal) || this.#decide(subject, operation, resourceType, name);
    if (isAllowed ? audit.logsAllowed : audit.logsDenied) {
      const pattern = `LITERAL:${name}`;
      this.#log(requester, subject, { operation, resourceType, pattern, isAllowed, references: audit.references });
    }
    return isAllowed;
  }

  #decide(subject: Subject, operation: number, resourceType: number, name: string): boolean {
    const found = this.#matching(resourceType, name);
    if (found.length === 0) return this.#options.allowsWithoutAcl;
    if (found.some((entry) => says(entry, AclPermission.deny, subject, operation))) return false;
    const sufficient = impliedBy.get(operation) ?? [operation];
    return found.some((entry) => sufficient.some((one) => says(entry, AclPermission.allow, subject, one)));
  }

  /** Of all patterns that the resource is in. */
  #matching(resourceType: number, name: string): readonly AclEntry[] {
    const rules = this.#rules.get(resourceType);
    if (rules === undefined) return noEntries;
    const { literal, prefixed, longestPrefix } = rules;
    const found = [...(literal.get(name) ?? noEntries)];
    if (name !== WILDCARD) found.push(...(literal.get(WILDCARD) ?? noEntries));
    if (prefixed.size === 0) return found;
    for (let length = Math.min(name.length, longestPrefix); length > 0; length -= 1) {
      found.push(...(prefixed.get(name.slice(0, length)) ?? noEntries));
    }
    return found;
  }

  /** As Apache decides it: without what operations imply, and where all may do what no ACL forbids, only by what forbids all. */
  isAllowedSomewhere(requester: Requester, operation: number, resourceType: number): boolean {
    const subject = subjectOf(requester);
    if (subject === undefined || this.#options.superUsers.has(subject.principal)) return true;
    const isAllowed = this.#decideSomewhere(subject, operation, resourceType);
    this.#log(requester, subject, { operation, resourceType, pattern: 'UNKNOWN:NONE', isAllowed, references: 0 });
    return isAllowed;
  }

  #decideSomewhere(subject: Subject, operation: number, resourceType: number): boolean {
    const rules = this.#rules.get(resourceType);
    if (rules === undefined) return this.#options.allowsWithoutAcl;
    const names = (named: Rules['literal'], permission: number): string[] =>
      [...named].flatMap(([name, entries]) =>
        entries.some((entry) => says(entry, permission, subject, operation)) ? [name] : [],
      );
    const denied = new Set(names(rules.literal, AclPermission.deny));
    if (denied.has(WILDCARD)) return false;
    if (this.#options.allowsWithoutAcl) return true;
    const deniedPrefixes = names(rules.prefixed, AclPermission.deny);
    const isFree = (name: string): boolean => !deniedPrefixes.some((prefix) => name.startsWith(prefix));
    return (
      names(rules.prefixed, AclPermission.allow).some(isFree) ||
      names(rules.literal, AclPermission.allow).some((name) => name === WILDCARD || (!denied.has(name) && isFree(name)))
    );
  }

  /** The line that auditors search for: denials are told, what is allowed only to who debugs. */
  #log({ apiKey }: Requester, { principal, host }: Subject, decision: Decision): void {
    const { operation, resourceType, pattern, isAllowed, references } = decision;
    const line = (): string =>
      `Principal = ${principal} is ${isAllowed ? 'Allowed' : 'Denied'} Operation = ${operationName(operation)} ` +
      `from host = ${host} on resource = ${resourceTypeName(resourceType)}:${pattern} for request = ${apiInfos.get(apiKey ?? -1)?.name ?? apiKey} ` +
      `with resourceRefCount = ${references}`;
    if (isAllowed) this.#options.log.debug(line);
    else this.#options.log.info(line());
  }
}

interface Decision {
  readonly operation: number;
  readonly resourceType: number;
  readonly pattern: string;
  readonly isAllowed: boolean;
  readonly references: number;
}

/** Undefined for the broker itself. */
function subjectOf({ principal, clientAddress }: Requester): Subject | undefined {
  return principal === undefined ? undefined : { principal: `User:${principal}`, host: javaAddress(clientAddress) };
}

function says(entry: AclEntry, permission: number, { principal, host }: Subject, operation: number): boolean {
  return (
    entry.permission === permission &&
    (entry.operation === operation || entry.operation === AclOperation.all) &&
    (entry.principal === principal || entry.principal === EVERYBODY) &&
    (entry.host === host || entry.host === WILDCARD)
  );
}
