import { ConfigError } from '../../../config/config-error.ts';
import { type KeyTexts, listenersOf } from './listener-endpoints.ts';
import { unsupportedSecurity } from './listener-security.ts';

/**
 * What this broker cannot do though Apache takes it; undefined where it can. A port that no listener can have Apache takes as well, and
 * does not start any more.
 */
export function unsupportedListener(texts: KeyTexts): string | undefined {
  for (const listener of listenersOf(texts)) {
    const { listenerName, port } = listener;
    if (port < 0 || port > 65_535) return `${listenerName} cannot listen on port ${port}`;
    try {
      const reason = unsupportedSecurity(texts, listener);
      if (reason !== undefined) return reason;
    } catch (error) {
      if (error instanceof ConfigError) return `${listenerName}: ${error.message}`;
      throw error;
    }
  }
  return undefined;
}
