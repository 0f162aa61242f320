import { underChroot, withoutChroot } from './paths.ts';

/** The ensemble's membership, which no chroot hides. */
export const CONFIG_PATH = '/zookeeper/config';

/** Where a client's paths lie on the server. */
export class Chroot {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  serverPath(path: string): string {
    return underChroot(this.#prefix, path);
  }

  /** Whether a server's path is at or below the chroot. */
  contains(serverPath: string): boolean {
    return this.#prefix === '' || serverPath === this.#prefix || serverPath.startsWith(`${this.#prefix}/`);
  }

  clientPath(path: string): string {
    return withoutChroot(this.#prefix, path);
  }
}
