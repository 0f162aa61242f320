import { javaAddress } from '../../../base/java-address.ts';

/** An address as Java's `InetAddress.toString` has it, which is how members' hosts are stored and shown: a slash, and no name. */
export const clientHost = (address: string): string => `/${javaAddress(address)}`;
