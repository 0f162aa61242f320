import { ConfigError } from '../../../config/config-error.ts';
import { type BearerValidator, type BearerVerdict, invalid } from './bearer-verdict.ts';
import {
  type ClaimNames,
  IllegalTokenError,
  isBlank,
  UnreadableTokenError,
  type UnsecuredJws,
  unsecuredJwsOf,
} from './unsecured-jws.ts';

const SCOPE_ITEM = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const SKEW_MS_MAX = 2_147_483_647;

interface Demands {
  readonly names: ClaimNames;
  readonly requiredScope: readonly string[];
  readonly skewMs: number;
}

/**
 * Believes whoever says who he is, in a JWT without a signature (`OAuthBearerUnsecuredValidatorCallbackHandler`): for tests, as
 * Apache's documentation has it.
 *
 * @param key where the options come from: `unsecuredValidator…` of the login module
 * @throws ConfigError for options that could not be obeyed; Apache's broker would refuse each token for them
 */
export function unsecuredValidator(key: string, options: ReadonlyMap<string, string>): BearerValidator {
  const demands = demandsOf(key, options);
  return (token, nowMs) => {
    try {
      return verdictOf(unsecuredJwsOf(token, demands.names), demands, nowMs);
    } catch (error) {
      if (error instanceof IllegalTokenError) return invalid(error.message);
      if (error instanceof UnreadableTokenError) return { kind: 'broken', reason: error.message };
      throw error;
    }
  };
}

function demandsOf(key: string, options: ReadonlyMap<string, string>): Demands {
  const option = (name: string): string | undefined => {
    const value = options.get(`unsecuredValidator${name}`);
    return isBlank(value) ? undefined : value?.trim();
  };
  const requiredScope = (option('RequiredScope') ?? '').split(' ').filter((scope) => scope !== '');
  const illegal = requiredScope.find((scope) => !SCOPE_ITEM.test(scope));
  if (illegal !== undefined) throw new ConfigError(key, '[hidden]', `Invalid scope value: ${illegal}`);
  const skew = option('AllowableClockSkewMs') ?? '0';
  if (!/^\+?\d+$/.test(skew) || Number(skew) > SKEW_MS_MAX) {
    throw new ConfigError(
      key,
      '[hidden]',
      `unsecuredValidatorAllowableClockSkewMs is no number of milliseconds: ${skew}`,
    );
  }
  const names = { principal: option('PrincipalClaimName') ?? 'sub', scope: option('ScopeClaimName') ?? 'scope' };
  return { names, requiredScope, skewMs: Number(skew) };
}

function verdictOf(jws: UnsecuredJws, { requiredScope, skewMs }: Demands, nowMs: number): BearerVerdict {
  const { issuedSeconds, expirySeconds, principal, scope } = jws;
  if (issuedSeconds !== undefined && 1000 * issuedSeconds > nowMs + skewMs) {
    return invalid(`it is issued at ${issuedSeconds} s, later than now (${nowMs} ms)`);
  }
  if (nowMs - skewMs >= 1000 * expirySeconds) {
    return invalid(`it expired at ${expirySeconds} s, and now is ${nowMs} ms`);
  }
  if (issuedSeconds !== undefined && expirySeconds <= issuedSeconds) {
    return invalid(`it expires at ${expirySeconds} s, not after it was issued (${issuedSeconds} s)`);
  }
  const missing = requiredScope.find((required) => !scope.has(required));
  if (missing !== undefined) return invalid(`it lacks the scope ${missing}`, `[${requiredScope.join(', ')}]`);
  return { kind: 'valid', principal, expiresAtMs: Math.min(Math.round(expirySeconds * 1000), Number.MAX_SAFE_INTEGER) };
}
