// A Kafka Streams application that must do everything exactly once: counts the words of `lines` into `counts`, and joins `left`
// with `right` into `joined`. `StreamsCounts bootstrap state-dir group-protocol`: classic or streams (KIP-1071); prints a line for each state it comes to.
import java.time.Duration;
import java.util.*;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;

public class StreamsCounts {
  static Topology topology() {
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, String> lines = builder.stream("lines");
    lines
        .peek((key, line) -> pause())
        .flatMapValues(line -> Arrays.asList(line.split(" ")))
        .groupBy((key, word) -> word, Grouped.as("words"))
        .count(Materialized.as("counts"))
        .toStream()
        .mapValues(count -> Long.toString(count))
        .to("counts");
    KStream<String, String> left = builder.stream("left");
    KStream<String, String> right = builder.stream("right");
    left.join(
            right,
            (one, other) -> one + "+" + other,
            JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofHours(1)),
            StreamJoined.<String, String, String>as("pairs").withStoreName("pairs"))
        .to("joined");
    return builder.build();
  }

  /** So that whoever wants to kill the application amid its work has the time to. */
  static void pause() {
    try {
      Thread.sleep(6);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  public static void main(String[] args) {
    Properties config = new Properties();
    config.put("application.id", "counter");
    config.put("bootstrap.servers", args[0]);
    config.put("state.dir", args[1]);
    config.put("processing.guarantee", "exactly_once_v2");
    config.put("default.key.serde", Serdes.String().getClass());
    config.put("default.value.serde", Serdes.String().getClass());
    config.put("num.stream.threads", 2);
    // What is written comes to the broker long before it is committed, so that a killed application leaves something behind.
    config.put("commit.interval.ms", 400);
    config.put("producer.linger.ms", 0);
    // Every count is written, so that the output tells whether one was left out or repeated.
    config.put("statestore.cache.max.bytes", 0);
    config.put("repartition.purge.interval.ms", 500);
    if (args[2].equals("streams")) {
      config.put("group.protocol", "streams");
    } else {
      config.put("main.consumer.session.timeout.ms", 2000);
      config.put("main.consumer.heartbeat.interval.ms", 300);
    }
    config.put("producer.transaction.timeout.ms", 5000);
    KafkaStreams streams = new KafkaStreams(topology(), config);
    streams.setStateListener((to, from) -> {
      System.out.println("STATE " + to);
      if (to == KafkaStreams.State.ERROR) Runtime.getRuntime().halt(1);
    });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
