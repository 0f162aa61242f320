import { array, type Infer, int16, int32, int64, message, struct, uint32 } from '../../../wire/schema.ts';

/** Entries of `.txnindex` and `.snapshot` files. */

export const AbortedTxn = message({
  name: 'AbortedTxn',
  apiKey: -1,
  versions: '0',
  flexible: 'none',
  fields: {
    producerId: { type: int64, versions: '0+' },
    firstOffset: { type: int64, versions: '0+' },
    lastOffset: { type: int64, versions: '0+' },
    lastStableOffset: { type: int64, versions: '0+' },
  },
});
export type AbortedTxn = Infer<typeof AbortedTxn>;

const ProducerEntry = struct({
  producerId: { type: int64, versions: '1' },
  epoch: { type: int16, versions: '1' },
  lastSequence: { type: int32, versions: '1' },
  lastOffset: { type: int64, versions: '1' },
  offsetDelta: { type: int32, versions: '1' },
  timestamp: { type: int64, versions: '1' },
  coordinatorEpoch: { type: int32, versions: '1' },
  currentTxnFirstOffset: { type: int64, versions: '1' },
});

export const ProducerSnapshot = message({
  name: 'ProducerSnapshot',
  apiKey: -1,
  versions: '1',
  flexible: 'none',
  fields: {
    crc: { type: uint32, versions: '1' },
    producerEntries: { type: array(ProducerEntry), versions: '1' },
  },
});
export type ProducerSnapshot = Infer<typeof ProducerSnapshot>;
