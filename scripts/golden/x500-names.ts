/**
 * Records how Java prints distinguished names, and which texts it takes for such: `node scripts/golden/x500-names.ts`. Apache's
 * server names clients by the first and judges the ids of x509 entries in ACLs by the second.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { runOrThrow } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { root } from '../../test/source-files.ts';

/** Lines `der <base64>` and `text <base64 of UTF-8>`; answers a JSON string, `null` where Java refuses. */
const PROGRAM = `
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import javax.security.auth.x500.X500Principal;
import java.security.cert.*;

public class Names {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      String[] words = line.split(" ", 2);
      byte[] bytes = Base64.getDecoder().decode(words[1]);
      try {
        String name = switch (words[0]) {
          case "der" -> new X500Principal(bytes).getName();
          case "certificate" -> ((X509Certificate) CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(bytes))).getSubjectX500Principal().getName();
          default -> new X500Principal(new String(bytes, StandardCharsets.UTF_8)).getName();
        };
        StringBuilder json = new StringBuilder("\\"");
        for (char c : name.toCharArray()) json.append(String.format("\\\\u%04x", (int) c));
        System.out.println(json + "\\"");
      } catch (IllegalArgumentException e) {
        System.out.println("null");
      }
    }
  }
}
`;

// DER, written by hand.

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

type Attribute = readonly [type: string, tag: number, value: string | Uint8Array];

const name = (...rdns: readonly (readonly Attribute[])[]): Buffer =>
  der(
    0x30,
    ...rdns.map((attributes) =>
      der(
        0x31,
        ...attributes.map(([type, tag, value]) => der(0x30, oid(type), der(tag, Buffer.from(value as string)))),
      ),
    ),
  );

const [CN, C, O, OU, DC, UID] = [
  '2.5.4.3',
  '2.5.4.6',
  '2.5.4.10',
  '2.5.4.11',
  '0.9.2342.19200300.100.1.25',
  '0.9.2342.19200300.100.1.1',
];
const [UTF8, PRINTABLE, T61, IA5, GENERAL, BMP, INTEGER, NUMERIC, UNIVERSAL] = [
  0x0c, 0x13, 0x14, 0x16, 0x1b, 0x1e, 0x02, 0x12, 0x1c,
];

const names: readonly Buffer[] = [
  name(),
  name([[CN, PRINTABLE, 'bob']]),
  name(
    [[C, PRINTABLE, 'DE']],
    [[O, UTF8, 'Acme, Inc.']],
    [[OU, UTF8, 'R+D']],
    [[CN, UTF8, 'Bob "the" <builder>; a\\b=c']],
  ),
  name(
    [
      [CN, UTF8, 'bob'],
      [UID, UTF8, 'b0b'],
    ],
    [[O, UTF8, 'Acme']],
  ),
  name([
    [UID, UTF8, 'b0b'],
    [CN, UTF8, 'bob'],
    ['2.5.4.5', PRINTABLE, '42'],
  ]),
  ...[
    '2.5.4.7',
    '2.5.4.8',
    '2.5.4.9',
    '2.5.4.12',
    '2.5.4.4',
    '2.5.4.42',
    '2.5.4.46',
    '2.999.1',
    '1.2.840.113549.1.9.1',
  ].map((type) => name([[type, UTF8, 'x y']])),
  name([['1.2.840.113549.1.9.1', IA5, 'bob@example.org']], [[CN, UTF8, 'bob']]),
  name([[DC, IA5, 'org']], [[DC, IA5, 'example']], [[CN, PRINTABLE, 'bob']]),
  ...[
    '',
    ' ',
    '  ',
    ' bob',
    'bob ',
    '  bob  ',
    '\rbob\r',
    '\nbob\n',
    '\tbob',
    '#bob',
    'b#ob',
    'a\0b',
    '\0',
    '\\',
    ' ,',
    ', ',
    '=',
    'é',
    '日本',
    '😀',
    'a'.repeat(300),
  ].map((value) => name([[CN, UTF8, value]])),
  ...[PRINTABLE, T61, IA5, GENERAL, NUMERIC].map((tag) => name([[CN, tag, 'a1 b']])),
  ...[PRINTABLE, T61, IA5, GENERAL].map((tag) => name([[CN, tag, Buffer.from('caf\xe9', 'latin1')]])),
  name([[CN, BMP, Buffer.from('é日', 'utf16le').swap16()]]),
  name([[CN, UNIVERSAL, Buffer.from([0, 0, 0, 0x61])]]),
  name([[CN, INTEGER, Buffer.from([5])]]),
  name([[CN, UTF8, Buffer.from([0xff, 0x61])]]),
];

