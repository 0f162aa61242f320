/** A story about the configuration of groups: what may be set, what is refused in which words, what is told of it. */
import { groupConfigsCount } from './group-configs.ts';
import type { Teller } from './share-teller.ts';

const GROUP = 32;
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3];

interface Told {
  readonly name: string;
  readonly documentation?: unknown;
}

/** Dead letters are not ours, and brokers of 3.9 have another number of locks to begin with. */
const others = /^errors\.|\.max\.record\.locks$/;

export async function tellOfGroupConfigs(teller: Teller): Promise<void> {
  const group = `${teller.group}/ä`;
  await teller.begin(1);
  const change = async (configs: [string, number, string | null][], resourceName = group): Promise<void> => {
    const asked = configs.map(([name, configOperation, value]) => ({ name, configOperation, value }));
    const resources = [{ resourceType: GROUP, resourceName, configs: asked }];
    const { responses } = await teller.ask(44, 1, { validateOnly: false, resources });
    teller.tell(`change ${JSON.stringify(configs)}`, responses);
  };
  const describe = async (configurationKeys: string[] | null = null): Promise<void> => {
    // Both tell their brokers of a change only after it is stored.
    await groupConfigsCount(teller.port);
    const resources = [{ resourceType: GROUP, resourceName: group, configurationKeys }];
    const { results } = await teller.ask(32, 4, { resources, includeSynonyms: true, includeDocumentation: true });
    const { configs, ...rest } = results[0];
    const shown = (configs as Told[])
      .filter(({ name }) => !others.test(name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((one) => ({ ...one, documentation: typeof one.documentation }));
    teller.tell('describe', { ...rest, configs: shown });
  };
  const list = async (): Promise<void> => {
    const { configResources } = await teller.ask(74, 1, { resourceTypes: [GROUP] });
    const names = configResources.map(({ resourceName }: { resourceName: string }) => resourceName);
    teller.tell('list', names.includes(group));
  };
  await describe();
  await list();
  await change([['share.auto.offset.reset', SET!, 'earliest']]);
  await describe();
  await list();
  const wrong: [string, number, string | null][] = [
    ['share.nothing', SET!, '1'],
    ['consumer.session.timeout.ms', SET!, 'x'],
    ['consumer.session.timeout.ms', SET!, ''],
    ['consumer.session.timeout.ms', SET!, '99999999999'],
    ['consumer.session.timeout.ms', SET!, '0'],
    ['consumer.session.timeout.ms', SET!, '44999'],
    ['consumer.heartbeat.interval.ms', SET!, '15001'],
    ['consumer.assignment.interval.ms', SET!, '15001'],
    ['share.record.lock.duration.ms', SET!, '999'],
    ['share.record.lock.duration.ms', SET!, '14999'],
    ['share.delivery.count.limit', SET!, '1'],
    ['share.delivery.count.limit', SET!, '11'],
    ['share.partition.max.record.locks', SET!, '4001'],
    ['share.auto.offset.reset', SET!, 'none'],
    ['share.auto.offset.reset', SET!, 'by_duration:'],
    ['share.auto.offset.reset', SET!, 'by_duration:PT-1S'],
    ['share.isolation.level', SET!, 'READ_COMMITTED'],
    ['share.renew.acknowledge.enable', SET!, 'perhaps'],
    ['share.isolation.level', SET!, null],
    ['share.isolation.level', APPEND!, 'read_committed'],
    ['share.isolation.level', SUBTRACT!, 'read_committed'],
    ['share.nothing', DELETE!, null],
    ['streams.session.timeout.ms', SET!, '60001'],
    ['streams.session.timeout.ms', SET!, '0'],
    ['streams.assignment.interval.ms', SET!, '15001'],
    ['streams.num.standby.replicas', SET!, '3'],
    ['streams.num.standby.replicas', SET!, '-1'],
    ['streams.task.offset.interval.ms', SET!, '14999'],
    ['streams.num.warmup.replicas', SET!, '21'],
    ['streams.acceptable.recovery.lag', SET!, '-1'],
    ['streams.initial.rebalance.delay.ms', SET!, '-1'],
    ['streams.assignor.name', SET!, 'other'],
    ['streams.assignor.offload.enable', SET!, 'x'],
    ['streams.rack.aware.assignment.tags', SET!, 'a,b,a'],
  ];
  for (const one of wrong) await change([one]);
  await change([['share.isolation.level', SET!, 'read_committed']], '');
  await change([
    ['share.isolation.level', SET!, 'read_committed'],
    ['share.isolation.level', SET!, 'read_uncommitted'],
  ]);
  await describe(['share.isolation.level', 'share.nothing']);
  await change([
    ['consumer.session.timeout.ms', SET!, ' 050000 '],
    ['share.renew.acknowledge.enable', SET!, ' FALSE'],
    ['share.auto.offset.reset', SET!, 'by_duration:P1DT2H'],
    ['share.isolation.level', SET!, 'read_committed'],
  ]);
  await describe();
  await change([
    ['streams.rack.aware.assignment.tags', SET!, 'a, b'],
    ['streams.acceptable.recovery.lag', SET!, '10'],
    ['streams.assignor.name', SET!, 'sticky'],
  ]);
  await describe();
  await change([['streams.rack.aware.assignment.tags', APPEND!, 'c']]);
  await change([['streams.rack.aware.assignment.tags', SUBTRACT!, 'a']]);
  await describe(['streams.rack.aware.assignment.tags']);
  const configs = [{ name: 'share.session.timeout.ms', value: '50000' }];
  const resources = [{ resourceType: GROUP, resourceName: group, configs }];
  teller.tell('replace', await teller.ask(33, 2, { validateOnly: false, resources }));
  await describe();
  await change([['share.session.timeout.ms', DELETE!, null]]);
  await describe();
  await list();
  const nobody = [{ resourceType: GROUP, resourceName: '', configurationKeys: null }];
  teller.tell('describe nobody', await teller.ask(32, 4, { resources: nobody }));
}
