/** Who asks. */
export interface Requester {
  /** The user's name, without its type. Absent for what the broker asks itself. */
  readonly principal?: string | undefined;
  readonly clientAddress: string;
  /** What is asked, for the log. */
  readonly apiKey?: number;
}

/** What is logged of a decision (`Action.logIfAllowed`, `logIfDenied`, `resourceReferenceCount`). */
export interface Audit {
  readonly logsAllowed: boolean;
  readonly logsDenied: boolean;
  /** How often a request names the resource. */
  readonly references: number;
}

/** Something was asked for by its name. */
export const asked: Audit = { logsAllowed: true, logsDenied: true, references: 1 };
/** A denial is no refusal: the requester may have another right, or just hears of less. */
export const filtered: Audit = { logsAllowed: true, logsDenied: false, references: 1 };
/** Only told what it may do. */
export const onlyTold: Audit = { logsAllowed: false, logsDenied: false, references: 1 };

/** Decides what clients may do. */
export interface Authorizer {
  /** Operation and resource type are codes of `acl.ts`. */
  isAllowed(requester: Requester, operation: number, resourceType: number, name: string, audit?: Audit): boolean;
  /** Whether there is any resource of the type with which the requester may do it. */
  isAllowedSomewhere(requester: Requester, operation: number, resourceType: number): boolean;
}

/** Where no authorizer is configured. */
export const everythingAllowed: Authorizer = {
  isAllowed: () => true,
  isAllowedSomewhere: () => true,
};
