// Walks through Curator's recipes on one server and prints what they did, the same lines on every server that is right.
// args[0] is the connect string. TTL nodes have to be enabled.
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;
import org.apache.curator.framework.*;
import org.apache.curator.framework.api.transaction.*;
import org.apache.curator.framework.recipes.atomic.*;
import org.apache.curator.framework.recipes.barriers.*;
import org.apache.curator.framework.recipes.cache.*;
import org.apache.curator.framework.recipes.leader.*;
import org.apache.curator.framework.recipes.locks.*;
import org.apache.curator.framework.recipes.nodes.*;
import org.apache.curator.framework.recipes.queue.*;
import org.apache.curator.framework.recipes.shared.*;
import org.apache.curator.framework.recipes.watch.*;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.*;
import org.apache.zookeeper.*;
import org.apache.zookeeper.data.Stat;

public class CuratorRecipes {
  static String connect;
  static CuratorFramework one;
  static CuratorFramework two;
  static final List<CuratorFramework> opened = new ArrayList<>();

  public static void main(String[] args) throws Exception {
    connect = args[0];
    one = open();
    two = open();
    nodes();
    transactions();
    mutex();
    readWriteLock();
    multiLock();
    semaphore();
    latch();
    selector();
    barriers();
    counters();
    queues();
    caches();
    persistentNodes();
    group();
    endedSession();
    for (CuratorFramework client : opened) client.close();
    say("walked");
    System.exit(0);
  }

  static CuratorFramework open() throws Exception {
    CuratorFramework client = CuratorFrameworkFactory.newClient(connect, 10000, 10000, new ExponentialBackoffRetry(100, 5));
    client.start();
    check(client.blockUntilConnected(60, TimeUnit.SECONDS), "connected");
    opened.add(client);
    return client;
  }

  static void say(Object... words) {
    System.out.println(Arrays.stream(words).map(String::valueOf).collect(Collectors.joining(" ")));
  }

