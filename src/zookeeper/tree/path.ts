/** A path that no znode can have; the texts are those of Apache's PathUtils. */
export class InvalidPathError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidPathError';
  }
}

/** What is wrong with a path, undefined if nothing. */
export function pathFault(path: string): string | undefined {
  const { length } = path;
  if (length === 0) return 'Path length must be > 0';
  if (path.charCodeAt(0) !== SLASH) return 'Path must start with / character';
  if (length === 1) return undefined;
  if (path.charCodeAt(length - 1) === SLASH) return 'Path must not end with / character';
  for (let index = 1; index < length; index += 1) {
    const unit = path.charCodeAt(index);
    // Almost every character of almost every path.
    if (unit > DOT_AND_SLASH_END && unit < 0x7f) continue;
    const reason = characterFault(path, index, unit);
    if (reason !== undefined) return `Invalid path string "${path}" caused by ${reason} @${index}`;
  }
  return undefined;
}

/**
 * Throws unless a znode can have this path.
 * @param isSequential a suffix will follow, so the path may end in `/`
 */
export function validatePath(path: string, isSequential = false): void {
  const fault = pathFault(isSequential ? `${path}1` : path);
  if (fault !== undefined) throw new InvalidPathError(fault);
}

/** `/` for children of the root, '' for the root itself. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? (path.length > 1 ? '/' : '') : path.slice(0, slash);
}

/**
 * Parents as the tree names them ('' for the root), of paths that come in families: siblings are created in a row, and a string
 * that was looked up before is found without hashing it.
 */
export class RecentParent {
  #last = '';

  /** Undefined for what has no slash. */
  of(path: string): string | undefined {
    let slash = path.length - 1;
    while (slash >= 0 && path.charCodeAt(slash) !== SLASH) slash -= 1;
    if (slash < 0) return undefined;
    if (slash !== this.#last.length || !path.startsWith(this.#last)) this.#last = path.slice(0, slash);
    return this.#last;
  }
}

export function nodeName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const DOT = 0x2e;
const SLASH = 0x2f;
const DOT_AND_SLASH_END = SLASH;

function characterFault(path: string, index: number, unit: number): string | undefined {
  if (unit === 0) return 'null character not allowed';
  if (unit === SLASH) return path.charCodeAt(index - 1) === SLASH ? 'empty node name specified' : undefined;
  if (unit === DOT) return endsRelativeName(path, index) ? 'relative paths not allowed' : undefined;
  const invalid =
    unit <= 0x1f ||
    (unit >= 0x7f && unit <= 0x9f) ||
    (unit >= 0xd800 && unit <= 0xf8ff) ||
    (unit >= 0xfff0 && unit <= 0xffff);
  return invalid ? 'invalid character' : undefined;
}

/** Whether the dot at an index ends a name that is `.` or `..`. */
function endsRelativeName(path: string, index: number): boolean {
  const next = path.charCodeAt(index + 1);
  if (index + 1 < path.length && next !== SLASH) return false;
  const before = path.charCodeAt(index - 1);
  return before === SLASH || (before === DOT && path.charCodeAt(index - 2) === SLASH);
}
