interface KeeperErrorRow {
  readonly code: number;
  /** KeeperException's class without the suffix. */
  readonly name: string;
  /** What stands after `KeeperErrorCode = `. */
  readonly text: string;
}

/** KeeperException.Code: constant → number. */
export const ErrorCode = {
  OK: 0,
  SYSTEMERROR: -1,
  RUNTIMEINCONSISTENCY: -2,
  DATAINCONSISTENCY: -3,
  CONNECTIONLOSS: -4,
  MARSHALLINGERROR: -5,
  UNIMPLEMENTED: -6,
  OPERATIONTIMEOUT: -7,
  BADARGUMENTS: -8,
  UNKNOWNSESSION: -12,
  NEWCONFIGNOQUORUM: -13,
  RECONFIGINPROGRESS: -14,
  APIERROR: -100,
  NONODE: -101,
  NOAUTH: -102,
  BADVERSION: -103,
  NOCHILDRENFOREPHEMERALS: -108,
  NODEEXISTS: -110,
  NOTEMPTY: -111,
  SESSIONEXPIRED: -112,
  INVALIDCALLBACK: -113,
  INVALIDACL: -114,
  AUTHFAILED: -115,
  SESSIONMOVED: -118,
  NOTREADONLY: -119,
  EPHEMERALONLOCALSESSION: -120,
  NOWATCHER: -121,
  REQUESTTIMEOUT: -122,
  RECONFIGDISABLED: -123,
  SESSIONCLOSEDREQUIRESASLAUTH: -124,
  QUOTAEXCEEDED: -125,
  THROTTLEDOP: -127,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

const rows: readonly KeeperErrorRow[] = [
  { code: 0, name: 'Ok', text: 'ok' },
  { code: -1, name: 'SystemError', text: 'SystemError' },
  { code: -2, name: 'RuntimeInconsistency', text: 'RuntimeInconsistency' },
  { code: -3, name: 'DataInconsistency', text: 'DataInconsistency' },
  { code: -4, name: 'ConnectionLoss', text: 'ConnectionLoss' },
  { code: -5, name: 'MarshallingError', text: 'MarshallingError' },
  { code: -6, name: 'Unimplemented', text: 'Unimplemented' },
  { code: -7, name: 'OperationTimeout', text: 'OperationTimeout' },
  { code: -8, name: 'BadArguments', text: 'BadArguments' },
  { code: -12, name: 'UnknownSession', text: 'Unknown error UNKNOWNSESSION' },
  { code: -13, name: 'NewConfigNoQuorum', text: 'NewConfigNoQuorum' },
  { code: -14, name: 'ReconfigInProgress', text: 'ReconfigInProgress' },
  { code: -100, name: 'ApiError', text: 'APIError' },
  { code: -101, name: 'NoNode', text: 'NoNode' },
  { code: -102, name: 'NoAuth', text: 'NoAuth' },
  { code: -103, name: 'BadVersion', text: 'BadVersion' },
  { code: -108, name: 'NoChildrenForEphemerals', text: 'NoChildrenForEphemerals' },
  { code: -110, name: 'NodeExists', text: 'NodeExists' },
  { code: -111, name: 'NotEmpty', text: 'Directory not empty' },
  { code: -112, name: 'SessionExpired', text: 'Session expired' },
  { code: -113, name: 'InvalidCallback', text: 'Invalid callback' },
  { code: -114, name: 'InvalidACL', text: 'InvalidACL' },
  { code: -115, name: 'AuthFailed', text: 'AuthFailed' },
  { code: -118, name: 'SessionMoved', text: 'Session moved' },
  { code: -119, name: 'NotReadOnly', text: 'Not a read-only call' },
  { code: -120, name: 'EphemeralOnLocalSession', text: 'Ephemeral node on local session' },
  { code: -121, name: 'NoWatcher', text: 'No such watcher' },
  { code: -122, name: 'RequestTimeout', text: 'Unknown error REQUESTTIMEOUT' },
  { code: -123, name: 'ReconfigDisabled', text: 'Reconfig is disabled' },
  {
    code: -124,
    name: 'SessionClosedRequireSaslAuth',
    text: 'Session closed because client failed to authenticate',
  },
  { code: -125, name: 'QuotaExceeded', text: 'Quota has exceeded' },
  { code: -127, name: 'ThrottledOp', text: 'Op throttled due to high load' },
];
const byCode = new Map(rows.map((row) => [row.code, row]));

/** The connection was lost or the server was slow: the same request may succeed later (and may have been done already). */
const retriable: ReadonlySet<number> = new Set([
  ErrorCode.CONNECTIONLOSS,
  ErrorCode.OPERATIONTIMEOUT,
  ErrorCode.REQUESTTIMEOUT,
  ErrorCode.SESSIONMOVED,
  ErrorCode.THROTTLEDOP,
]);

/** What the protocol calls an error: `KeeperErrorCode = NoNode for /x`. */
export class KeeperError extends Error {
  readonly code: number;
  readonly path: string | undefined;

  constructor(code: number, path?: string, options?: ErrorOptions) {
    super(keeperErrorText(code, path), options);
    this.name = byCode.get(code)?.name ?? 'Unknown';
    this.code = code;
    this.path = path;
  }

  get retriable(): boolean {
    return retriable.has(this.code);
  }
}

/** The message of Apache's KeeperException. */
export function keeperErrorText(code: number, path?: string): string {
  const text = byCode.get(code)?.text ?? `Unknown error ${code}`;
  return path === undefined ? `KeeperErrorCode = ${text}` : `KeeperErrorCode = ${text} for ${path}`;
}