  static void check(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  interface Condition { boolean holds() throws Exception; }

  static void until(String what, Condition condition) throws Exception {
    for (int turn = 0; turn < 1200; turn++) {
      if (condition.holds()) return;
      Thread.sleep(50);
    }
    throw new AssertionError("did not come: " + what);
  }

  static byte[] bytes(String text) { return text.getBytes(StandardCharsets.UTF_8); }
  static String text(byte[] bytes) { return bytes == null ? "null" : new String(bytes, StandardCharsets.UTF_8); }
  static String plain(String path) { return path.replaceAll("_c_[0-9a-f-]{36}-", "_c_"); }
  // A container may be gone as soon as it is empty.
  static List<String> below(String path) throws Exception {
    try {
      return one.getChildren().forPath(path).stream().map(CuratorRecipes::plain).sorted().collect(Collectors.toList());
    } catch (KeeperException.NoNodeException gone) {
      return List.of();
    }
  }

  static void nodes() throws Exception {
    say("created", one.create().creatingParentContainersIfNeeded().forPath("/n/a/b", bytes("x")));
    say("protected", plain(one.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/n/p-")));
    say("idempotent", one.create().idempotent().forPath("/n/i", bytes("y")), one.create().idempotent().forPath("/n/i", bytes("y")));
    Stat stat = new Stat();
    say("read", text(two.getData().storingStatIn(stat).forPath("/n/a/b")), stat.getVersion(), stat.getDataLength());
    say("set", one.create().orSetData().forPath("/n/a/b", bytes("z")), one.checkExists().forPath("/n/a/b").getVersion());
    CountDownLatch background = new CountDownLatch(1);
    one.getChildren().inBackground((c, event) -> { say("background", event.getResultCode(), event.getChildren()); background.countDown(); }).forPath("/n/a");
    check(background.await(60, TimeUnit.SECONDS), "background");
    one.delete().guaranteed().deletingChildrenIfNeeded().forPath("/n/a");
    say("left", below("/n"));
    CuratorFramework spaced = one.usingNamespace("space");
    spaced.create().creatingParentsIfNeeded().forPath("/x/y");
    say("namespace", below("/space/x"), spaced.getChildren().forPath("/x"));
    List<String> seen = new CopyOnWriteArrayList<>();
    PersistentWatcher watcher = new PersistentWatcher(one, "/w", true);
    watcher.getListenable().addListener(event -> seen.add(event.getType() + " " + event.getPath()));
    CountDownLatch set = new CountDownLatch(1);
    watcher.getResetListenable().addListener(set::countDown);
    watcher.start();
    check(set.await(60, TimeUnit.SECONDS), "watching");
    two.create().forPath("/w");
    two.create().forPath("/w/a");
    two.setData().forPath("/w/a", bytes("1"));
    two.delete().forPath("/w/a");
    until("events", () -> seen.size() >= 4);
    say("watched", seen);
    watcher.close();
  }

  static void transactions() throws Exception {
    List<CuratorTransactionResult> results = one.transaction().forOperations(
        one.transactionOp().create().forPath("/t", bytes("a")),
        one.transactionOp().setData().withVersion(0).forPath("/t", bytes("b")),
        one.transactionOp().create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/t/s-"),
        one.transactionOp().check().withVersion(1).forPath("/t"),
        one.transactionOp().delete().forPath("/t/s-0000000000"));
    for (CuratorTransactionResult result : results)
      say("transaction", result.getType(), result.getForPath(), result.getResultPath(), result.getError());
    try {
      one.transaction().forOperations(
          one.transactionOp().create().forPath("/t/a"),
          one.transactionOp().check().withVersion(9).forPath("/t"),
          one.transactionOp().create().forPath("/t/b"));
      check(false, "a failed check fails");
    } catch (KeeperException failed) {
      say("refused", failed.code(), failed.getResults().stream().map(r -> ((OpResult.ErrorResult) r).getErr()).collect(Collectors.toList()), below("/t"));
    }
  }

  static void mutex() throws Exception {
    InterProcessMutex mine = new InterProcessMutex(one, "/mutex");
    InterProcessMutex yours = new InterProcessMutex(two, "/mutex");
    mine.acquire();
    mine.acquire();
    say("mutex", below("/mutex"), mine.isOwnedByCurrentThread(), yours.acquire(200, TimeUnit.MILLISECONDS), mine.getParticipantNodes().size());
    Future<Boolean> other = run(() -> { yours.acquire(); yours.release(); return true; });
    until("the other stands in line", () -> mine.getParticipantNodes().size() == 2);
    mine.release();
    say("held twice", other.isDone());
    mine.release();
    say("then", other.get(60, TimeUnit.SECONDS), below("/mutex"));
    AtomicInteger revoked = new AtomicInteger();
    mine.makeRevocable(lock -> revoked.incrementAndGet());
    mine.acquire();
    Revoker.attemptRevoke(two, mine.getParticipantNodes().iterator().next());
    until("revocation", () -> revoked.get() == 1);
    mine.release();
    say("revoked", revoked);
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger turns = new AtomicInteger();
    List<Future<Boolean>> all = new ArrayList<>();
    for (int worker = 0; worker < 4; worker++) {
      InterProcessMutex lock = new InterProcessMutex(worker % 2 == 0 ? one : two, "/mutex");
      all.add(run(() -> {
        for (int turn = 0; turn < 10; turn++) {
          lock.acquire();
          check(inside.incrementAndGet() == 1, "one inside");
          turns.incrementAndGet();
          inside.decrementAndGet();
          lock.release();
        }
        return true;
      }));
    }
    for (Future<Boolean> each : all) each.get(60, TimeUnit.SECONDS);
    say("turns", turns, below("/mutex"));
  }

  static void readWriteLock() throws Exception {
    InterProcessReadWriteLock mine = new InterProcessReadWriteLock(one, "/rw");
    InterProcessReadWriteLock yours = new InterProcessReadWriteLock(two, "/rw");
    mine.readLock().acquire();
    check(yours.readLock().acquire(60, TimeUnit.SECONDS), "readers share");
    say("read", below("/rw"), yours.writeLock().acquire(200, TimeUnit.MILLISECONDS));
    mine.readLock().release();
    yours.readLock().release();
    mine.writeLock().acquire();
    mine.readLock().acquire();
    say("written", below("/rw"), yours.readLock().acquire(200, TimeUnit.MILLISECONDS));
    mine.writeLock().release();
    say("downgraded", yours.readLock().acquire(60, TimeUnit.SECONDS), yours.writeLock().acquire(200, TimeUnit.MILLISECONDS));
    mine.readLock().release();
    yours.readLock().release();
    say("left", below("/rw"));
  }

  static void multiLock() throws Exception {
    InterProcessMultiLock multi = new InterProcessMultiLock(one, List.of("/multi/a", "/multi/b"));
    multi.acquire();
    InterProcessSemaphoreMutex single = new InterProcessSemaphoreMutex(two, "/single");
    say("multi", new InterProcessMutex(two, "/multi/b").acquire(200, TimeUnit.MILLISECONDS), single.acquire(60, TimeUnit.SECONDS));
    multi.release();
    single.release();
    say("left", below("/multi/a"), below("/single/leases"));
  }

  static void semaphore() throws Exception {
    InterProcessSemaphoreV2 mine = new InterProcessSemaphoreV2(one, "/semaphore", 2);
    InterProcessSemaphoreV2 yours = new InterProcessSemaphoreV2(two, "/semaphore", 2);
    Lease first = mine.acquire();
    Lease second = yours.acquire();
    say("leases", below("/semaphore"), below("/semaphore/leases"), mine.acquire(300, TimeUnit.MILLISECONDS) == null);
    Future<Boolean> third = run(() -> { Lease lease = mine.acquire(); mine.returnLease(lease); return true; });
    until("the third waits", () -> below("/semaphore/leases").size() == 3);
    yours.returnLease(second);
    say("third", third.get(60, TimeUnit.SECONDS));
    first.close();
    say("left", below("/semaphore/leases"), below("/semaphore/locks"));
  }

  static void latch() throws Exception {
    List<LeaderLatch> latches = new ArrayList<>();
    List<String> told = new CopyOnWriteArrayList<>();
    for (String id : List.of("a", "b", "c")) {
      LeaderLatch latch = new LeaderLatch(id.equals("b") ? two : one, "/latch", id, LeaderLatch.CloseMode.NOTIFY_LEADER);
      latch.addListener(new LeaderLatchListener() {
        public void isLeader() { told.add(id + " leads"); }
        public void notLeader() { told.add(id + " ends"); }
      });
      latch.start();
      latches.add(latch);
      int count = latches.size();
      until("participant", () -> latches.get(0).getParticipants().size() == count);
    }
    check(latches.get(0).await(60, TimeUnit.SECONDS), "the first leads");
    say("latch", latches.get(0).getParticipants(), latches.get(1).hasLeadership(), latches.get(2).getLeader().getId());
    for (int left = 0; left < 3; left++) {
      check(latches.get(left).await(60, TimeUnit.SECONDS), "the next leads");
      latches.get(left).close();
    }
    until("told", () -> told.size() == 6);
    // Each hears in order; who is next may hear before the last one has heard of its end.
    say("told", told.stream().sorted(Comparator.comparing(event -> event.substring(0, 1))).collect(Collectors.toList()));
    until("left", () -> below("/latch").isEmpty());
  }

  static void selector() throws Exception {
    AtomicInteger leading = new AtomicInteger();
    Set<String> led = ConcurrentHashMap.newKeySet();
    List<LeaderSelector> selectors = new ArrayList<>();
    for (String id : List.of("a", "b")) {
      LeaderSelector selector = new LeaderSelector(id.equals("a") ? one : two, "/selector", new LeaderSelectorListenerAdapter() {
        public void takeLeadership(CuratorFramework client) throws Exception {
          check(leading.incrementAndGet() == 1, "one leader");
          led.add(id);
          Thread.sleep(20);
          leading.decrementAndGet();
        }
      });
      selector.setId(id);
      selector.autoRequeue();
      selector.start();
      selectors.add(selector);
    }
    until("both lead", () -> led.size() == 2);
    for (LeaderSelector selector : selectors) selector.close();
    say("selected", new TreeSet<>(led));
    until("left", () -> below("/selector").isEmpty());
  }

  static void barriers() throws Exception {
    DistributedBarrier barrier = new DistributedBarrier(one, "/barrier");
    barrier.setBarrier();
    DistributedBarrier same = new DistributedBarrier(two, "/barrier");
    say("barrier", same.waitOnBarrier(200, TimeUnit.MILLISECONDS));
    Future<Boolean> waiting = run(() -> same.waitOnBarrier(60, TimeUnit.SECONDS));
    barrier.removeBarrier();
    say("removed", waiting.get(60, TimeUnit.SECONDS));
    AtomicInteger inside = new AtomicInteger();
    List<Future<Boolean>> members = new ArrayList<>();
    for (int member = 0; member < 3; member++) {
      DistributedDoubleBarrier both = new DistributedDoubleBarrier(member == 0 ? one : two, "/double", 3);
      members.add(run(() -> {
        check(both.enter(60, TimeUnit.SECONDS), "entered");
        inside.incrementAndGet();
        until("all inside", () -> inside.get() == 3);
        return both.leave(60, TimeUnit.SECONDS);
      }));
    }
    for (Future<Boolean> member : members) check(member.get(40, TimeUnit.SECONDS), "left");
    say("double barrier", below("/double"));
  }

  static void counters() throws Exception {
    SharedCount mine = new SharedCount(one, "/count", 7);
    SharedCount yours = new SharedCount(two, "/count", 1);
    mine.start();
    yours.start();
    VersionedValue<Integer> before = yours.getVersionedValue();
    say("count", mine.getCount(), yours.getCount(), mine.trySetCount(mine.getVersionedValue(), 8), yours.trySetCount(before, 9));
    until("seen", () -> yours.getCount() == 8);
    say("bytes", Arrays.toString(one.getData().forPath("/count")));
    mine.close();
    yours.close();
    List<Future<Boolean>> workers = new ArrayList<>();
    for (int worker = 0; worker < 4; worker++) {
      DistributedAtomicLong counter = new DistributedAtomicLong(worker % 2 == 0 ? one : two, "/long", new RetryNTimes(1000, 5));
      workers.add(run(() -> {
        for (int turn = 0; turn < 25; turn++) check(counter.increment().succeeded(), "incremented");
        return true;
      }));
    }
    for (Future<Boolean> worker : workers) worker.get(60, TimeUnit.SECONDS);
    DistributedAtomicLong counter = new DistributedAtomicLong(one, "/long", new RetryNTimes(10, 5));
    say("long", counter.get().postValue(), counter.compareAndSet(100L, -2L).succeeded(), Arrays.toString(one.getData().forPath("/long")));
    PromotedToLock promoted = PromotedToLock.builder().lockPath("/promoted").timeout(60, TimeUnit.SECONDS).retryPolicy(new RetryNTimes(3, 10)).build();
    say("promoted", new DistributedAtomicInteger(one, "/int", new RetryNTimes(3, 5), promoted).add(3).postValue());
  }

  static void queues() throws Exception {
    SimpleDistributedQueue mine = new SimpleDistributedQueue(one, "/queue");
    SimpleDistributedQueue yours = new SimpleDistributedQueue(two, "/queue");
    for (String item : List.of("a", "b", "c")) mine.offer(bytes(item));
    say("queue", below("/queue"), text(yours.peek()), text(yours.poll()), text(mine.take()), text(yours.remove()), text(mine.poll()));
    Future<String> waiting = run(() -> text(yours.poll(60, TimeUnit.SECONDS)));
    mine.offer(bytes("d"));
    say("waited", waiting.get(60, TimeUnit.SECONDS));
    BlockingQueue<String> consumed = new LinkedBlockingQueue<>();
    QueueSerializer<String> serializer = new QueueSerializer<>() {
      public byte[] serialize(String item) { return bytes(item); }
      public String deserialize(byte[] data) { return text(data); }
    };
    QueueConsumer<String> consumer = new QueueConsumer<>() {
      public void consumeMessage(String message) { consumed.add(message); }
      public void stateChanged(CuratorFramework client, ConnectionState state) {}
    };
    try (DistributedPriorityQueue<String> queue = QueueBuilder.builder(one, null, serializer, "/priority").buildPriorityQueue(0);
        DistributedPriorityQueue<String> taking = QueueBuilder.builder(two, consumer, serializer, "/priority").lockPath("/priority-locks").buildPriorityQueue(0)) {
      queue.start();
      queue.put("low", 9);
      queue.put("high", 1);
      until("put", () -> below("/priority").size() == 2);
      taking.start();
      say("priority", consumed.poll(60, TimeUnit.SECONDS), consumed.poll(60, TimeUnit.SECONDS));
    }
    try (DistributedDelayQueue<String> queue = QueueBuilder.builder(one, consumer, serializer, "/delay").buildDelayQueue()) {
      queue.start();
      queue.put("late", System.currentTimeMillis() + 300);
      say("delayed", consumed.poll(60, TimeUnit.SECONDS));
    }
  }

  @SuppressWarnings("deprecation")
  static void caches() throws Exception {
    one.create().forPath("/cache", bytes("root"));
    one.create().forPath("/cache/a", bytes("1"));
    List<String> events = new CopyOnWriteArrayList<>();
    CuratorCache cache = CuratorCache.build(two, "/cache");
    CountDownLatch initialized = new CountDownLatch(1);
    cache.listenable().addListener(CuratorCacheListener.builder()
        .forInitialized(initialized::countDown)
        .forAll((type, before, after) -> events.add(type + " " + (after == null ? before : after).getPath())).build());
    cache.start();
    check(initialized.await(60, TimeUnit.SECONDS), "initialized");
    List<String> children = new CopyOnWriteArrayList<>();
    PathChildrenCache paths = new PathChildrenCache(two, "/cache", true);
    paths.getListenable().addListener((client, event) -> { if (event.getData() != null) children.add(event.getType() + " " + event.getData().getPath()); });
    paths.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
    TreeCache tree = TreeCache.newBuilder(two, "/cache").setCacheData(true).build();
    CountDownLatch treeReady = new CountDownLatch(1);
    tree.getListenable().addListener((client, event) -> { if (event.getType() == TreeCacheEvent.Type.INITIALIZED) treeReady.countDown(); });
    tree.start();
    check(treeReady.await(60, TimeUnit.SECONDS), "tree read");
    NodeCache node = new NodeCache(two, "/cache/a");
    node.start(true);
    one.create().forPath("/cache/b", bytes("2"));
    until("created", () -> cache.get("/cache/b").isPresent() && children.size() >= 1);
    one.setData().forPath("/cache/a", bytes("3"));
    until("changed", () -> text(cache.get("/cache/a").get().getData()).equals("3") && children.size() >= 2);
    one.create().forPath("/cache/b/deep", bytes("4"));
    until("deep", () -> tree.getCurrentData("/cache/b/deep") != null);
    until("node", () -> text(node.getCurrentData().getData()).equals("3"));
    one.delete().deletingChildrenIfNeeded().forPath("/cache/b");
    // The cache forgets a node before it tells of that.
    until("deleted", () -> events.size() >= 7 && cache.get("/cache/b").isEmpty() && children.size() >= 3 && tree.getCurrentData("/cache/b") == null);
    say("cached", cache.size(), events);
    say("children", children, new TreeMap<>(tree.getCurrentChildren("/cache")).keySet());
    cache.close();
    paths.close();
    tree.close();
    node.close();
  }

  static void persistentNodes() throws Exception {
    PersistentNode node = new PersistentNode(one, CreateMode.EPHEMERAL, false, "/persistent/node", bytes("x"));
    node.start();
    check(node.waitForInitialCreate(60, TimeUnit.SECONDS), "created");
    long before = two.checkExists().forPath("/persistent/node").getCzxid();
    two.delete().forPath("/persistent/node");
    until("back", () -> { Stat stat = two.checkExists().forPath("/persistent/node"); return stat != null && stat.getCzxid() > before; });
    node.setData(bytes("y"));
    until("data", () -> text(two.getData().forPath("/persistent/node")).equals("y"));
    node.close();
    say("persistent", below("/persistent"));
    PersistentTtlNode ttl = new PersistentTtlNode(one, "/ttl", 2000, bytes("t"));
    ttl.start();
    check(ttl.waitForInitialCreate(60, TimeUnit.SECONDS), "created");
    say("ttl", text(two.getData().forPath("/ttl")), below("/ttl").size() <= 1);
    until("touched", () -> below("/ttl").equals(List.of(PersistentTtlNode.DEFAULT_CHILD_NODE_NAME)));
    ttl.close();
    say("touched", two.checkExists().forPath("/ttl") != null);
  }

  static void group() throws Exception {
    GroupMember mine = new GroupMember(one, "/group", "one", bytes("1"));
    GroupMember yours = new GroupMember(two, "/group", "two", bytes("2"));
    mine.start();
    yours.start();
    until("both", () -> mine.getCurrentMembers().size() == 2 && yours.getCurrentMembers().size() == 2);
    say("group", new TreeSet<>(mine.getCurrentMembers().keySet()), text(yours.getCurrentMembers().get("one")));
    yours.close();
    until("one", () -> mine.getCurrentMembers().size() == 1);
    mine.close();
  }

  // A second connection of the same session ends it, as an expiry does.
  static void endedSession() throws Exception {
    CuratorFramework client = open();
    List<String> states = new CopyOnWriteArrayList<>();
    client.getConnectionStateListenable().addListener((c, state) -> states.add(state.name()));
    LeaderLatch latch = new LeaderLatch(client, "/ended", "x");
    latch.start();
    PersistentNode node = new PersistentNode(client, CreateMode.EPHEMERAL, true, "/ended-node", bytes("x"));
    node.start();
    check(latch.await(60, TimeUnit.SECONDS) && node.waitForInitialCreate(60, TimeUnit.SECONDS), "ready");
    ZooKeeper mine = client.getZookeeperClient().getZooKeeper();
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper twin = new ZooKeeper(connect, 10000, event -> { if (event.getState() == Watcher.Event.KeeperState.SyncConnected) connected.countDown(); }, mine.getSessionId(), mine.getSessionPasswd());
    check(connected.await(60, TimeUnit.SECONDS), "twin");
    twin.close();
    until("lost and back", () -> states.contains("LOST") && states.contains("RECONNECTED"));
    check(latch.await(60, TimeUnit.SECONDS), "leads again");
    until("one node", () -> below("/").stream().filter(name -> name.equals("_c_ended-node")).count() == 1);
    say("ended", latch.hasLeadership(), below("/ended").size());
    latch.close();
    node.close();
  }

  static <T> Future<T> run(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    thread.start();
    return task;
  }
}
