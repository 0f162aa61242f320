import { brokerKeys } from './broker-keys.ts';
import { CLUSTER_LISTENER_KEYS, needsListenerPrefix } from './dynamic-keys.ts';
import { type KeyTexts, listenersOf } from './listener-endpoints.ts';

/** A change of one of these has Apache look at every listener that stays (`DynamicListenerConfig.ReconfigurableConfigs`). */
const watchedKeys = [...brokerKeys.values()]
  .filter(({ name, updateMode }) => updateMode === 'per-broker' || CLUSTER_LISTENER_KEYS.has(name))
  .map(({ name }) => name);

/** What listeners that stay demand of a change; undefined where they agree (`DynamicListenerConfig.validateReconfiguration`). */
export function listenerChangeFault(next: KeyTexts, current: KeyTexts): string | undefined {
  if (watchedKeys.every((key) => next.get(key) === current.get(key))) return undefined;
  const before = new Map(listenersOf(current).map((listener) => [listener.listenerName, listener]));
  for (const { listenerName, securityProtocol } of listenersOf(next)) {
    const old = before.get(listenerName);
    if (old === undefined) continue;
    if (fixedValues(next, listenerName) !== fixedValues(current, listenerName)) {
      return (
        `Configs cannot be updated dynamically for existing listener ListenerName(${listenerName}), ` +
        'restart broker or create a new listener for update'
      );
    }
    if (securityProtocol !== old.securityProtocol) {
      return `Security protocol cannot be updated for existing listener ListenerName(${listenerName})`;
    }
  }
  return undefined;
}

/** What a listener of this name has of its own and keeps as long as it lives, as one text to compare. */
function fixedValues(texts: KeyTexts, listenerName: string): string {
  const prefix = `listener.name.${listenerName.toLowerCase()}.`;
  const fixed = [...texts].filter(([name]) => {
    if (!name.startsWith(prefix)) return false;
    const key = name.slice(prefix.length);
    return !needsListenerPrefix(key) && !CLUSTER_LISTENER_KEYS.has(key);
  });
  return JSON.stringify(fixed.sort(([a], [b]) => (a < b ? -1 : 1)));
}
