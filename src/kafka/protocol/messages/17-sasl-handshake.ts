import { array, type Infer, int16, message, string } from '../../../wire/schema.ts';

/**
 * SaslHandshake: chooses the SASL mechanism. Never flexible.
 *
 * v0  the SASL exchange follows as bare frames
 * v1  the exchange follows in SaslAuthenticate requests (KIP-152)
 */

export const SaslHandshakeRequest = message({
  name: 'SaslHandshakeRequest',
  apiKey: 17,
  versions: '0-1',
  flexible: 'none',
  fields: {
    mechanism: { type: string, versions: '0+' },
  },
});
export type SaslHandshakeRequest = Infer<typeof SaslHandshakeRequest>;

export const SaslHandshakeResponse = message({
  name: 'SaslHandshakeResponse',
  apiKey: 17,
  versions: '0-1',
  flexible: 'none',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    mechanisms: { type: array(string), versions: '0+' },
  },
});
export type SaslHandshakeResponse = Infer<typeof SaslHandshakeResponse>;
