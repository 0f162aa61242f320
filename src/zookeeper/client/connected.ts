import type { Clock } from '../../runtime/clock.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { abortable, type Reject } from './client-errors.ts';
import type { SessionState } from './session.ts';

export interface ConnectedOptions {
  /** Gives up after so many milliseconds with CONNECTIONLOSS. Default: never. */
  readonly timeoutMs?: number;
  /** Gives up with an AbortError. */
  readonly signal?: AbortSignal;
}

interface HasState {
  readonly state: SessionState;
  /** SASL is under way: requests wait. */
  readonly isAuthenticating: boolean;
}

interface TellsState {
  onState(listener: () => void): () => void;
  onSaslAuthenticated(listener: () => void): () => void;
}

/** Resolves once there is a connection; rejects when there can be none any more. */
export function waitForConnection(
  session: HasState,
  client: TellsState,
  clock: Clock,
  options: ConnectedOptions,
): Promise<void> {
  const { signal } = options;
  const begin = (resolve: () => void, reject: Reject) => wait(session, client, clock, options, resolve, reject);
  if (signal === undefined) return new Promise((resolve, reject) => void begin(resolve, reject));
  return abortable(signal, undefined, (resolve, reject) => {
    const stop = begin(resolve, reject);
    return () => {
      stop();
      return false;
    };
  });
}

/** Answers how to stop waiting. */
function wait(
  session: HasState,
  client: TellsState,
  clock: Clock,
  { timeoutMs }: ConnectedOptions,
  resolve: () => void,
  reject: Reject,
): () => void {
  const settle = (): void => {
    const outcome = outcomeOf(session.state);
    if (outcome === undefined || (outcome === 'connected' && session.isAuthenticating)) return;
    stop();
    if (outcome === 'connected') resolve();
    else reject(new KeeperError(outcome));
  };
  const stopListening = [client.onState(settle), client.onSaslAuthenticated(settle)];
  const giveUp = (): void => {
    stop();
    reject(new KeeperError(ErrorCode.CONNECTIONLOSS));
  };
  const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, giveUp);
  const stop = (): void => {
    for (const each of stopListening) each();
    timer?.cancel();
  };
  settle();
  return stop;
}

/** Undefined while it is open; else 'connected', or the code of the error that every request has from now on. */
export function outcomeOf(state: SessionState): 'connected' | number | undefined {
  switch (state) {
    case 'connected':
    case 'connectedReadOnly':
      return 'connected';
    case 'authFailed':
      return ErrorCode.AUTHFAILED;
    case 'expired':
    case 'closed':
      return ErrorCode.SESSIONEXPIRED;
    default:
      return undefined;
  }
}
