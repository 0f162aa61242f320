import type { TlsIdentity } from '../../runtime/tls.ts';

export type StoredKey = TlsIdentity;

/** What a key store holds. */
export interface StoreEntries {
  readonly keys: readonly StoredKey[];
  /** Certificates that stand for themselves. */
  readonly trusted: readonly Uint8Array[];
}
