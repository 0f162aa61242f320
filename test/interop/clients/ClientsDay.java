// What Java's clients have done since 2.1: topics, records in every codec, groups, transactions. Compiles against the clients
// of 2.1.0 and all later ones; what they name differently goes through `call`. Prints a line for each thing found.
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.*;

public class ClientsDay {
  static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
  static final int EACH = 40;
  static String bootstrap;
  static AdminClient admin;

  static void say(String what, Object value) {
    System.out.println(what + ": " + value);
  }

  /** The first of the methods that this release has. */
  static Object call(Object on, String names, Class<?>[] types, Object... args) throws Exception {
    for (String name : names.split("\\|")) {
      try {
        Method method = on.getClass().getMethod(name, types);
        method.setAccessible(true);
        return method.invoke(on, args);
      } catch (NoSuchMethodException older) {
        continue;
      } catch (InvocationTargetException thrown) {
        throw (Exception) thrown.getCause();
      }
    }
    throw new NoSuchMethodException(names);
  }

  interface Attempt {
    Object run() throws Exception;
  }

  /** What it gives, or the name of the exception that it throws. */
  static Object outcome(Attempt attempt) {
    try {
      return attempt.run();
    } catch (ExecutionException wrapped) {
      return wrapped.getCause().getClass().getSimpleName();
    } catch (Exception thrown) {
      // The producer of 2.1 wraps an error that it learnt before it was asked, and not one that it learns meanwhile.
      boolean isWrapped = thrown.getClass() == KafkaException.class && thrown.getCause() != null;
      return (isWrapped ? thrown.getCause() : thrown).getClass().getSimpleName();
    }
  }

