import type { Clock } from '../../runtime/clock.ts';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import { ErrorCode } from '../../zookeeper/jute/errors.ts';
import { unless, type ZkConnection } from './zk-connection.ts';
import { type BrokerInfo, encodeBroker, paths } from './znodes.ts';

/** Another live broker holds the id. */
export class BrokerIdInUseError extends Error {
  constructor(id: number) {
    super(`Error while creating ephemeral at ${paths.broker(id)}: node already exists and is owned by another session`);
    this.name = 'BrokerIdInUseError';
  }
}

/** A dead client's session ends within its timeout and one tick of the server; some slack for a busy machine. */
const LEFTOVER_SESSION_FACTOR = 1.5;

/**
 * Announces the broker and answers its epoch. 3.9 creates the node empty and fills it in one transaction, so that a fresh
 * node has data version 1. A node of our own session is replaced. One of another session may be what our last life left behind
 * when it was killed: it gets the time that a session lives without its client, then it is a live broker's.
 * @throws BrokerIdInUseError
 */
export async function registerBroker(zk: ZkConnection, clock: Clock, info: BrokerInfo): Promise<number> {
  const path = paths.broker(info.id);
  const data = encodeBroker(info, clock.wallMs());
  const deadlineMs = clock.monotonicMs() + zk.client.sessionTimeoutMs * LEFTOVER_SESSION_FACTOR;
  for (;;) {
    const done = await unless(
      ErrorCode.NODEEXISTS,
      zk.requests.multi([
        { kind: 'create', path, data: null, mode: CreateMode.EPHEMERAL },
        { kind: 'setData', path, data, version: 0 },
      ]),
    );
    if (done !== undefined) break;
    await outliveLeftover(zk, clock, info.id, deadlineMs);
  }
  const stat = await zk.requests.exists(path);
  if (stat === undefined) throw new BrokerIdInUseError(info.id);
  return Number(stat.czxid);
}

/** Returns when the node may be gone. @throws BrokerIdInUseError when its owner outlives the deadline */
async function outliveLeftover(zk: ZkConnection, clock: Clock, id: number, deadlineMs: number): Promise<void> {
  const path = paths.broker(id);
  let vanished: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    vanished = resolve;
  });
  const stat = await zk.requests.exists(path, { watch: () => vanished() });
  if (stat === undefined) return;
  if (stat.ephemeralOwner === zk.client.sessionId) {
    await unless(ErrorCode.NONODE, zk.requests.delete(path));
    return;
  }
  const leftMs = deadlineMs - clock.monotonicMs();
  if (leftMs <= 0) throw new BrokerIdInUseError(id);
  const timer = clock.after(leftMs, vanished);
  await gone;
  timer.cancel();
}

/** The broker lives on with other endpoints; whoever watches the node hears of it. @throws KeeperError NONODE after the session's end */
export async function updateBroker(zk: ZkConnection, clock: Clock, info: BrokerInfo): Promise<void> {
  await zk.requests.setData(paths.broker(info.id), encodeBroker(info, clock.wallMs()), -1);
}
