/** Changes of listeners that listeners.test.ts asks of both brokers without doing them: what is refused, and in which words. */
import type { Values } from './config-changes.ts';

const MAP = 'listener.security.protocol.map';

export interface Ports {
  /** Of the broker's PLAINTEXT listener. */
  readonly port: number;
  /** Of nobody. */
  readonly extraPort: number;
}

export function listenerChanges({ port, extraPort }: Ports): readonly (readonly [entity: string, values: Values])[] {
  const here = `PLAINTEXT://127.0.0.1:${port}`;
  const extra = `EXTRA://127.0.0.1:${extraPort}`;
  const both = `${here},${extra}`;
  const map = 'PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT';
  const mapped = [MAP, map] as const;
  const listeners = (text: string, ...more: Values): readonly [string, Values] => ['0', [['listeners', text], ...more]];
  const advertised = (text: string, ...more: Values): readonly [string, Values] => [
    '0',
    [['advertised.listeners', text], ...more],
  ];
  const own = (name: string, value: string): readonly [string, Values] => ['0', [[name, value]]];
  return [
    listeners(both),
    listeners(both, mapped),
    listeners(both, [MAP, 'EXTRA:PLAINTEXT']),
    listeners(extra),
    listeners(extra, mapped),
    listeners(''),
    listeners('nonsense'),
    listeners('PLAINTEXT://127.0.0.1'),
    listeners('PLAINTEXT://127.0.0.1:x'),
    listeners(`${here},PLAINTEXT://127.0.0.1:${extraPort}`),
    listeners(`${here},SSL://127.0.0.1:${port}`),
    listeners(`${here},EXTRA://[::1]:${port}`, mapped),
    listeners(`${here},EXTRA://localhost:${port}`, mapped),
    listeners(`PLAINTEXT://localhost:${port},EXTRA://:${port}`, mapped),
    listeners(`${here},SSL://127.0.0.1:${port},SASL_SSL://[::1]:${port}`),
    listeners(`${here},SSL://127.0.0.1:${port},SASL_SSL://localhost:${port}`),
    listeners(`${here},EXTRA://0.0.0.0:${extraPort}`, mapped),
    listeners(`${here},EXTRA://:${extraPort}`, mapped),
    listeners(`PLAINTEXT://127.0.0.1:${extraPort}`),
    listeners(`plaintext://127.0.0.1:${port},extra://127.0.0.1:${extraPort}`, [
      MAP,
      'plaintext:plaintext,extra:PLAINTEXT',
    ]),
    listeners(both, mapped, ['listener.name.extra.foo', '1']),
    listeners(both, mapped, ['listener.name.plaintext.foo', '1']),
    listeners(both, mapped, ['listener.name.plaintext.max.connections', '7']),
    own(MAP, 'EXTRA:PLAINTEXT'),
    own(MAP, 'PLAINTEXT:SSL'),
    own(MAP, 'PLAINTEXT:NOPE'),
    own(MAP, 'PLAINTEXT'),
    own(MAP, 'PLAINTEXT:PLAINTEXT,'),
    own(MAP, ''),
    advertised(extra),
    advertised(`${here},${extra}`),
    advertised(`${here},${extra}`, mapped),
    advertised(''),
    advertised('x'),
    advertised(`PLAINTEXT://0.0.0.0:${port}`),
    advertised(`PLAINTEXT://elsewhere:${port}`),
    advertised('PLAINTEXT://127.0.0.1:-1'),
    advertised(extra, ['listeners', both], mapped),
    advertised(here, ['listeners', both], mapped),
    advertised(`PLAINTEXT://127.0.0.1:${port},EXTRA://127.0.0.1:${port}`, ['listeners', both], mapped),
    ['', [['listeners', both]]],
    ['', [['advertised.listeners', here]]],
    ['', [mapped]],
    ['', [['listeners', here], ['advertised.listeners', here], mapped]],
    ['', [['listener.name.plaintext.max.connections', '4']]],
    ['', [['listener.name.plaintext.foo', '4']]],
    own('inter.broker.listener.name', 'EXTRA'),
    own('security.inter.broker.protocol', 'SSL'),
    own('control.plane.listener.name', 'EXTRA'),
    own('listener.name.plaintext.connections.max.idle.ms', '1'),
    own('listener.name.plaintext.max.connections.per.ip', '1'),
    own('listener.name.plaintext.max.connection.creation.rate', '0'),
    own('listener.name.plaintext.num.network.threads', '4'),
    own('listener.name.plaintext.num.network.threads', '40'),
  ];
}
