/**
 * Calls when every promise that could settle has settled, each with its reactions to the last: Node drains all of them before it
 * goes on to the next immediate. This is the simulator's only contact with the real event loop (0.8 µs).
 */
export function afterPromises(callback: () => void): void {
  // biome-ignore lint/style/noRestrictedGlobals: no clock of a runtime can wait for promises without moving its time
  setImmediate(callback);
}
