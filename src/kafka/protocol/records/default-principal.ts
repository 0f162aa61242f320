import { bool, type Infer, message, string } from '../../../wire/schema.ts';

/** The principal inside an Envelope. */

export const DefaultPrincipalData = message({
  name: 'DefaultPrincipalData',
  apiKey: -1,
  versions: '0',
  flexible: '0+',
  fields: {
    type: { type: string, versions: '0+' },
    name: { type: string, versions: '0+' },
    tokenAuthenticated: { type: bool, versions: '0+' },
  },
});
export type DefaultPrincipalData = Infer<typeof DefaultPrincipalData>;
