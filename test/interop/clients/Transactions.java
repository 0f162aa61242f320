// A transactional producer's life: commits, aborts, offsets of a group within a transaction, an old producer that is fenced.
// Prints a line for what a reader of committed records then sees, and one for the fenced producer.
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

public class Transactions {
  static String bootstrap;
  static String topic;
  static String id;

  static KafkaProducer<String, String> producer() {
    Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "transactional.id", id, "linger.ms", 0);
    KafkaProducer<String, String> producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    producer.initTransactions();
    return producer;
  }

  static void write(KafkaProducer<String, String> producer, String... values) {
    for (int index = 0; index < values.length; index += 1) {
      producer.send(new ProducerRecord<>(topic, index % 2, null, values[index]));
    }
  }

  static KafkaConsumer<String, String> consumer(String group) {
    Map<String, Object> config = Map.of(
        "bootstrap.servers", bootstrap, "group.id", group, "isolation.level", "read_committed",
        "enable.auto.commit", false, "auto.offset.reset", "earliest");
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }

  static Set<String> committed() {
    List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
    Set<String> seen = new TreeSet<>();
    try (KafkaConsumer<String, String> consumer = consumer("reader-" + id)) {
      consumer.assign(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) seen.add(record.value());
      }
    }
    return seen;
  }

  /** The launcher of single source files cannot show an exception without a stack, as Kafka's are. */
  public static void main(String[] args) {
    try {
      live(args);
    } catch (RuntimeException failure) {
      for (Throwable each = failure; each != null; each = each.getCause()) System.err.println(each);
      System.exit(1);
    }
  }

  static void live(String[] args) {
    bootstrap = args[0];
    topic = args[1];
    id = args[2];
    KafkaProducer<String, String> first = producer();
    for (int number = 0; number < 5; number += 1) {
      first.beginTransaction();
      write(first, "c" + number + "a", "c" + number + "b");
      first.commitTransaction();
      first.beginTransaction();
      write(first, "lost" + number + "a", "lost" + number + "b");
      first.flush();
      first.abortTransaction();
    }
    TopicPartition read = new TopicPartition(topic, 0);
    ConsumerGroupMetadata group = new ConsumerGroupMetadata("group-" + id);
    first.beginTransaction();
    write(first, "with offsets");
    first.sendOffsetsToTransaction(Map.of(read, new OffsetAndMetadata(3)), group);
    first.commitTransaction();
    first.beginTransaction();
    first.sendOffsetsToTransaction(Map.of(read, new OffsetAndMetadata(9)), group);
    first.abortTransaction();
    first.beginTransaction();
    write(first, "fenced");
    first.flush();
    KafkaProducer<String, String> second = producer();
    String end = "committed";
    try {
      first.commitTransaction();
    } catch (KafkaException fenced) {
      end = fenced.getClass().getSimpleName();
    }
    second.beginTransaction();
    write(second, "second");
    second.commitTransaction();
    second.close();
    first.close(Duration.ZERO);
    try (KafkaConsumer<String, String> consumer = consumer("group-" + id)) {
      System.out.println("offset " + consumer.committed(Set.of(read)).get(read).offset());
    }
    System.out.println("committed " + String.join(" ", committed()));
    System.out.println("first " + end);
  }
}
