// What Java's clients do since 3.x: changes of configurations one by one, offsets of every kind, static members, transactions seen
// and ended from outside, reassignments, users. Prints a line for each thing found. With a second argument also groups of the
// consumer protocol, which Apache's broker of 3.9 has in KRaft mode alone.
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.*;

public class AdminDay {
  static String bootstrap;
  static Admin admin;
  static final TopicPartition FIRST = new TopicPartition("day", 0);

  static void say(String what, Object value) {
    System.out.println(what + ": " + value);
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
      return thrown.getClass().getSimpleName();
    }
  }

  static KafkaProducer<String, String> producer(Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
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

  static void change(ConfigResource resource, AlterConfigOp.OpType type, String name, String value) throws Exception {
    admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry(name, value), type)))).all().get();
  }

  static String show(ConfigResource resource, String name) throws Exception {
    DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
    ConfigEntry entry = admin.describeConfigs(List.of(resource), options).all().get().get(resource).get(name);
    return entry.value() + " " + entry.source() + " " + entry.type() + " "
        + entry.synonyms().stream().map(one -> one.name() + "=" + one.value()).collect(Collectors.toList())
        + " " + (entry.documentation().length() > 20);
  }

  static void configs() throws Exception {
    admin.createTopics(List.of(new NewTopic("day", Optional.of(2), Optional.empty()))).all().get();
    Uuid id = admin.describeTopics(List.of("day")).allTopicNames().get().get("day").topicId();
    say("by id", admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name());
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "day");
    change(topic, AlterConfigOp.OpType.APPEND, "cleanup.policy", "compact");
    say("appended", show(topic, "cleanup.policy"));
    change(topic, AlterConfigOp.OpType.SUBTRACT, "cleanup.policy", "delete");
    say("subtracted", show(topic, "cleanup.policy"));
    change(topic, AlterConfigOp.OpType.DELETE, "cleanup.policy", "");
    say("default again", show(topic, "cleanup.policy"));
    say("refused", outcome(() -> {
      change(topic, AlterConfigOp.OpType.SET, "retention.ms", "soon");
      return "not";
    }));
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "0");
    change(broker, AlterConfigOp.OpType.SET, "message.max.bytes", "2000000");
    while (!show(broker, "message.max.bytes").startsWith("2000000 ")) Thread.sleep(20);
    say("dynamic", show(broker, "message.max.bytes"));
    change(broker, AlterConfigOp.OpType.DELETE, "message.max.bytes", "");
    ConfigResource logger = new ConfigResource(ConfigResource.Type.BROKER_LOGGER, "0");
    say("loggers", admin.describeConfigs(List.of(logger)).all().get().get(logger).entries().size() > 0);
  }

  static Object offsetOf(OffsetSpec spec) throws Exception {
    return outcome(() -> admin.listOffsets(Map.of(FIRST, spec)).partitionResult(FIRST).get().offset());
  }

  static void offsets() throws Exception {
    try (KafkaProducer<String, String> producer = producer(Map.of())) {
      for (int number = 0; number < 10; number += 1) {
        producer.send(new ProducerRecord<>("day", number % 2, 1000L * (number == 4 ? 99 : number), "k", "v" + number)).get();
      }
    }
    say("offsets", Stream.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(), OffsetSpec.forTimestamp(3000))
        .map(spec -> outcome(() -> offsetOf(spec))).collect(Collectors.toList()));
    admin.alterConsumerGroupOffsets("moved", Map.of(FIRST, new OffsetAndMetadata(3, Optional.of(0), "by hand"))).all().get();
    say("altered", admin.listConsumerGroupOffsets("moved").partitionsToOffsetAndMetadata().get().get(FIRST));
    say("removed", outcome(() -> admin.deleteConsumerGroupOffsets("moved", Set.of(FIRST)).all().get()));
    say("groups", admin.listConsumerGroups(new ListConsumerGroupsOptions()).all().get().stream()
        .map(ConsumerGroupListing::groupId).sorted().collect(Collectors.toList()));
  }

  static void members() throws Exception {
    try (KafkaConsumer<String, String> fixed = consumer("static", Map.of("group.instance.id", "one"))) {
      fixed.subscribe(List.of("day"));
      while (fixed.assignment().isEmpty()) fixed.poll(Duration.ofMillis(50));
      MemberDescription member =
          admin.describeConsumerGroups(List.of("static")).all().get().get("static").members().iterator().next();
      say("static", member.groupInstanceId() + " " + member.assignment().topicPartitions().size());
    }
    say("stays", admin.describeConsumerGroups(List.of("static")).all().get().get("static").members().size());
    admin.removeMembersFromConsumerGroup("static",
        new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("one")))).all().get();
    say("removed", admin.describeConsumerGroups(List.of("static")).all().get().get("static").members().size());
  }

  static void transactions() throws Exception {
    KafkaProducer<String, String> producer = producer(Map.of("transactional.id", "seen"));
    producer.initTransactions();
    producer.beginTransaction();
    producer.send(new ProducerRecord<>("day", 0, "k", "hanging")).get();
    TransactionDescription description = admin.describeTransactions(List.of("seen")).description("seen").get();
    say("transaction", description.state() + " " + description.topicPartitions());
    say("listed", admin.listTransactions().all().get().stream()
        .map(one -> one.transactionalId() + " " + one.state()).collect(Collectors.toList()));
    ProducerState state = admin.describeProducers(List.of(FIRST)).partitionResult(FIRST).get().activeProducers().stream()
        .filter(one -> one.currentTransactionStartOffset().isPresent()).findFirst().get();
    say("producer", state.currentTransactionStartOffset().getAsLong() + " " + state.lastSequence());
    say("stable", admin.listOffsets(Map.of(FIRST, OffsetSpec.latest()),
        new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).partitionResult(FIRST).get().offset());
    say("fence", outcome(() -> admin.fenceProducers(List.of("seen")).all().get()));
    say("fenced", outcome(() -> {
      producer.commitTransaction();
      return "not";
    }));
    producer.close(Duration.ZERO);
    while (admin.listOffsets(Map.of(FIRST, OffsetSpec.latest()),
        new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).partitionResult(FIRST).get().offset() < 7) {
      Thread.sleep(50);
    }
    say("ended", admin.describeTransactions(List.of("seen")).description("seen").get().state());
  }

  static void cluster() throws Exception {
    say("reassigned", outcome(() -> admin.alterPartitionReassignments(
        Map.of(FIRST, Optional.of(new NewPartitionReassignment(List.of(0))))).all().get()));
    say("nowhere", outcome(() -> admin.alterPartitionReassignments(
        Map.of(FIRST, Optional.of(new NewPartitionReassignment(List.of(7))))).all().get()));
    say("cancelled", outcome(() -> admin.alterPartitionReassignments(Map.of(FIRST, Optional.empty())).all().get()));
    say("reassignments", admin.listPartitionReassignments().reassignments().get());
    say("elected", outcome(() -> admin.electLeaders(ElectionType.PREFERRED, Set.of(FIRST)).partitions().get().get(FIRST)
        .map(thrown -> thrown.getClass().getSimpleName())));
    Map<String, LogDirDescription> dirs = admin.describeLogDirs(List.of(0)).allDescriptions().get().get(0);
    LogDirDescription dir = dirs.values().iterator().next();
    say("log dir", (dir.error() == null) + " " + dir.replicaInfos().containsKey(FIRST) + " " + (dir.totalBytes().getAsLong() > 0));
    TopicPartitionReplica replica = new TopicPartitionReplica("day", 0, 0);
    say("stays", outcome(() -> admin.alterReplicaLogDirs(Map.of(replica, dirs.keySet().iterator().next())).all().get()));
    say("moved", outcome(() -> admin.alterReplicaLogDirs(Map.of(replica, "/nowhere")).all().get()));
    say("features", admin.describeFeatures().featureMetadata().get().finalizedFeatures().keySet());
    say("quorum", outcome(() -> admin.describeMetadataQuorum().quorumInfo().get()));
    say("users", outcome(() -> {
      ScramCredentialInfo info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);
      admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion("bob", info, "secret"))).all().get();
      return admin.describeUserScramCredentials().all().get().get("bob").credentialInfos();
    }));
  }

  static void newGroup() throws Exception {
    Map<String, Object> config = Map.of("group.protocol", "consumer");
    try (KafkaConsumer<String, String> one = consumer("new", config); KafkaConsumer<String, String> other = consumer("new", config)) {
      one.subscribe(List.of("day"));
      other.subscribe(List.of("day"));
      Set<String> found = new TreeSet<>();
      long deadline = System.currentTimeMillis() + 100_000;
      while (found.size() < 10 || one.assignment().size() != 1 || other.assignment().size() != 1) {
        if (System.currentTimeMillis() > deadline) break;
        for (KafkaConsumer<String, String> member : List.of(one, other)) {
          member.poll(Duration.ofMillis(50)).forEach(record -> found.add(record.value()));
          member.commitSync();
        }
      }
      say("found", found);
      ConsumerGroupDescription described = admin.describeConsumerGroups(List.of("new")).all().get().get("new");
      say("group", described.partitionAssignor() + " " + described.members().size());
    }
    say("committed", admin.listConsumerGroupOffsets("new").partitionsToOffsetAndMetadata().get().size());
  }

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    configs();
    offsets();
    members();
    transactions();
    cluster();
    if (args.length > 1) newGroup();
    admin.close();
    System.exit(0);
  }
}
