import { flatten } from '../../src/base/slices.ts';
import type { ConnectionHandler, Network } from '../../src/runtime/network.ts';
import { FrameSplitter } from '../../src/wire/framing.ts';

const FRAME_SIZE_MAX = 1 << 22;

/** Reads along what servers answer a client: the zxid of each reply's header, which the client keeps to itself. */
export class ReplyTap {
  /** By xid; those of notifications and pings are negative. */
  readonly zxids = new Map<number, bigint>();

  on(network: Network): Network {
    return {
      ...network,
      connect: (to, handler, options) => network.connect(to, this.#tapped(handler), options),
    };
  }

  #tapped(handler: ConnectionHandler): ConnectionHandler {
    const splitter = new FrameSplitter(FRAME_SIZE_MAX);
    let isGreeted = false;
    return {
      connected: () => handler.connected?.(),
      data: (chunk) => {
        splitter.push(chunk, (frame) => {
          if (isGreeted) this.#heard(flatten(frame));
          isGreeted = true;
          return true;
        });
        handler.data(chunk);
      },
      drained: () => handler.drained?.(),
      closed: (reason) => handler.closed(reason),
    };
  }

  #heard(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const xid = view.getInt32(0);
    if (xid > 0) this.zxids.set(xid, view.getBigInt64(4));
  }
}
