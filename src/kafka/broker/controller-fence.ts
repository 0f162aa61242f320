import { ErrorCode } from '../protocol/errors.ts';

/** Remembers the newest controller, and this broker's own life, so that orders of the past are refused. */
export class ControllerFence {
  #controllerEpoch = 0;
  /** czxid of our znode; -1 before registration. */
  brokerEpoch = -1;

  get controllerEpoch(): number {
    return this.#controllerEpoch;
  }

  /**
   * The error of a control request, NONE if it counts. An unknown broker epoch (-1, older protocol versions) passes; a larger one
   * does too: the controller may see our new znode before we do (KIP-380).
   */
  check(controllerEpoch: number, brokerEpoch: number): number {
    if (brokerEpoch >= 0 && brokerEpoch < this.brokerEpoch) return ErrorCode.STALE_BROKER_EPOCH;
    if (controllerEpoch < this.#controllerEpoch) return ErrorCode.STALE_CONTROLLER_EPOCH;
    this.#controllerEpoch = controllerEpoch;
    return ErrorCode.NONE;
  }
}
