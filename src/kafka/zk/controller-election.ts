import type { Clock } from '../../runtime/clock.ts';
import { MultiError, type MultiOp } from '../../zookeeper/client/multi.ts';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import { ErrorCode, KeeperError } from '../../zookeeper/jute/errors.ts';
import { codeOf, unless, type ZkConnection } from './zk-connection.ts';
import { decodeController, encodeController, paths } from './znodes.ts';

/** What the controller proves with every write: it still is the one that raised the epoch (`/controller_epoch`'s version). */
export interface ControllerEpoch {
  readonly epoch: number;
  readonly zkVersion: number;
}

/** Another controller was elected: nothing that this one still wants to write may be written. */
export class ControllerMovedError extends Error {
  constructor(options?: ErrorOptions) {
    super('another broker is the controller now', options);
    this.name = 'ControllerMovedError';
  }
}

/** Takes the controllership if nobody has it: one transaction creates the node and raises the epoch. Undefined when lost. */
export async function electController(
  zk: ZkConnection,
  clock: Clock,
  brokerId: number,
): Promise<ControllerEpoch | undefined> {
  const current = await controllerEpoch(zk);
  const epoch = current.epoch + 1;
  try {
    await zk.requests.multi([
      {
        kind: 'create',
        path: paths.controller,
        data: encodeController(brokerId, clock.wallMs()),
        mode: CreateMode.EPHEMERAL,
      },
      { kind: 'setData', path: paths.controllerEpoch, data: Buffer.from(String(epoch)), version: current.zkVersion },
    ]);
  } catch (error) {
    const code = codeOf(error);
    if (code !== ErrorCode.NODEEXISTS && code !== ErrorCode.BADVERSION) throw error;
    if (!(await electedAnyway(zk, brokerId, epoch))) return undefined;
  }
  return { epoch, zkVersion: current.zkVersion + 1 };
}

/** The answer to our election was lost with its connection, and the repetition found what we had written. */
async function electedAnyway(zk: ZkConnection, brokerId: number, epoch: number): Promise<boolean> {
  const node = await unless(ErrorCode.NONODE, zk.requests.getData(paths.controller));
  if (node === undefined || node.stat.ephemeralOwner !== zk.client.sessionId) return false;
  return decodeController(node.data) === brokerId && (await controllerEpoch(zk)).epoch === epoch;
}

async function controllerEpoch(zk: ZkConnection): Promise<ControllerEpoch> {
  for (;;) {
    const node = await unless(ErrorCode.NONODE, zk.requests.getData(paths.controllerEpoch));
    if (node !== undefined) {
      return { epoch: Number(Buffer.from(node.data ?? []).toString()), zkVersion: node.stat.version };
    }
    await unless(ErrorCode.NODEEXISTS, zk.requests.create(paths.controllerEpoch, Buffer.from('0')));
  }
}

/**
 * Gives the controllership up; others are told by their watches. Tried once and only while connected: whoever stops does not wait
 * for ZooKeeper, and the session's end does the same.
 */
export async function resignController(zk: ZkConnection, epoch: ControllerEpoch): Promise<void> {
  const { client } = zk;
  if (client.state !== 'connected') return;
  try {
    await client.multi([
      { kind: 'check', path: paths.controllerEpoch, version: epoch.zkVersion },
      { kind: 'delete', path: paths.controller, version: -1 },
    ]);
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error;
  }
}

/** One write that counts only while the epoch is ours. @throws ControllerMovedError */
export async function fenced(zk: ZkConnection, epoch: ControllerEpoch, operation: MultiOp): Promise<void> {
  try {
    await zk.requests.multi([{ kind: 'check', path: paths.controllerEpoch, version: epoch.zkVersion }, operation]);
  } catch (error) {
    if (error instanceof MultiError && error.failedIndex === 0) {
      throw new ControllerMovedError({ cause: error });
    }
    throw error;
  }
}
