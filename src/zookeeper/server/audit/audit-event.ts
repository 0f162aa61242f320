import type { Log } from '../../../runtime/log.ts';

export type AuditResult = 'success' | 'failure' | 'invoked';

/** What happened. Fields without a value are left out of the line. */
export interface AuditEvent {
  readonly session?: string | undefined;
  readonly user?: string | undefined;
  readonly ip?: string | undefined;
  readonly operation: string;
  readonly znode?: string | undefined;
  readonly znode_type?: string | undefined;
  readonly acl?: string | undefined;
  readonly result: AuditResult;
}

/** Where audit lines go, one for each event. */
export interface AuditSink {
  write(line: string, result: AuditResult): void;
}

const order = ['session', 'user', 'ip', 'operation', 'znode', 'znode_type', 'acl', 'result'] as const;

/** `session=0x1…\tuser=127.0.0.1\t…\tresult=success` (AuditEvent.toString). */
export function auditLine(event: AuditEvent): string {
  return order
    .filter((name) => event[name] !== undefined)
    .map((name) => `${name}=${printable(event[name] as string)}`)
    .join('\t');
}

/** A path that was refused, or the name of a user, may hold anything: it must not look like another field or line. */
function printable(text: string): string {
  return [...text].map((letter) => (isControl(letter) ? escapeOf(letter) : letter)).join('');
}

function isControl(letter: string): boolean {
  return letter < ' ' || (letter >= '\x7f' && letter < '\xa0');
}

function escapeOf(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The component that audit lines are logged as. */
export const AUDIT_LOGGER = 'org.apache.zookeeper.audit.Slf4jAuditLogger';

/** The log, under the name of Apache's logger: failures are errors (Slf4jAuditLogger). */
export function auditToLog(log: Log): AuditSink {
  const sink = log.named(AUDIT_LOGGER);
  return { write: (line, result) => (result === 'failure' ? sink.error(line) : sink.info(line)) };
}
