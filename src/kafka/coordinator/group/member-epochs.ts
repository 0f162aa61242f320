/** Member epochs with a meaning of their own, in heartbeats of every group whose members the broker assigns (KIP-848). */
export const JOIN_EPOCH = 0;
export const LEAVE_EPOCH = -1;
/** A static member leaves for a while: what it has been assigned stays with it. */
export const STATIC_LEAVE_EPOCH = -2;
