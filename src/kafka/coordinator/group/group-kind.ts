/** The protocol that a group's members speak. */
export type GroupKind = 'classic' | 'consumer' | 'share' | 'streams';
