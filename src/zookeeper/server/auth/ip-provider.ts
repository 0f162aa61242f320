import { ipScheme } from '../../tree/acl.ts';
import { hostAddress } from '../../tree/ip-acl.ts';
import type { AuthenticationProvider } from './provider.ts';

/** Where the client comes from (IPAuthenticationProvider); every connection has this id from the start. */
export const ipProvider: AuthenticationProvider = {
  ...ipScheme,
  authenticate: (_, { host }) => [{ scheme: 'ip', id: hostAddress(host) }],
};
