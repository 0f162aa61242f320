import { PeerError, until } from '../peers/process.ts';
import { ask } from './raw-client.ts';

const GROUP = 32;
let markers = 0;

/** Values of a group's own, by which the broker goes when this resolves. */
export async function configureGroup(
  port: number,
  group: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  await change(port, group, values);
  await groupConfigsCount(port);
}

/**
 * Until a broker goes by all that was changed of groups' configurations. Changes are taken one after the other, and a group is listed
 * while its own is taken: once the second of two is listed, whatever came before the first counts.
 */
export async function groupConfigsCount(port: number): Promise<void> {
  for (const turn of ['first', 'second']) {
    markers += 1;
    const marker = `${turn}-marker-${markers}`;
    await change(port, marker, { 'share.auto.offset.reset': 'earliest' });
    await until(`${marker} is configured`, async () => {
      const { configResources } = (await ask(port, 74, 1, { resourceTypes: [GROUP] })) as {
        configResources: { resourceName: string }[];
      };
      return configResources.some(({ resourceName }) => resourceName === marker) || undefined;
    });
  }
}

async function change(port: number, group: string, values: Readonly<Record<string, string>>): Promise<void> {
  const configs = Object.entries(values).map(([name, value]) => ({ name, configOperation: 0, value }));
  const resources = [{ resourceType: GROUP, resourceName: group, configs }];
  const { responses } = (await ask(port, 44, 1, { resources })) as unknown as {
    responses: { errorCode: number; errorMessage: string | null }[];
  };
  for (const { errorCode, errorMessage } of responses) {
    if (errorCode !== 0) throw new PeerError(`${group} cannot be configured: ${errorMessage}`);
  }
}
