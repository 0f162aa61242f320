/*
 * int magic "ZKSN", int version 2, long dbid -1
 * int count, { long sessionId, int timeoutMs }
 * int count, { long aclId, vector<ACL> }
 * { ustring path, buffer data, long aclId, StatPersisted }, the root as "", parents before children
 * ustring "/"
 * seal: long checksum, ustring "/"            Adler-32 of all bytes before it, earlier seals included
 * [ long zxid, int version, long digest, seal ]     3.6+, digest feature on
 * [ long lastProcessedZxid, seal ]                  3.9+
 */
export const SNAPSHOT_MAGIC = 0x5a4b534e;
export const SNAPSHOT_VERSION = 2;
export const SNAPSHOT_DBID = -1n;
/** Ends the nodes and every seal: no node is called so, since the root is the empty path. */
export const END_PATH = '/';
export const SEAL_BYTES = 13;
/** After the first seal. The sections have no tags; their lengths tell them apart. */
export const ZXID_SECTION_BYTES = 8 + SEAL_BYTES;
/** The ACL id and the stat of a node. */
export const PERSISTED_STAT_BYTES = 68;