  static KafkaProducer<String, String> producer(Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "acks", "all"));
    config.putAll(more);
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  static KafkaConsumer<String, String> consumer(String group, Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(Map.of(
        "bootstrap.servers", bootstrap, "group.id", group, "auto.offset.reset", "earliest",
        "enable.auto.commit", false));
    config.putAll(more);
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }

  static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
    List<ConsumerRecord<String, String>> found = new ArrayList<>();
    long deadline = System.currentTimeMillis() + 100_000;
    while (found.size() < count && System.currentTimeMillis() < deadline) {
      consumer.poll(Duration.ofMillis(100)).forEach(found::add);
    }
    return found;
  }

  static void topics() throws Exception {
    NewTopic assigned = new NewTopic("assigned", Map.of(0, List.of(0), 1, List.of(0)));
    NewTopic records = new NewTopic("records", 2, (short) 1).configs(Map.of("retention.ms", "3600000"));
    admin.createTopics(List.of(assigned, records, new NewTopic("copies", 1, (short) 1))).all().get();
    say("again", outcome(() -> admin.createTopics(List.of(assigned)).all().get()));
    say("too many replicas", outcome(() -> admin.createTopics(List.of(new NewTopic("x", 1, (short) 2))).all().get()));
    say("topics", new TreeSet<>(admin.listTopics().names().get()));
    admin.createPartitions(Map.of("records", NewPartitions.increaseTo(3))).all().get();
    say("fewer", outcome(() -> admin.createPartitions(Map.of("records", NewPartitions.increaseTo(1))).all().get()));
    Map<?, ?> described = (Map<?, ?>) ((KafkaFuture<?>) call(admin.describeTopics(List.of("records")),
        "allTopicNames|all", new Class<?>[0])).get();
    TopicDescription description = (TopicDescription) described.get("records");
    say("partitions", description.partitions().stream().map(one -> one.partition() + "@" + one.leader().id())
        .collect(Collectors.toList()));
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, "records");
    Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
    say("retention", config.get("retention.ms").value() + " " + config.get("retention.ms").source());
    say("cleanup", config.get("cleanup.policy").value() + " " + config.get("cleanup.policy").source());
    say("nodes", admin.describeCluster().nodes().get().size() + " " + admin.describeCluster().controller().get().id());
    say("acls", outcome(() -> admin.describeAcls(AclBindingFilter.ANY).values().get()));
    say("token", outcome(() -> admin.createDelegationToken().delegationToken().get()));
  }

  static void records() throws Exception {
    List<ProducerRecord<String, String>> sent = new ArrayList<>();
    for (String codec : CODECS) {
      try (KafkaProducer<String, String> producer = producer(Map.of(
          "compression.type", codec, "enable.idempotence", true, "linger.ms", 5))) {
        for (int number = 0; number < EACH; number += 1) {
          String value = number == 0 ? null : (codec + number + " ").repeat(50);
          ProducerRecord<String, String> record =
              new ProducerRecord<>("records", number % 3, 1_000_000L + number, codec + number, value);
          record.headers().add("codec", codec.getBytes());
          producer.send(record);
          sent.add(record);
        }
      }
    }
    try (KafkaConsumer<String, String> consumer = consumer("readers", Map.of("client.id", "r"))) {
      consumer.subscribe(java.util.regex.Pattern.compile("rec.*"));
      List<ConsumerRecord<String, String>> found = read(consumer, sent.size());
      Set<String> want = sent.stream().map(one -> one.key() + one.value() + one.timestamp()).collect(Collectors.toSet());
      Set<String> have = found.stream().map(one -> one.key() + one.value() + one.timestamp()).collect(Collectors.toSet());
      boolean headers = found.stream()
          .allMatch(one -> one.key().startsWith(new String(one.headers().lastHeader("codec").value())));
      say("records", found.size() + " " + want.equals(have) + " " + headers);
      TopicPartition first = new TopicPartition("records", 0);
      consumer.commitSync(Map.of(first, new OffsetAndMetadata(7, "note")));
      consumer.seek(first, 3);
      consumer.pause(Set.of(new TopicPartition("records", 1), new TopicPartition("records", 2)));
      say("after seek", read(consumer, 1).get(0).offset() + " " + consumer.position(first));
      say("by time", consumer.offsetsForTimes(Map.of(first, 1_000_004L)).get(first).offset());
      say("ends", consumer.beginningOffsets(Set.of(first)).get(first) + " " + consumer.endOffsets(Set.of(first)).get(first));
      say("group", admin.describeConsumerGroups(List.of("readers")).all().get().get("readers").members().size());
    }
    TopicPartition first = new TopicPartition("records", 0);
    OffsetAndMetadata committed =
        admin.listConsumerGroupOffsets("readers").partitionsToOffsetAndMetadata().get().get(first);
    say("committed", committed.offset() + " " + committed.metadata());
    say("low", admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(10))).lowWatermarks().get(first).get()
        .lowWatermark());
  }

  static void group() throws Exception {
    Map<String, Object> config = Map.of("session.timeout.ms", 6000, "heartbeat.interval.ms", 200);
    try (KafkaConsumer<String, String> one = consumer("sharers", config);
        KafkaConsumer<String, String> other = consumer("sharers", config)) {
      one.subscribe(List.of("records"));
      other.subscribe(List.of("records"));
      long deadline = System.currentTimeMillis() + 100_000;
      while (one.assignment().isEmpty() || other.assignment().isEmpty()
          || one.assignment().size() + other.assignment().size() != 3) {
        if (System.currentTimeMillis() > deadline) break;
        one.poll(Duration.ofMillis(50));
        other.poll(Duration.ofMillis(50));
      }
      say("shared", new TreeSet<>(List.of(one.assignment().size(), other.assignment().size())));
      ConsumerGroupDescription described = admin.describeConsumerGroups(List.of("sharers")).all().get().get("sharers");
      say("members", described.members().size() + " " + described.partitionAssignor());
      say("in use", outcome(() -> admin.deleteConsumerGroups(List.of("sharers")).all().get()));
    }
    admin.deleteConsumerGroups(List.of("readers")).all().get();
    say("gone", outcome(() -> admin.deleteConsumerGroups(List.of("readers")).all().get()));
  }

  static void sendOffsets(KafkaProducer<String, String> producer, long offset) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> offsets =
        Map.of(new TopicPartition("records", 1), new OffsetAndMetadata(offset));
    try {
      call(producer, "sendOffsetsToTransaction", new Class<?>[] {Map.class, String.class}, offsets, "copier");
    } catch (NoSuchMethodException newer) {
      Class<?> type = Class.forName("org.apache.kafka.clients.consumer.ConsumerGroupMetadata");
      Object group = type.getConstructor(String.class).newInstance("copier");
      call(producer, "sendOffsetsToTransaction", new Class<?>[] {Map.class, type}, offsets, group);
    }
  }

  static List<String> copies(String isolation) {
    try (KafkaConsumer<String, String> consumer = consumer("copies", Map.of("isolation.level", isolation))) {
      TopicPartition partition = new TopicPartition("copies", 0);
      consumer.assign(Set.of(partition));
      List<String> found = new ArrayList<>();
      long end = consumer.endOffsets(Set.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(one -> found.add(one.value()));
      }
      return found;
    }
  }

  static void transactions() throws Exception {
    KafkaProducer<String, String> producer = producer(Map.of("transactional.id", "copier"));
    producer.initTransactions();
    for (int number = 0; number < 3; number += 1) {
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("copies", "copy" + number));
      sendOffsets(producer, number + 1);
      producer.commitTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("copies", "lost" + number)).get();
      sendOffsets(producer, 99);
      producer.abortTransaction();
    }
    producer.beginTransaction();
    producer.send(new ProducerRecord<>("copies", "open")).get();
    say("committed copies", copies("read_committed"));
    say("all copies", copies("read_uncommitted"));
    KafkaProducer<String, String> heir = producer(Map.of("transactional.id", "copier"));
    heir.initTransactions();
    say("fenced", outcome(() -> {
      producer.send(new ProducerRecord<>("copies", "late"));
      producer.commitTransaction();
      return "not";
    }));
    producer.close();
    heir.beginTransaction();
    heir.send(new ProducerRecord<>("copies", "heir"));
    heir.commitTransaction();
    heir.close();
    say("committed copies", copies("read_committed"));
    say("copied up to", admin.listConsumerGroupOffsets("copier").partitionsToOffsetAndMetadata().get()
        .get(new TopicPartition("records", 1)).offset());
  }

  static void leave() throws Exception {
    Object result = admin.describeLogDirs(List.of(0));
    Map<?, ?> dirs = (Map<?, ?>) ((KafkaFuture<?>) call(result, "allDescriptions|all", new Class<?>[0])).get();
    say("log dirs", ((Map<?, ?>) dirs.get(0)).size());
    admin.deleteTopics(List.of("assigned", "records", "copies")).all().get();
    say("deleted", outcome(() -> admin.deleteTopics(List.of("records")).all().get()));
  }

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    admin = AdminClient.create(Map.of("bootstrap.servers", bootstrap));
    topics();
    records();
    group();
    transactions();
    leave();
    admin.close();
    System.exit(0);
  }
}
