import { ConfigError } from '../../../config/config-error.ts';
import type { LoginModule } from '../../../config/jaas.ts';
import { splitList } from '../../../config/values.ts';
import type { BearerValidator } from './bearer-verdict.ts';
import type { Issuers } from './issuers.ts';
import { isSecured, numberKey, type OAuthKeys, onlyModule, textKey } from './oauth-keys.ts';
import type { ClaimDemands } from './secured-claims.ts';
import { securedValidator } from './secured-validator.ts';
import { unsecuredValidator } from './unsecured-validator.ts';

export interface ValidatorSettings {
  /** Where the module comes from. */
  readonly key: string;
  readonly modules: readonly LoginModule[];
  /** Of the listener's mechanism. */
  readonly get: OAuthKeys;
  readonly handler: { readonly key: string; readonly className: string | undefined };
  readonly issuers: Issuers;
}

/** By what a listener judges tokens. @throws ConfigError */
export function bearerValidatorOf({ key, modules, get, handler, issuers }: ValidatorSettings): BearerValidator {
  const { options } = onlyModule(key, modules);
  if (!isSecured('validator', handler.key, handler.className)) return unsecuredValidator(key, options);
  return securedValidator(issuers.keysOf(get, options), demandsOf(get));
}

function demandsOf(get: OAuthKeys): ClaimDemands {
  return {
    skewSeconds: numberKey(get, 'sasl.oauthbearer.clock.skew.seconds'),
    audiences: splitList(get('sasl.oauthbearer.expected.audience') ?? ''),
    issuer: textKey(get, 'sasl.oauthbearer.expected.issuer'),
    scopeClaim: claimName(get, 'sasl.oauthbearer.scope.claim.name'),
    subjectClaim: claimName(get, 'sasl.oauthbearer.sub.claim.name'),
  };
}

function claimName(get: OAuthKeys, key: string): string {
  const name = textKey(get, key);
  if (name !== undefined) return name;
  throw new ConfigError(key, '', `The OAuth configuration option ${key} value must not contain only whitespace`);
}
