/** What goes to a helper thread; the memory of `bytes` changes hands with it. */
export interface TaskMessage {
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What comes back, its memory too. */
export type ResultMessage =
  | { readonly id: number; readonly output: unknown; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly error: string };

/** Larger memory is not kept for the next task. */
export const KEPT_BYTES_MAX = 4_194_304;
