/**
 * The files of a membership that changes, beside the configuration file (`zoo.cfg` here):
 *
 *   zoo.cfg.bak              what the operator wrote, before the membership was taken out of it
 *   zoo.cfg.dynamic.next     a membership that is proposed; its version is a line in it
 *   zoo.cfg.dynamic.<hex>    one that was activated, named by its version; the old ones stay
 *   zoo.cfg                  without the lines of members, and with `dynamicConfigFile=` the newest of those
 */

import { propertiesOrder } from '../../base/java-order.ts';
import { ConfigError } from '../../config/config-error.ts';
import { parseProperties, propertyLine } from '../../config/properties.ts';
import type { ZooCfg } from '../../config/zoo-cfg.ts';
import { isMembershipKey } from '../../config/zoo-cfg-quorum.ts';
import { type Completion, type Disk, DiskError } from '../../runtime/disk.ts';
import { hexOf, parseHex } from '../jute/ids.ts';
import { type Membership, membershipOf, parseMembership, withVersion } from './membership.ts';
import type { ServerId } from './quorum-verifier.ts';

const NEXT_SUFFIX = '.dynamic.next';

export interface StoredMembership {
  readonly current: Membership;
  /** One that was proposed, and may or may not have come to be; undefined where nothing is pending. */
  readonly next: Membership | undefined;
}

/** From zoo.cfg, or the file that it names. @throws ConfigError, or DiskError for what cannot be read */
export function readMembership(disk: Disk, config: ZooCfg): StoredMembership {
  const path = config.dynamicConfigFile;
  if (path === undefined) return { current: membershipOf(config), next: undefined };
  if (disk.stat(path)?.kind !== 'file') {
    throw new ConfigError('dynamicConfigFile', path, 'there is no such file');
  }
  const text = textOf(disk, path);
  if (parseProperties(text).has('version')) {
    throw new ConfigError('dynamicConfigFile', path, 'the version is the end of its name, not a line in it');
  }
  const current = withVersion(parseMembership(text, config), versionOfName(path));
  return { current, next: readNext(disk, config) };
}

function readNext(disk: Disk, config: ZooCfg): Membership | undefined {
  const path = `${config.source.path}${NEXT_SUFFIX}`;
  if (config.source.path === undefined || disk.stat(path) === undefined) return undefined;
  return parseMembership(textOf(disk, path), config);
}

/** `zoo.cfg.dynamic.1000` is of version 0x1000, a name without such an end of version 0. */
function versionOfName(path: string): bigint {
  const version = parseHex(path.slice(path.lastIndexOf('.') + 1)) ?? 0n;
  return version < 0n ? 0n : version;
}

function textOf(disk: Disk, path: string): string {
  return Buffer.from(disk.readFile(path)).toString('latin1');
}

type Step = (done: Completion) => void;

/**
 * Writes those files, one after the other, each durably and as a whole: after a crash between two of them the server has the
 * membership before, and hears of the newer one from the others.
 */
export class DynamicConfigFiles {
  readonly #disk: Disk;
  readonly #path: string;
  /** Operations share names, so that they take turns; the first is in progress. */
  readonly #operations: { readonly steps: Step[]; readonly done: Completion }[] = [];

  /** @param path of the configuration file */
  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** At each start of a member whose configuration file still holds the membership (QuorumPeerConfig.backupOldConfig). */
  backUp(done: Completion): void {
    const copy: Step = (copied) => this.#disk.replaceFile(`${this.#path}.bak`, this.#disk.readFile(this.#path), copied);
    this.#enqueue([copy], done);
  }

  /** Before the membership is acknowledged or proposed (QuorumPeer.setLastSeenQuorumVerifier). */
  writeNext({ text }: Membership, done: Completion): void {
    this.#enqueue([(written) => this.#disk.replaceFile(this.#nextPath, linesOf(text, true), written)], done);
  }

  /**
   * A quorum has it (QuorumPeer.setQuorumVerifier). What is pending is forgotten unless it is newer.
   *
   * @param self without a client port in its line it keeps `clientPort` in the configuration file
   */
  activate({ text, version, servers }: Membership, self: ServerId, done: Completion): void {
    const dynamicFile = `${this.#path}.dynamic.${hexOf(version)}`;
    const erasesClientPort = servers.get(self)?.clientPort !== undefined;
    const write: Step = (written) => this.#disk.replaceFile(dynamicFile, linesOf(text, false), written);
    const pointTo: Step = (written) => {
      const edited = staticText(textOf(this.#disk, this.#path), dynamicFile, erasesClientPort);
      this.#disk.replaceFile(this.#path, Buffer.from(edited, 'latin1'), written);
    };
    const forgetNext: Step = (forgotten) => {
      this.#forgetNext(version);
      forgotten();
    };
    this.#enqueue([write, pointTo, forgetNext], done);
  }

  get #nextPath(): string {
    return `${this.#path}${NEXT_SUFFIX}`;
  }

  #forgetNext(version: bigint): void {
    if (this.#disk.stat(this.#nextPath) === undefined) return;
    const pending = parseProperties(textOf(this.#disk, this.#nextPath)).get('version') ?? '';
    if ((parseHex(pending) ?? 0n) <= version) this.#disk.remove(this.#nextPath);
  }

  #enqueue(steps: Step[], done: Completion): void {
    this.#operations.push({ steps, done });
    if (this.#operations.length === 1) this.#step();
  }

  /** The next step of the first operation, which its first failure ends. */
  #step(error?: DiskError): void {
    const [operation] = this.#operations;
    if (operation === undefined) return;
    const step = error === undefined ? operation.steps.shift() : undefined;
    if (step === undefined) {
      this.#operations.shift();
      operation.done(error);
      this.#step();
      return;
    }
    try {
      step((failure) => this.#step(failure));
    } catch (failure) {
      if (!(failure instanceof DiskError)) throw failure;
      this.#step(failure);
    }
  }
}

/** The lines sorted, without a newline at the end. */
function linesOf(text: string, withVersion: boolean): Uint8Array {
  const lines = [...parseProperties(text)]
    .filter(([key]) => withVersion || key !== 'version')
    .map(([key, value]) => propertyLine(key, value));
  return Buffer.from(lines.sort().join('\n'), 'latin1');
}

/** QuorumPeerConfig.editStaticConfig: without the membership, its keys in the order in which Java's table has them. */
function staticText(text: string, dynamicFile: string, erasesClientPort: boolean): string {
  const keys = parseProperties(text);
  const isErased = (key: string): boolean =>
    isMembershipKey(key) ||
    key.startsWith('dynamicConfigFile') ||
    key.startsWith('peerType') ||
    (erasesClientPort && key.startsWith('clientPort'));
  const lines = propertiesOrder(keys.keys())
    .filter((key) => !isErased(key))
    .map((key) => propertyLine(key, keys.get(key)?.trim() ?? ''));
  return [...lines, propertyLine('dynamicConfigFile', dynamicFile), ''].join('\n');
}
