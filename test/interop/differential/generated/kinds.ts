/** Every kind of request that is drawn. A new one is a file in `kinds/` and a line here. */
import type { RequestKind } from './kind.ts';
import { configKinds } from './kinds/configs.ts';
import { fetch } from './kinds/fetch.ts';
import { fetchSession } from './kinds/fetch-session.ts';
import { groupKinds } from './kinds/groups.ts';
import { listOffsets } from './kinds/list-offsets.ts';
import { metadata } from './kinds/metadata.ts';
import { offsetKinds } from './kinds/offsets.ts';
import { partitionKinds } from './kinds/partitions.ts';
import { initProducerId, produce } from './kinds/produce.ts';
import { topicKinds } from './kinds/topics.ts';
import { transactionKinds } from './kinds/transactions.ts';

/** The first creates a topic: each sequence begins with it. */
export const kinds: readonly RequestKind<unknown>[] = [
  ...topicKinds,
  metadata,
  produce,
  initProducerId,
  fetch,
  fetchSession,
  listOffsets,
  ...configKinds,
  ...groupKinds,
  ...offsetKinds,
  ...partitionKinds,
  ...transactionKinds,
];
