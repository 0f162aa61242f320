// Reads an assigned partition with the consumer of KIP-848, which names topics by id, and keeps its place: commits without
// ever joining. Prints how far it came, and what the broker has of that.
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

public class CommitsWithoutGroup {
  public static void main(String[] args) {
    Map<String, Object> config = Map.of(
        "bootstrap.servers", args[0], "group.id", args[2], "group.protocol", "consumer",
        "enable.auto.commit", false, "auto.offset.reset", "earliest");
    TopicPartition partition = new TopicPartition(args[1], Integer.parseInt(args[3]));
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(partition));
      for (ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
          consumer.position(partition) < consumer.endOffsets(List.of(partition)).get(partition);
          records = consumer.poll(Duration.ofMillis(100))) {}
      consumer.commitSync();
      System.out.println(consumer.position(partition) + " " + consumer.committed(Set.of(partition)).get(partition).offset());
    }
  }
}
