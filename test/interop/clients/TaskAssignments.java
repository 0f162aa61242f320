// Reads streams groups from standard input, one a line, and prints what Apache's sticky assignor makes of each.
//   in:   replicas|subtopology=tasks=stateful,…|member;process;active;standby;offsets~member…
//         active, standby:  subtopology=partition.partition,…      offsets:  subtopology=partition:offset.…,…
//   out:  member;active;standby~member…
import java.io.*;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.coordinator.group.api.streams.assignor.*;
import org.apache.kafka.coordinator.group.streams.assignor.*;

public class TaskAssignments {
  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) System.out.println(assign(line));
  }

  private static List<String> split(String text, String by) {
    return text.isEmpty() ? List.of() : List.of(text.split(by));
  }

  private static Map<String, Set<Integer>> tasks(String text) {
    Map<String, Set<Integer>> tasks = new HashMap<>();
    for (String one : split(text, ",")) {
      String[] pair = one.split("=");
      tasks.put(pair[0], split(pair[1], "\\.").stream().map(Integer::valueOf).collect(Collectors.toCollection(HashSet::new)));
    }
    return tasks;
  }

  private static Map<String, Map<Integer, Long>> offsets(String text) {
    Map<String, Map<Integer, Long>> offsets = new HashMap<>();
    for (String one : split(text, ",")) {
      String[] pair = one.split("=");
      Map<Integer, Long> sums = new HashMap<>();
      for (String sum : split(pair[1], "\\.")) sums.put(Integer.valueOf(sum.split(":")[0]), Long.valueOf(sum.split(":")[1]));
      offsets.put(pair[0], sums);
    }
    return offsets;
  }

  private static String print(Map<String, Set<Integer>> tasks) {
    return new TreeMap<>(tasks).entrySet().stream()
        .map(one -> one.getKey() + "=" + new TreeSet<>(one.getValue()).stream().map(String::valueOf).collect(Collectors.joining(".")))
        .collect(Collectors.joining(","));
  }

  private static String assign(String line) {
    String[] parts = line.split("\\|", -1);
    SortedMap<String, String[]> subtopologies = new TreeMap<>();
    for (String one : split(parts[1], ",")) subtopologies.put(one.split("=")[0], one.split("="));
    Map<String, MemberMetadataAndStateImpl> members = new HashMap<>();
    for (String member : split(parts[2], "~")) {
      String[] fields = member.split(";", -1);
      members.put(fields[0], new MemberMetadataAndStateImpl(Optional.empty(), Optional.empty(), fields[1], Map.of(),
          tasks(fields[2]), tasks(fields[3]), Map.of(), offsets(fields[4]), Map.of()));
    }
    TopologyDescriber describer = new TopologyDescriber() {
      public List<String> subtopologies() { return List.copyOf(subtopologies.keySet()); }
      public int maxNumInputPartitions(String id) { return Integer.parseInt(subtopologies.get(id)[1]); }
      public boolean isStateful(String id) { return subtopologies.get(id)[2].equals("1"); }
    };
    GroupSpecImpl spec = new GroupSpecImpl(members, AssignmentConfigsImpl.fromMap(Map.of("num.standby.replicas", parts[0])));
    return new TreeMap<>(new StickyTaskAssignor().assign(spec, describer).members()).entrySet().stream()
        .map(one -> one.getKey() + ";" + print(one.getValue().activeTasks()) + ";" + print(one.getValue().standbyTasks()))
        .collect(Collectors.joining("~"));
  }
}
