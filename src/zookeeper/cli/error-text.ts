import { ErrorCode, type KeeperError } from '../jute/errors.ts';

/** What zkCli says about an error of the server (CliWrapperException). */
const texts: { readonly [code: number]: (path: string) => string } = {
  [ErrorCode.NONODE]: (path) => `Node does not exist: ${path}`,
  [ErrorCode.NOCHILDRENFOREPHEMERALS]: (path) => `Ephemerals cannot have children: ${path}`,
  [ErrorCode.NODEEXISTS]: (path) => `Node already exists: ${path}`,
  [ErrorCode.NOTEMPTY]: (path) => `Node not empty: ${path}`,
  [ErrorCode.NOTREADONLY]: (path) => `Not a read-only call: ${path}`,
  [ErrorCode.INVALIDACL]: (path) => `Acl is not valid : ${path}`,
  [ErrorCode.NOAUTH]: (path) => `Insufficient permission : ${path}`,
  [ErrorCode.BADARGUMENTS]: (path) => `Arguments are not valid : ${path}`,
  [ErrorCode.BADVERSION]: (path) => `version No is not valid : ${path}`,
  [ErrorCode.RECONFIGINPROGRESS]: () =>
    'Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)',
  [ErrorCode.NEWCONFIGNOQUORUM]: () =>
    'No quorum of new config is connected and up-to-date with the leader of last commmitted config - try invoking reconfiguration after new servers are connected and synced',
  [ErrorCode.QUOTAEXCEEDED]: (path) => `Quota has exceeded : ${path}`,
};

export function errorText(error: KeeperError): string {
  return texts[error.code]?.(error.path ?? 'null') ?? error.message;
}
