import { InvalidArgumentError } from './client-errors.ts';

/** A path that no server would take; refused before it is sent (org.apache.zookeeper.common.PathUtils). */
export class InvalidPathError extends InvalidArgumentError {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.name = 'InvalidPathError';
    this.path = path;
  }
}

/** @throws InvalidPathError in Apache's words */
export function validatePath(path: string): void {
  if (typeof path !== 'string') throw new InvalidPathError(path, 'Path cannot be null');
  if (path.length === 0) throw new InvalidPathError(path, 'Path length must be > 0');
  if (path[0] !== '/') throw new InvalidPathError(path, 'Path must start with / character');
  if (path.length === 1) return;
  if (path.endsWith('/')) throw new InvalidPathError(path, 'Path must not end with / character');
  const fault = faultOf(path);
  if (fault !== undefined) throw new InvalidPathError(path, `Invalid path string "${path}" caused by ${fault}`);
}

/** A sequential node's name gets digits from the server, so `/q/` is legal there. */
export function validateSequentialPath(path: string): void {
  validatePath(`${path}1`);
}

function faultOf(path: string): string | undefined {
  for (let index = 1; index < path.length; index += 1) {
    const unit = path.charCodeAt(index);
    if (unit === 0) return `null character not allowed @${index}`;
    if (unit === SLASH && path.charCodeAt(index - 1) === SLASH) return `empty node name specified @${index}`;
    if (unit === DOT && endsRelativeName(path, index)) return `relative paths not allowed @${index}`;
    if (isForbidden(unit)) return `invalid character @${index}`;
  }
  return undefined;
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** Whether the dot at an index is the last character of a `.` or `..` component. */
function endsRelativeName(path: string, index: number): boolean {
  if (index + 1 < path.length && path.charCodeAt(index + 1) !== SLASH) return false;
  return path.charCodeAt(index - 1) === SLASH || (path.charCodeAt(index - 1) === DOT && path[index - 2] === '/');
}

function isForbidden(unit: number): boolean {
  return (
    (unit > 0x00 && unit <= 0x1f) ||
    (unit >= 0x7f && unit <= 0x9f) ||
    (unit >= 0xd800 && unit <= 0xf8ff) ||
    (unit >= 0xfff0 && unit <= 0xffff)
  );
}

/** The server's path of a client's path. `chroot` is empty or has no trailing slash. */
export function underChroot(chroot: string, path: string): string {
  if (chroot === '') return path;
  return path === '/' ? chroot : chroot + path;
}

/** The client's path of a server's path; one outside the chroot stays as it is, as in Apache's client. */
export function withoutChroot(chroot: string, path: string): string {
  if (chroot === '') return path;
  if (path === chroot) return '/';
  return path.startsWith(`${chroot}/`) ? path.slice(chroot.length) : path;
}

/** The parent of a path other than the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

export function childOf(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}
