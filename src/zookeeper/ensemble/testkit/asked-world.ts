import { askHttp, type HttpAnswer } from '../../server/testkit/http-client.ts';
import { RawClient } from '../../server/testkit/raw-client.ts';
import { type EnsembleOptions, EnsembleWorld } from './ensemble.ts';

const config = {
  'admin.enableServer': true,
  'admin.serverPort': 8080,
  'metricsProvider.className': 'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
  'metricsProvider.httpPort': 7000,
  '4lw.commands.whitelist': '*',
};

/** An ensemble with an operator who asks its members: by words, at the AdminServer, and for Prometheus. */
export class AskedWorld extends EnsembleWorld {
  readonly asker = this.sim.machine('operator');

  constructor(options: EnsembleOptions = {}) {
    super({ ...options, config: { ...config, ...options.config } });
  }

  async word(id: number, word: string, rest = Buffer.alloc(0)): Promise<string> {
    const client = new RawClient(this.asker.runtime, { host: this.member(id).machine.host, port: 2181 });
    await this.sim.runUntil(() => client.isConnected, 1000);
    client.word(word);
    if (rest.length > 0) client.raw(rest);
    await this.sim.runUntil(() => client.isClosed, 1000);
    return client.text;
  }

  http(id: number, port: number, path: string): Promise<HttpAnswer> {
    return askHttp(this.sim, this.asker.runtime, { host: this.member(id).machine.host, port }, path);
  }

  async command(id: number, name: string): Promise<Record<string, unknown>> {
    return JSON.parse((await this.http(id, 8080, `/commands/${name}`)).body.toString()) as Record<string, unknown>;
  }

  /** Of Prometheus, those without labels. */
  async metrics(id: number): Promise<ReadonlyMap<string, number>> {
    const text = (await this.http(id, 7000, '/metrics')).body.toString();
    return new Map([...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]));
  }
}
