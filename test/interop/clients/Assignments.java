// Reads groups from standard input, one a line, and prints what Apache's server-side assignors make of each.
//   in:   assignor|homogeneous|topic=partitions,…|member;instance or -;topic,…;topic=partition.partition,…~member…
//   out:  member;topic=partition.partition,…~member…
import java.io.*;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.*;
import org.apache.kafka.coordinator.group.modern.*;

public class Assignments {
  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) System.out.println(assign(line));
  }

  private static List<String> split(String text, String by) {
    return text.isEmpty() ? List.of() : List.of(text.split(by));
  }

  private static String assign(String line) {
    String[] parts = line.split("\\|", -1);
    Map<Uuid, Integer> counts = new HashMap<>();
    for (String topic : split(parts[2], ",")) {
      String[] pair = topic.split("=");
      counts.put(Uuid.fromString(pair[0]), Integer.parseInt(pair[1]));
    }
    Map<String, MemberSubscriptionAndAssignmentImpl> members = new HashMap<>();
    Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
    for (String member : split(parts[3], "~")) {
      String[] fields = member.split(";", -1);
      Set<Uuid> topics = split(fields[2], ",").stream().map(Uuid::fromString).collect(Collectors.toCollection(LinkedHashSet::new));
      Map<Uuid, Set<Integer>> assigned = new HashMap<>();
      for (String topic : split(fields[3], ",")) {
        String[] pair = topic.split("=");
        Uuid id = Uuid.fromString(pair[0]);
        List<Integer> partitions = split(pair[1], "\\.").stream().map(Integer::valueOf).collect(Collectors.toList());
        assigned.put(id, new HashSet<>(partitions));
        partitions.forEach(one -> inverted.computeIfAbsent(id, __ -> new HashMap<>()).put(one, fields[0]));
      }
      members.put(fields[0], new MemberSubscriptionAndAssignmentImpl(
          Optional.empty(), Optional.of(fields[1]).filter(id -> !id.equals("-")), topics, new Assignment(assigned)));
    }
    SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
      public int numPartitions(Uuid id) { return counts.getOrDefault(id, -1); }
      public Set<String> racksForPartition(Uuid id, int partition) { return Set.of(); }
    };
    SubscriptionType type = parts[1].equals("1") ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
    PartitionAssignor assignor = parts[0].equals("range") ? new RangeAssignor() : new UniformAssignor();
    Map<String, MemberAssignment> assignment =
        assignor.assign(new GroupSpecImpl(Collections.unmodifiableMap(members), type, inverted), describer).members();
    return new TreeMap<>(assignment).entrySet().stream()
        .map(entry -> entry.getKey() + ";" + new TreeMap<>(entry.getValue().partitions().entrySet().stream()
            .collect(Collectors.toMap(topic -> topic.getKey().toString(), topic -> new TreeSet<>(topic.getValue()))))
            .entrySet().stream()
            .map(topic -> topic.getKey() + "=" + topic.getValue().stream().map(String::valueOf).collect(Collectors.joining(".")))
            .collect(Collectors.joining(",")))
        .collect(Collectors.joining("~"));
  }
}
