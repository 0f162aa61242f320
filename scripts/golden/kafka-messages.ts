/**
 * Records how Apache's own serializers write every message in every version: `node scripts/golden/kafka-messages.ts`. The
 * values are ours; Apache parses them from JSON, writes the bytes, and says what it reads in them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, type Sample, sampleOf } from '../../test/golden/protocol/json-values.ts';
import { schemas, versionsOf } from '../../test/golden/protocol/our-schemas.ts';
import { cached } from '../../test/interop/peers/cache.ts';
import { installJava } from '../../test/interop/peers/install.ts';
import { runOrThrow } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { root } from '../../test/source-files.ts';

const COPY_JAR = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
/** The records of internal topics lie in jars of their own. */
const RECORD_JARS = ['group-coordinator', 'transaction-coordinator', 'share-coordinator', 'storage'].map(
  (name) => `org.apache.kafka:kafka-${name}:4.4.0`,
);

const CAPTURE = `
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.*;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.*;

public class Capture {
  static final String[] PACKAGES = {
    "org.apache.kafka.common.message.%sData", "org.apache.kafka.common.message.%s",
    "org.apache.kafka.coordinator.group.generated.%s", "org.apache.kafka.coordinator.transaction.generated.%s",
    "org.apache.kafka.coordinator.share.generated.%s", "org.apache.kafka.server.log.remote.metadata.storage.generated.%s",
  };

  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    for (String line; (line = in.readLine()) != null; ) {
      JsonNode asked = json.readTree(line);
      out.println(json.writeValueAsString(answer(json, find(asked.get("message").asText()), asked)));
    }
    out.flush();
  }

  static Class<?> find(String name) {
    for (String each : PACKAGES) {
      try { return Class.forName(String.format(each, name)); } catch (ClassNotFoundException next) { }
    }
    return null;
  }

  static ObjectNode answer(ObjectMapper json, Class<?> type, JsonNode asked) throws Exception {
    ObjectNode answer = json.createObjectNode();
    short version = (short) asked.get("version").asInt();
    if (type == null || version < type.getField("LOWEST_SUPPORTED_VERSION").getShort(null)
        || version > type.getField("HIGHEST_SUPPORTED_VERSION").getShort(null)) return answer;
    Class<?> converter = Class.forName(type.getName() + "JsonConverter");
    Message value = (Message) converter.getMethod("read", JsonNode.class, short.class).invoke(null, asked.get("value"), version);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(value.size(cache, version));
    value.write(new ByteBufferAccessor(buffer), cache, version);
    answer.put("hex", HexFormat.of().formatHex(buffer.array()));
    buffer.flip();
    Constructor<?> reader = type.getConstructor(org.apache.kafka.common.protocol.Readable.class, short.class);
    Object back = reader.newInstance(new ByteBufferAccessor(buffer), version);
    answer.set("value", (JsonNode) converter.getMethod("write", type, short.class, boolean.class).invoke(null, back, version, true));
    return answer;
  }
}
`;

interface Asked {
  readonly message: string;
  readonly version: number;
  readonly sample: Sample;
  readonly value: Json;
}
interface Answer {
  readonly hex?: string;
  readonly value?: Json;
}

const samples: readonly Sample[] = ['full', 'least'];
const wanted: Asked[] = schemas.flatMap((schema) =>
  versionsOf(schema).flatMap((version) =>
    samples.map((sample) => ({ message: schema.name, version, sample, value: sampleOf(schema, version, sample) })),
  ),
);

async function capture(classpath: string, source: string, asked: readonly Asked[]): Promise<Answer[]> {
  const stdin = asked.map((each) => `${JSON.stringify(each)}\n`).join('');
  const { stdout } = await runOrThrow('java', ['-cp', classpath, source], { stdin, timeoutMs: 300_000 });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

/** Apache's JSON leaves record batches out. */
function withRecords(read: Json, given: Json): Json {
  if (Array.isArray(read)) return read.map((item, index) => withRecords(item, (given as Json[])[index] ?? null));
  if (read === null || typeof read !== 'object') return read;
  const from = given as { [name: string]: Json };
  return Object.fromEntries(
    Object.entries(read).map(([name, item]) => [
      name,
      name === 'records' && item === '' ? from[name]! : withRecords(item, from[name] ?? null),
    ]),
  );
}

/** Writes test/golden/protocol/frames.json anew. */
export async function recordKafkaMessages(): Promise<void> {
  const records = await cached('kafka-record-jars', RECORD_JARS, async (dir) => {
    for (const jar of RECORD_JARS) {
      await runOrThrow('mvn', ['--batch-mode', '--quiet', COPY_JAR, `-Dartifact=${jar}`, `-DoutputDirectory=${dir}`]);
    }
  });
  const source = join(tempDir(), 'Capture.java');
  writeFileSync(source, CAPTURE);
  const lines = new Map<Asked, string>();
  let left = wanted;
  for (const [release, classpath] of [
    ['4.4.0', `${records}/*:${await installJava('kafka-4.4.0')}`],
    ['3.9.1', await installJava('kafka-3.9.1')],
  ] as const) {
    const answers = await capture(classpath, source, left);
    left = left.filter((asked, index) => {
      const { hex, value } = answers[index]!;
      if (hex === undefined || value === undefined) return true;
      const { message, version, sample } = asked;
      lines.set(
        asked,
        JSON.stringify({ message, version, sample, release, value: withRecords(value, asked.value), hex }),
      );
      return false;
    });
  }
  for (const { message, version } of left) console.error(`neither release writes ${message} v${version}`);
  const file = join(root, 'test', 'golden', 'protocol', 'frames.json');
  writeFileSync(file, `[\n${wanted.flatMap((asked) => lines.get(asked) ?? []).join(',\n')}\n]\n`);
  console.log(`${lines.size} messages in ${file}`);
}

if (import.meta.main) await recordKafkaMessages();
