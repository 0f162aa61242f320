/**
 * Makes the certificates that the tests use, and the key stores that Java's keytool makes of them:
 * `node scripts/golden/tls-stores.ts`. It needs openssl, and keytool of a JDK. They are valid for a hundred years; their private
 * keys are known to everybody, and good for tests only. The password of everything is `password`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const target = join(import.meta.dirname, '../../test/golden/tls');
const work = mkdtempSync(join(tmpdir(), 'golden-tls-'));
const password = 'password';
const days = '36500';

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd: work, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

interface Wanted {
  readonly name: string;
  readonly subject: string;
  /** Its own name: a root. */
  readonly issuer: string;
  readonly key?: 'ec' | 'rsa';
  readonly extensions: readonly string[];
}

const authority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
const here = 'subjectAltName=DNS:localhost,DNS:zookeeper.test,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1';

const wanted: readonly Wanted[] = [
  { name: 'ca', subject: '/O=odradek/CN=Root', issuer: 'ca', extensions: authority },
  { name: 'intermediate', subject: '/O=odradek/CN=Intermediate', issuer: 'ca', extensions: authority },
  { name: 'other-ca', subject: '/O=elsewhere/CN=Root', issuer: 'other-ca', extensions: authority },
  { name: 'server', subject: '/O=odradek/CN=server', issuer: 'ca', key: 'rsa', extensions: [here] },
  { name: 'renewed', subject: '/O=odradek/CN=renewed', issuer: 'ca', extensions: [here] },
  { name: 'elsewhere', subject: '/O=odradek/CN=e', issuer: 'ca', extensions: ['subjectAltName=DNS:elsewhere.test'] },
  { name: 'client', subject: '/O=odradek/CN=client', issuer: 'intermediate', extensions: [here] },
  { name: 'stranger', subject: '/O=elsewhere/CN=stranger', issuer: 'other-ca', extensions: [here] },
];

function makeKey({ name, key = 'ec' }: Wanted): void {
  const algorithm =
    key === 'rsa' ? ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] : ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  run('openssl', 'genpkey', '-algorithm', ...algorithm, '-out', `${name}.key`);
}

function makeCertificate(each: Wanted): void {
  const { name, subject, issuer, extensions } = each;
  makeKey(each);
  run('openssl', 'req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
  writeFileSync(join(work, `${name}.ext`), extensions.join('\n'));
  const signer = issuer === name ? ['-signkey', `${name}.key`] : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`];
  const input = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-days', days, '-sha256'];
  run('openssl', 'x509', '-req', ...input, ...signer, '-out', `${name}.crt`);
}

/** The key, the certificate, and the intermediate authority where there is one. */
function pemOf(name: string, issuer: string): string {
  const parts = [`${name}.key`, `${name}.crt`, ...(issuer === 'intermediate' ? ['intermediate.crt'] : [])];
  return parts.map((part) => readFileSync(join(work, part), 'utf8')).join('');
}

function pack(name: string, issuer: string): void {
  const chain = issuer === 'intermediate' ? ['-certfile', 'intermediate.crt'] : [];
  const pair = ['-inkey', `${name}.key`, '-in', `${name}.crt`, ...chain];
  run(
    'openssl',
    'pkcs12',
    '-export',
    ...pair,
    '-name',
    name,
    '-out',
    `${name}.openssl.p12`,
    '-passout',
    `pass:${password}`,
  );
}

function keytool(store: string, type: string, flags: readonly string[], ...args: string[]): void {
  run('keytool', ...flags, ...args, '-noprompt', '-storetype', type, '-storepass', password, '-keystore', store);
}

/** Java 17 writes PBES2 with AES by itself; with the flag, what Java 8 and 11 wrote: RC2 and triple DES. */
const legacy = ['-J-Dkeystore.pkcs12.legacy'];

function makeStores(name: string): void {
  const source = ['-importkeystore', '-srckeystore', `${name}.openssl.p12`, '-srcstoretype', 'PKCS12'];
  for (const [store, type, flags] of [
    [`${name}.jks`, 'JKS', []],
    [`${name}.p12`, 'PKCS12', []],
    [`${name}.legacy.p12`, 'PKCS12', legacy],
  ] as const) {
    const to = ['-destkeystore', store, '-deststoretype', type, '-deststorepass', password, '-destkeypass', password];
    run('keytool', ...flags, ...source, '-srcstorepass', password, '-noprompt', ...to);
  }
}

function makeTrustStores(name: string, authorities: readonly string[]): void {
  for (const [store, type, flags] of [
    [`${name}.jks`, 'JKS', []],
    [`${name}.p12`, 'PKCS12', []],
    [`${name}.legacy.p12`, 'PKCS12', legacy],
  ] as const) {
    for (const each of authorities) keytool(store, type, flags, '-importcert', '-alias', each, '-file', `${each}.crt`);
  }
}

function encryptKey(name: string): void {
  const flags = ['-topk8', '-v2', 'aes-256-cbc', '-passout', `pass:${password}`];
  run('openssl', 'pkcs8', '-in', `${name}.key`, ...flags, '-out', `${name}.encrypted.key`);
}

try {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const each of wanted) makeCertificate(each);
  for (const { name, issuer } of wanted) writeFileSync(join(target, `${name}.pem`), pemOf(name, issuer));
  for (const name of ['server', 'client']) {
    pack(name, name === 'client' ? 'intermediate' : 'ca');
    makeStores(name);
  }
  makeTrustStores('trust', ['ca', 'other-ca']);
  encryptKey('server');
  const encrypted = ['server.encrypted.key', 'server.crt'].map((file) => readFileSync(join(work, file), 'utf8'));
  writeFileSync(join(target, 'server.encrypted.pem'), encrypted.join(''));
  for (const store of ['server', 'client', 'trust'].flatMap((name) =>
    ['jks', 'p12', 'legacy.p12'].map((type) => `${name}.${type}`),
  )) {
    writeFileSync(join(target, store), readFileSync(join(work, store)));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
