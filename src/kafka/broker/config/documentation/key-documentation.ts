import { groupsDocumentation } from './groups.ts';
import { networkDocumentation } from './network.ts';
import { securityDocumentation } from './security.ts';
import { storageDocumentation } from './storage.ts';

/** What DescribeConfigs says of each broker key to those who ask for it (KIP-569). */
export const keyDocumentation: ReadonlyMap<string, string> = new Map([
  ...networkDocumentation,
  ...storageDocumentation,
  ...groupsDocumentation,
  ...securityDocumentation,
]);
