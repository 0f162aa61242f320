/** Ensembles of Apache's servers and ours that show each other certificates and know a password. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectZookeeper } from '../../src/zookeeper/client/index.ts';
import { audit } from './ensemble/audit.ts';
import { type Mixture, membersOf, nameOf } from './ensemble/mixtures.ts';
import { startEnsemble } from './ensemble.ts';
import { tempDir } from './peers/temp-dir.ts';

const stores = fileURLToPath(new URL('../golden/tls/', import.meta.url));
const config = {
  sslQuorum: 'true',
  'ssl.quorum.keyStore.location': `${stores}server.jks`,
  'ssl.quorum.keyStore.password': 'password',
  'ssl.quorum.trustStore.location': `${stores}ca.pem`,
  'quorum.auth.enableSasl': 'true',
  'quorum.auth.serverRequireSasl': 'true',
  'quorum.auth.learnerRequireSasl': 'true',
  'fips-mode': 'false',
};

function jaasFile(): string {
  const file = join(tempDir(), 'jaas.conf');
  const module = 'org.apache.zookeeper.server.auth.DigestLoginModule required';
  const sections = {
    QuorumServer: `${module} user_member="secret";`,
    QuorumLearner: `${module} username="member" password="secret";`,
  };
  writeFileSync(
    file,
    Object.entries(sections)
      .map(([name, text]) => `${name} { ${text} };\n`)
      .join(''),
  );
  return file;
}

const mixtures: readonly Mixture[] = [
  ['odradek', 'apache-3.9.4', 'apache-3.9.4'],
  ['apache-3.9.4', 'odradek', 'odradek'],
];
for (const mixture of mixtures) {
  test(`TLS and SASL among servers, ${nameOf(mixture)}: what one writes all have, also after the leader is gone`, async (t) => {
    const ensemble = await startEnsemble(t, {
      members: membersOf(mixture),
      config,
      properties: { 'java.security.auth.login.config': jaasFile() },
    });
    for (const { id, connect } of ensemble.members) {
      await using client = connectZookeeper({ connect });
      await client.create(`/by-${id}`, `of ${id}`);
    }
    await audit(ensemble);
    const leader = await ensemble.leader();
    await leader.kill();
    await ensemble.leader({ not: leader });
    await using client = connectZookeeper({ connect: ensemble.connect });
    await client.create('/after', 'the leader');
    await leader.start();
    await audit(ensemble);
  });
}