const texts: readonly string[] = [
  '',
  'CN=bob',
  'cn=bob',
  'CN = bob , O = Acme',
  'CN=bob;O=Acme',
  'CN=bob+UID=b0b,O=Acme',
  'CN=',
  'CN=,O=x',
  'CN=+O=x',
  'bob',
  '=bob',
  'XX=bob',
  'CN=bob,',
  ',CN=bob',
  'CN=bob,,O=x',
  'CN=bob+',
  'CN=a\\,b',
  'CN=a\\\\,O=b',
  'CN=a\\\\\\,b',
  'CN=a"b',
  'CN="a,b"',
  'CN="a,b" ,O=x',
  'CN="a" b',
  'CN="a',
  'CN="a\\"b"',
  'CN=a<b',
  'CN=a=b',
  'CN=a#b',
  'CN=\\#a',
  'CN=#04024869',
  'CN=#0402',
  'CN=#04',
  'CN=#xx',
  'CN=#',
  'CN=a\\e9',
  'CN=a\\e',
  'CN=a\\q',
  'CN=a\\',
  '1.2.3=x',
  'OID.1.2.3=x',
  'oid.1.2.3=x',
  '1=x',
  '1.50=x',
  '3.1=x',
  '2.999=x',
  '1..2=x',
  '1.2.=x',
  'EMAILADDRESS=a@b.c',
  'E=a@b.c',
  'S=x,T=y,IP=z,DNQ=w,SERIALNUMBER=1',
  'CN=a\nb',
  'CN=\n a',
  'CN=日本',
  ' CN=bob',
  'CN =bob',
  'C N=bob',
  'bob:pass',
  'CN=a;;O=b',
  ...drawnTexts(400),
];

/** Texts of the letters that matter, drawn once from a seed. */
function drawnTexts(count: number): string[] {
  const random = new SimRandom('x500 names');
  const letters = [
    'CN=',
    'O=',
    'UID=',
    '1.2.3=',
    ',',
    '+',
    ';',
    '\\',
    '"',
    '=',
    '#',
    ' ',
    'a',
    'b0',
    '<',
    '\\,',
    '\\"',
    '\\20',
    '"x"',
  ];
  const draw = (below: number): number => random.uint32() % below;
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + draw(8) }, (_, index) => (index === 0 ? 'CN=' : letters[draw(letters.length)])).join(''),
  );
}

const folder = tempDir();
/** A certificate of Java's own making, to be read from the outside in. */
const store = ['-keystore', join(folder, 'store.p12'), '-storepass', 'changeit', '-alias', 'bob'];
await runOrThrow('keytool', [
  '-genkeypair',
  '-keyalg',
  'EC',
  '-dname',
  'CN=Bob \\#1, OU=R\\+D, O="Acme, Inc.", C=DE',
  ...store,
]);
await runOrThrow('keytool', ['-exportcert', '-file', join(folder, 'bob.der'), ...store]);
const certificate = readFileSync(join(folder, 'bob.der'));
writeFileSync(join(folder, 'Names.java'), PROGRAM);
const lines = [
  `certificate ${certificate.toString('base64')}`,
  ...names.map((bytes) => `der ${bytes.toString('base64')}`),
  ...texts.map((text) => `text ${Buffer.from(text).toString('base64')}`),
];
const { stdout } = await runOrThrow('java', [join(folder, 'Names.java')], { stdin: `${lines.join('\n')}\n` });
const [subject, ...answers] = stdout
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as string | null);
const golden = {
  certificate: { der: certificate.toString('base64'), subject },
  printed: names.map((bytes, index) => ({ der: bytes.toString('base64'), name: answers[index] })),
  taken: texts.map((text, index) => ({ text, isName: answers[names.length + index] !== null })),
};
writeFileSync(join(root, 'test/golden/zookeeper/x500-names.json'), `${JSON.stringify(golden, null, 1)}\n`);
