/** Listeners with OAUTHBEARER, for Apache's broker and ours. */
import { type Issuer, jwksFile, OAUTH_MODULE, SECURED_VALIDATOR } from './oauth-tokens.ts';

export const oauthListeners = ['UNSECURED', 'DEMANDING', 'SECURED', 'ISSUER'] as const;
export type OAuthListener = (typeof oauthListeners)[number];

/** The stories of `oauth-stories.ts` say what each of them asks for. */
export function oauthKeys(issuer: Issuer): Record<string, string> {
  const demands = [
    'PrincipalClaimName="who"',
    'ScopeClaimName="what"',
    'RequiredScope=" read  write "',
    'AllowableClockSkewMs="10000"',
  ];
  // With options Apache's broker logs in itself, and needs a name for that.
  const ownLogin = 'unsecuredLoginStringClaim_sub="broker"';
  const demanding = `${demands.map((demand) => `unsecuredValidator${demand}`).join(' ')} ${ownLogin}`;
  const of = (listener: OAuthListener, key: string): string =>
    `listener.name.${listener.toLowerCase()}.oauthbearer.${key}`;
  return {
    ...Object.fromEntries(
      oauthListeners.flatMap((name) => [
        [`listener.name.${name.toLowerCase()}.sasl.enabled.mechanisms`, 'OAUTHBEARER'],
        [of(name, 'sasl.jaas.config'), `${OAUTH_MODULE} required;`],
      ]),
    ),
    [of('DEMANDING', 'sasl.jaas.config')]: `${OAUTH_MODULE} required ${demanding};`,
    [of('SECURED', 'sasl.server.callback.handler.class')]: SECURED_VALIDATOR,
    [of('SECURED', 'sasl.oauthbearer.jwks.endpoint.url')]: jwksFile(),
    [of('ISSUER', 'sasl.server.callback.handler.class')]: SECURED_VALIDATOR.replace(/(\w+)$/, 'secured.$1'),
    [of('ISSUER', 'sasl.oauthbearer.jwks.endpoint.url')]: issuer.jwksUrl,
    [of('ISSUER', 'sasl.oauthbearer.expected.audience')]: 'kafka,broker',
    [of('ISSUER', 'sasl.oauthbearer.expected.issuer')]: 'https://issuer',
  };
}
