/**
 * Records how Apache's own classes build, validate and convert batches of records: `node scripts/golden/kafka-records.ts`.
 * Which batches are built stands here; which are validated and converted stands in the files, and keeps standing there: they
 * were drawn once, sound and damaged, and only Apache's answers are taken anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installJava } from '../../test/interop/peers/install.ts';
import { PeerError, runOrThrow } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { root } from '../../test/source-files.ts';

const RELEASE = 'kafka-3.9.1';

const ANSWERS = `
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.*;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.*;
import org.apache.kafka.common.utils.*;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.server.record.BrokerCompressionType;
import org.apache.kafka.storage.internals.log.*;

public class Answers {
  static final ObjectMapper JSON = new ObjectMapper();
  static final TopicPartition PARTITION = new TopicPartition("t", 0);

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    for (String line; (line = in.readLine()) != null; ) {
      JsonNode asked = JSON.readTree(line);
      ObjectNode answer = switch (asked.get("ask").asText()) {
        case "build" -> described(build(asked));
        case "validate" -> validate(asked);
        default -> convert(asked);
      };
      out.println(JSON.writeValueAsString(answer));
    }
    out.flush();
  }

  static ByteBuffer build(JsonNode spec) {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
    long baseOffset = spec.get("baseOffset").asLong();
    long timestamp = spec.get("timestamp").asLong();
    int leaderEpoch = spec.get("leaderEpoch").asInt();
    long producerId = spec.get("producerId").asLong();
    short producerEpoch = (short) spec.get("producerEpoch").asInt();
    int baseSequence = spec.get("baseSequence").asInt();
    switch (spec.get("kind").asText()) {
      case "end of transaction":
        ControlRecordType type = ControlRecordType.valueOf(spec.get("type").asText());
        return MemoryRecords.withEndTransactionMarker(baseOffset, timestamp, leaderEpoch, producerId, producerEpoch,
            new EndTransactionMarker(type, spec.get("coordinatorEpoch").asInt())).buffer();
      case "leader change":
        LeaderChangeMessage message = new LeaderChangeMessage().setVersion((short) 0).setLeaderId(1)
            .setVoters(List.of(voter(1), voter(2))).setGrantingVoters(List.of(voter(1)));
        return MemoryRecords.withLeaderChangeMessage(baseOffset, timestamp, leaderEpoch, buffer, message).buffer();
      case "empty":
        DefaultRecordBatch.writeEmptyHeader(buffer, RecordBatch.MAGIC_VALUE_V2, producerId, producerEpoch, baseSequence,
            baseOffset, spec.get("lastOffset").asLong(), leaderEpoch, TimestampType.CREATE_TIME, timestamp, false, false);
        buffer.flip();
        return buffer;
    }
    boolean appendTime = spec.get("timestampType").asText().equals("LogAppendTime");
    MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(buffer),
        (byte) spec.get("magic").asInt(), compression(spec.get("codec").asText()),
        appendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, baseOffset,
        appendTime ? timestamp : RecordBatch.NO_TIMESTAMP, producerId, producerEpoch, baseSequence,
        spec.get("isTransactional").asBoolean(), false, leaderEpoch, buffer.capacity(),
        spec.has("deleteHorizonMs") ? spec.get("deleteHorizonMs").asLong() : RecordBatch.NO_TIMESTAMP);
    for (JsonNode record : spec.get("records")) {
      List<Header> headers = new ArrayList<>();
      for (JsonNode header : record.get("headers"))
        headers.add(new RecordHeader(header.get("key").asText(), bytes(header.get("value"))));
      builder.appendWithOffset(record.get("offset").asLong(), record.get("timestamp").asLong(), bytes(record.get("key")),
          bytes(record.get("value")), headers.toArray(new Header[0]));
    }
    if (spec.has("lastOffset")) builder.overrideLastOffset(spec.get("lastOffset").asLong());
    return builder.build().buffer();
  }

  static LeaderChangeMessage.Voter voter(int id) {
    return new LeaderChangeMessage.Voter().setVoterId(id);
  }

  static Compression compression(String codec) {
    return Compression.of(CompressionType.forName(codec)).build();
  }

  static ObjectNode described(ByteBuffer buffer) throws Exception {
    ObjectNode answer = JSON.createObjectNode();
    answer.put("hex", hex(buffer));
    ArrayNode batches = answer.putArray("batches");
    for (MutableRecordBatch batch : MemoryRecords.readableRecords(buffer).batches()) {
      ObjectNode node = batches.addObject();
      node.put("magic", batch.magic()).put("lastOffset", batch.lastOffset()).put("sizeInBytes", batch.sizeInBytes());
      node.put("crcValid", batch.isValid()).put("codec", batch.compressionType().name);
      // magic 0 has no times at all; our reader calls that what it calls a bit that is not set
      TimestampType type = batch.timestampType();
      node.put("timestampType", (type == TimestampType.NO_TIMESTAMP_TYPE ? TimestampType.CREATE_TIME : type).name);
      node.put("isTransactional", batch.isTransactional()).put("isControl", batch.isControlBatch());
      node.put("producerId", batch.producerId()).put("producerEpoch", batch.producerEpoch());
      node.put("baseSequence", batch.baseSequence()).put("lastSequence", batch.lastSequence());
      node.put("partitionLeaderEpoch", batch.partitionLeaderEpoch()).put("maxTimestamp", batch.maxTimestamp());
      if (batch instanceof DefaultRecordBatch) {
        DefaultRecordBatch newer = (DefaultRecordBatch) batch;
        node.put("crc", newer.checksum()).put("baseOffset", newer.baseOffset()).put("recordCount", newer.countOrNull());
        node.put("baseTimestamp", newer.baseTimestamp()).put("hasDeleteHorizon", newer.deleteHorizonMs().isPresent());
      } else {
        node.put("crc", ((AbstractLegacyRecordBatch) batch).outerRecord().checksum());
      }
      ArrayNode records = node.putArray("records");
      for (org.apache.kafka.common.record.Record record : batch) {
        ObjectNode item = records.addObject();
        item.put("offset", record.offset()).put("timestamp", record.timestamp());
        item.put("key", record.hasKey() ? hex(record.key()) : null);
        item.put("value", record.hasValue() ? shortHex(record.value()) : null);
        ArrayNode headers = item.putArray("headers");
        for (Header header : record.headers()) {
          headers.addObject().put("key", header.key())
              .put("value", header.value() == null ? null : shortHex(ByteBuffer.wrap(header.value())));
        }
      }
    }
    return answer;
  }

  static ObjectNode convert(JsonNode asked) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(asked.get("hex"))));
      ConvertedRecords<MemoryRecords> converted =
          records.downConvert((byte) asked.get("magic").asInt(), asked.get("firstOffset").asLong(), Time.SYSTEM);
      answer.put("hex", hex(converted.records().buffer()));
    } catch (Exception error) {
      answer.put("code", Errors.forException(error).code());
    }
    return answer;
  }

  /** What the log asks of a batch before its records are looked at, then the records, then how large they have become. */
  static ObjectNode validate(JsonNode asked) {
    JsonNode options = asked.get("options");
    JsonNode rules = options.get("rules");
    int sizeMax = rules.get("maxMessageBytes").asInt();
    boolean isClient = options.get("origin").asText().equals("client");
    ObjectNode answer = JSON.createObjectNode();
    try {
      MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(asked.get("hex"))));
      CompressionType source = CompressionType.NONE;
      int validBytes = 0;
      for (MutableRecordBatch batch : records.batches()) {
        if (isClient && batch.magic() >= RecordBatch.MAGIC_VALUE_V2 && batch.baseOffset() != 0)
          throw new InvalidRecordException("base offset");
        if (batch.sizeInBytes() > sizeMax) throw new RecordTooLargeException("before");
        if (!batch.isValid()) throw new CorruptRecordException("checksum");
        validBytes += batch.sizeInBytes();
        if (batch.compressionType() != CompressionType.NONE) source = batch.compressionType();
      }
      if (validBytes == 0) return answer.put("empty", true);
      ByteBuffer kept = records.buffer();
      kept.limit(validBytes);
      Compression target = rules.get("compressionType").asText().equals("producer")
          ? Compression.of(source).build()
          : BrokerCompressionType.targetCompression(
              Optional.of(compression(brokerCodec(rules.get("compressionType").asText()))), source);
      LogValidator validator = new LogValidator(MemoryRecords.readableRecords(kept), PARTITION,
          new StandingTime(options.get("nowMs").asLong()), source, target, rules.get("isCompacted").asBoolean(),
          RecordBatch.MAGIC_VALUE_V2, TimestampType.forName(rules.get("timestampType").asText()),
          limit(rules.get("timestampBeforeMaxMs")), limit(rules.get("timestampAfterMaxMs")),
          options.get("leaderEpoch").asInt(), isClient ? AppendOrigin.CLIENT : AppendOrigin.COORDINATOR,
          MetadataVersion.latestProduction());
      LogValidator.ValidationResult result = validator.validateMessagesAndAssignOffsets(
          PrimitiveRef.ofLong(options.get("baseOffset").asLong()), new Unmetered(), BufferSupplier.NO_CACHING);
      if (result.messageSizeMaybeChanged)
        for (RecordBatch batch : result.validatedRecords.batches())
          if (batch.sizeInBytes() > sizeMax) throw new RecordTooLargeException("after");
      long lastOffset = -1;
      for (RecordBatch batch : result.validatedRecords.batches()) lastOffset = batch.lastOffset();
      answer.put("maxTimestamp", result.maxTimestampMs).put("lastOffset", lastOffset);
      answer.put("isConverted", result.recordValidationStats.numRecordsConverted() > 0);
      return answer.put("hex", hex(result.validatedRecords.buffer()));
    } catch (RecordValidationException error) {
      answer.put("code", Errors.forException(error.invalidException()).code());
      ArrayNode errors = answer.putArray("recordErrors");
      error.recordErrors().forEach(each -> {
        ObjectNode node = errors.addObject().put("batchIndex", each.batchIndex);
        // a Java object's text is nobody's interface
        if (each.message != null && !each.message.contains("DefaultRecord(")) node.put("message", each.message);
      });
      return answer.put("exception", error.invalidException().getClass().getSimpleName());
    } catch (Exception error) {
      return answer.put("code", Errors.forException(error).code()).put("exception", error.getClass().getSimpleName());
    }
  }

  static String brokerCodec(String name) {
    return name.equals("uncompressed") ? "none" : name;
  }

  static long limit(JsonNode given) {
    return given.isNull() ? Long.MAX_VALUE : given.asLong();
  }

  static class StandingTime implements Time {
    final long nowMs;
    StandingTime(long nowMs) { this.nowMs = nowMs; }
    public long milliseconds() { return nowMs; }
    public long nanoseconds() { return nowMs * 1_000_000; }
    public void sleep(long ms) { }
    public void waitObject(Object object, java.util.function.Supplier<Boolean> condition, long deadlineMs) { }
  }

  static class Unmetered implements LogValidator.MetricsRecorder {
    public void recordInvalidMagic() { }
    public void recordInvalidOffset() { }
    public void recordInvalidSequence() { }
    public void recordInvalidChecksums() { }
    public void recordNoKeyCompactedTopic() { }
  }

  static byte[] bytes(JsonNode hex) {
    return hex.isNull() ? null : HexFormat.of().parseHex(hex.asText());
  }

  static String hex(ByteBuffer buffer) {
    byte[] copy = new byte[buffer.remaining()];
    buffer.duplicate().get(copy);
    return HexFormat.of().formatHex(copy);
  }

  static String shortHex(ByteBuffer buffer) {
    if (buffer.remaining() <= 200) return hex(buffer);
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(buffer.duplicate());
      return "sha256:" + HexFormat.of().formatHex(digest.digest());
    } catch (java.security.GeneralSecurityException error) {
      throw new IllegalStateException(error);
    }
  }
}
`;

interface Given {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

type Spec = { readonly name: string; readonly kind: string } & Readonly<Record<string, unknown>>;

const T0 = 1_700_000_000_000;
const FAR = 1_234_567_890;
const hex = (text: string | null): string | null => (text === null ? null : Buffer.from(text).toString('hex'));

function given(offset: number, timestamp: number, key: string | null, value: string | null): Given {
  return { offset, timestamp, key: hex(key), value: hex(value), headers: [] };
}

const noProducer = { producerId: -1, producerEpoch: -1, baseSequence: -1, isTransactional: false, leaderEpoch: -1 };
const plain = { ...noProducer, kind: 'batch', magic: 2, codec: 'none', timestampType: 'CreateTime', baseOffset: 0 };

/** Keys and values that are there, empty and null; times that jump; headers where the format has them. */
function assorted(magic: number): Given[] {
  const time = (timestamp: number): number => (magic === 0 ? -1 : timestamp);
  const ofMagic2: Given = {
    ...given(0, T0 + 2, 'h', 'v'),
    headers: [
      { key: 'trace', value: hex('abc') },
      { key: 'null', value: null },
      { key: 'üml', value: '' },
      { key: 'trace', value: '0001ff' },
    ],
  };
  const records = [
    given(0, time(T0), 'key', 'value'),
    given(0, time(T0 + 70_000), 'kéy', null),
    given(0, time(T0 - 5), null, 'no key'),
    given(0, time(T0 + 1), '', ''),
    ...(magic === 2 ? [ofMagic2] : []),
    given(0, -1, 'none', 'no timestamp'),
  ];
  return records.map((record, index) => ({ ...record, offset: FAR + index }));
}

/** 200 KB that compress well: more than one block of each codec. */
function long(magic: number): Given[] {
  return Array.from({ length: 40 }, (_, index) => {
    const value = Buffer.from(Array.from({ length: 5000 }, (_, at) => 97 + ((index + at * 7) % 10)));
    return given(index, magic === 0 ? -1 : T0 + index * 1000, `k${index}`, value.toString());
  });
}

/** java.util.Random's bytes, so that the file stays what it is. */
function randomBytes(seed: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(size + 4);
  let state = (seed ^ 0x5deece66dn) & ((1n << 48n) - 1n);
  for (let at = 0; at < size; at += 4) {
    state = (state * 0x5deece66dn + 0xbn) & ((1n << 48n) - 1n);
    bytes.writeUInt32LE(Number(state >> 16n), at);
  }
  return bytes.subarray(0, size);
}

function incompressible(magic: number): Given[] {
  const value = randomBytes(RANDOM_SEED, 3000).toString('hex');
  return [{ offset: 0, timestamp: magic === 0 ? -1 : T0, key: null, value, headers: [] }];
}
const RANDOM_SEED = 7n;

const ofFormats: Spec[] = [0, 1, 2].flatMap((magic) =>
  ['none', 'gzip', 'snappy', 'lz4', 'zstd'].flatMap((codec): Spec[] => {
    if (codec === 'zstd' && magic < 2) return [];
    const leaderEpoch = magic === 2 ? 7 : -1;
    const base = { ...plain, magic, codec };
    const name = `magic ${magic}, ${codec}`;
    const types = magic === 0 ? ['no timestamps'] : ['CreateTime', 'LogAppendTime'];
    const specs: Spec[] = types.map((type) => ({
      ...base,
      name: `${name}, ${type}`,
      timestampType: type === 'LogAppendTime' ? type : 'CreateTime',
      timestamp: T0 + 999,
      baseOffset: FAR,
      leaderEpoch,
      records: assorted(magic),
    }));
    if (codec === 'none') return specs;
    return [
      ...specs,
      { ...base, name: `${name}, 200 KB`, timestamp: 0, records: long(magic) },
      { ...base, name: `${name}, incompressible`, timestamp: 0, records: incompressible(magic) },
    ];
  }),
);

const ofMagic2: Spec[] = ['none', 'lz4'].flatMap((codec) => {
  const base = { ...plain, codec, timestamp: 0 };
  const horizon = { baseOffset: 50, leaderEpoch: 9 };
  return [
    {
      ...base,
      name: `transactional, sequence wraps, ${codec}`,
      ...{ producerId: 4_000_000_000, producerEpoch: 12, baseSequence: 2_147_483_646, isTransactional: true },
      ...{ baseOffset: 100, leaderEpoch: 3 },
      records: Array.from({ length: 5 }, (_, index) => given(100 + index, T0 + index, `k${index}`, `v${index}`)),
    },
    {
      ...base,
      name: `idempotent, ${codec}`,
      ...{ producerId: 42, producerEpoch: 0, baseSequence: 0, leaderEpoch: 0 },
      records: [given(0, T0, 'a', 'b')],
    },
    {
      ...base,
      ...horizon,
      name: `compacted: offsets with gaps, ${codec}`,
      lastOffset: 60,
      records: [given(52, T0, 'a', 'x'), given(57, T0 + 9_000_000_000, 'b', 'y')],
    },
    {
      ...base,
      ...horizon,
      name: `with a delete horizon, ${codec}`,
      deleteHorizonMs: T0 + 86_400_000,
      records: [given(50, T0, 'a', null), given(51, T0 + 3, 'b', null)],
    },
    {
      ...base,
      name: `300 records, ${codec}`,
      records: Array.from({ length: 300 }, (_, index) =>
        given(index, T0 + ((index * 37) % 50), index % 3 === 0 ? null : `key${index}`, `value number ${index}`),
      ),
    },
    {
      ...base,
      name: `extreme timestamps, ${codec}`,
      records: [given(0, 2 ** 52 - 1, 'far', 'future'), given(1, 0, 'past', '')],
    },
  ];
});

const withGaps = (magic: number, codec: string): Spec => ({
  ...plain,
  name: `magic ${magic}, ${codec}, offsets with gaps`,
  ...{ magic, codec, baseOffset: 10, timestamp: 0 },
  records: [given(13, magic === 0 ? -1 : T0, 'a', '1'), given(17, magic === 0 ? -1 : T0 + 1, 'b', '2')],
});

const marker = (type: 'ABORT' | 'COMMIT'): Spec => ({
  ...noProducer,
  kind: 'end of transaction',
  name: `end of transaction marker, ${type}`,
  ...{ type, baseOffset: 5, timestamp: T0, leaderEpoch: 3, producerId: 1000, producerEpoch: 3, coordinatorEpoch: 7 },
});

const built: readonly Spec[] = [
  ...ofFormats,
  ...ofMagic2,
  withGaps(1, 'gzip'),
  withGaps(0, 'snappy'),
  marker('ABORT'),
  marker('COMMIT'),
  { ...noProducer, kind: 'leader change', name: 'leader change', baseOffset: 8, timestamp: T0, leaderEpoch: 4 },
  {
    ...noProducer,
    kind: 'empty',
    name: 'emptied by compaction',
    ...{
      baseOffset: 20,
      lastOffset: 24,
      timestamp: T0,
      leaderEpoch: 2,
      producerId: 9,
      producerEpoch: 1,
      baseSequence: 5,
    },
  },
];

type Answer = Readonly<Record<string, unknown>>;

async function answersTo(asked: readonly object[]): Promise<Answer[]> {
  const source = join(tempDir(), 'Answers.java');
  writeFileSync(source, ANSWERS);
  const stdin = asked.map((each) => `${JSON.stringify(each)}\n`).join('');
  const { stdout } = await runOrThrow('java', ['-cp', await installJava(RELEASE), source], {
    stdin,
    timeoutMs: 300_000,
  });
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
  if (answers.length !== asked.length) throw new PeerError(`${answers.length} answers to ${asked.length} questions`);
  return answers;
}

const fileOf = (name: string): string => join(root, 'test', 'golden', 'records', name);

/** A case a line, so that a difference can be read. */
function writeCases(name: string, cases: readonly object[]): void {
  writeFileSync(fileOf(name), `[\n${cases.map((each) => JSON.stringify(each)).join(',\n')}\n]\n`);
  console.log(`${cases.length} cases in ${fileOf(name)}`);
}

async function answerAnew(name: string, ask: 'validate' | 'convert'): Promise<void> {
  const cases = JSON.parse(readFileSync(fileOf(name), 'utf8')) as { readonly want: unknown }[];
  const answers = await answersTo(cases.map((each) => ({ ask, ...each })));
  writeCases(
    name,
    cases.map((each, index) => ({ ...each, want: answers[index] })),
  );
}

/** Writes the JSON files of test/golden/records anew. */
export async function recordKafkaRecords(): Promise<void> {
  const answers = await answersTo(built.map((spec) => ({ ask: 'build', ...spec })));
  writeCases(
    'batches.json',
    built.map(({ name }, index) => ({ name, ...answers[index] })),
  );
  await answerAnew('validation.json', 'validate');
  await answerAnew('conversion.json', 'convert');
}

if (import.meta.main) await recordKafkaRecords();
