import assert from 'node:assert/strict';
import test from 'node:test';
import type { Log } from '../../runtime/log.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { BrokerLoggers } from './broker-loggers.ts';
import { AlterOperation } from './config/config-change.ts';
import { refused } from './testkit/cluster-world.ts';

function world() {
  const lines: string[] = [];
  const sink = (name: string): Log => {
    const write = (level: string) => (message: string) => lines.push(`${level} ${name} ${message}`);
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error'), named: sink };
  };
  const loggers = new BrokerLoggers(sink(''));
  loggers.belongTo(3);
  return { lines, loggers };
}

test('a logger has the level of the nearest name above it, and changes while it runs', () => {
  const { lines, loggers } = world();
  const requests = loggers.log.named('kafka.network.requests');
  loggers.log.named('kafka.network');
  const set = (name: string, value: string) =>
    loggers.change('3', [{ name, operation: AlterOperation.set, value }], false);
  requests.debug('not yet');
  set('kafka.network', 'DEBUG');
  requests.debug('now');
  set('kafka.network.requests', 'ERROR');
  requests.warn('too small');
  assert.deepEqual(
    [...loggers.all()],
    [
      ['root', 'INFO'],
      ['kafka.network.requests', 'ERROR'],
      ['kafka.network', 'DEBUG'],
    ],
  );
  loggers.change('3', [{ name: 'kafka.network.requests', operation: AlterOperation.delete, value: null }], false);
  set('root', 'FATAL');
  requests.debug('again');
  loggers.log.error('nothing is that bad');
  assert.deepEqual(lines, ['debug kafka.network.requests now', 'debug kafka.network.requests again']);
});

test('what cannot be is refused, and a trial changes nothing', () => {
  const { loggers } = world();
  loggers.log.named('kafka');
  const { set, append } = AlterOperation;
  const change = (broker: string, name: string, operation: number, value: string | null) => () =>
    loggers.change(broker, [{ name, operation, value }], true);
  assert.throws(change('2', 'kafka', set, 'INFO'), refused(ErrorCode.INVALID_REQUEST));
  assert.throws(change('x', 'kafka', set, 'INFO'), refused(ErrorCode.INVALID_REQUEST));
  assert.throws(change('3', 'no.such', set, 'INFO'), refused(ErrorCode.INVALID_CONFIG));
  assert.throws(change('3', 'kafka', set, 'LOUD'), refused(ErrorCode.INVALID_CONFIG));
  assert.throws(change('3', 'kafka', append, 'INFO'), refused(ErrorCode.INVALID_REQUEST));
  assert.throws(change('3', 'root', AlterOperation.delete, null), refused(ErrorCode.INVALID_REQUEST));
  change('3', 'kafka', set, 'ERROR')();
  assert.deepEqual([...loggers.all()].at(-1), ['kafka', 'INFO']);
});
