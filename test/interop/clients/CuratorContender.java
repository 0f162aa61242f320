// Contends with another program for the same znodes, recipe by recipe, and prints what came of it. For each recipe it creates
// /go/<recipe> when it is ready. What must not overlap leaves witnesses below /in: a node that cannot be created is an overlap.
// args[0] is the connect string, args[1] the turns.
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import org.apache.curator.framework.*;
import org.apache.curator.framework.recipes.atomic.*;
import org.apache.curator.framework.recipes.barriers.*;
import org.apache.curator.framework.recipes.cache.*;
import org.apache.curator.framework.recipes.leader.*;
import org.apache.curator.framework.recipes.locks.*;
import org.apache.curator.framework.recipes.nodes.*;
import org.apache.curator.framework.recipes.queue.*;
import org.apache.curator.framework.recipes.shared.*;
import org.apache.curator.retry.*;
import org.apache.zookeeper.*;

public class CuratorContender {
  static CuratorFramework client;
  static int turns;

  public static void main(String[] args) throws Exception {
    client = CuratorFrameworkFactory.newClient(args[0], 10000, 10000, new ExponentialBackoffRetry(100, 5));
    client.start();
    client.blockUntilConnected();
    turns = Integer.parseInt(args[1]);
    lock();
    readWriteLock();
    semaphore();
    latch();
    selector();
    doubleBarrier();
    barrier();
    counter();
    sharedCount();
    queue();
    group();
    System.out.println("done");
    client.close();
    System.exit(0);
  }

  static void go(String recipe) throws Exception {
    client.create().creatingParentsIfNeeded().forPath("/go/" + recipe);
  }

  interface Work { void run() throws Exception; }

  // Fails if the node is there already.
  static void alone(String path, Work work) throws Exception {
    client.create().withMode(CreateMode.EPHEMERAL).forPath(path);
    work.run();
    client.delete().forPath(path);
  }

  static void check(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  static byte[] bytes(String text) { return text.getBytes(StandardCharsets.UTF_8); }
  static String text(byte[] bytes) { return new String(bytes, StandardCharsets.UTF_8); }

  static void lock() throws Exception {
    InterProcessMutex mutex = new InterProcessMutex(client, "/lock");
    go("lock");
    for (int turn = 0; turn < turns; turn++) {
      mutex.acquire();
      alone("/in/lock", () -> Thread.sleep(1));
      mutex.release();
    }
    System.out.println("lock " + turns);
  }

  static void readWriteLock() throws Exception {
    InterProcessReadWriteLock lock = new InterProcessReadWriteLock(client, "/rw");
    go("rw");
    for (int turn = 0; turn < turns; turn++) {
      InterProcessMutex side = turn % 3 == 0 ? lock.writeLock() : lock.readLock();
      boolean writes = side == lock.writeLock();
      side.acquire();
      if (writes) alone("/in/writer", () -> check(client.getChildren().forPath("/in/readers").isEmpty(), "no reader beside a writer"));
      else {
        String reader = client.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/in/readers/r-");
        check(client.checkExists().forPath("/in/writer") == null, "no writer beside a reader");
        client.delete().forPath(reader);
      }
      side.release();
    }
    System.out.println("rw " + turns);
  }

  static void semaphore() throws Exception {
    InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(client, "/semaphore", 2);
    go("semaphore");
    for (int turn = 0; turn < turns; turn++) {
      Lease lease = semaphore.acquire();
      String inside = client.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/in/leases/l-");
      check(client.getChildren().forPath("/in/leases").size() <= 2, "two leases");
      client.delete().forPath(inside);
      semaphore.returnLease(lease);
    }
    System.out.println("semaphore " + turns);
  }

  static void latch() throws Exception {
    go("latch");
    for (int turn = 0; turn < turns; turn++) {
      LeaderLatch latch = new LeaderLatch(client, "/latch", "curator");
      latch.start();
      latch.await();
      alone("/in/latch", () -> check(latch.getLeader().getId().equals("curator"), "leader"));
      latch.close();
    }
    System.out.println("latch " + turns);
  }

  static void selector() throws Exception {
    CountDownLatch led = new CountDownLatch(5);
    LeaderSelector selector = new LeaderSelector(client, "/selector", new LeaderSelectorListenerAdapter() {
      public void takeLeadership(CuratorFramework framework) throws Exception {
        alone("/in/selector", () -> Thread.sleep(5));
        led.countDown();
      }
    });
    selector.setId("curator");
    selector.autoRequeue();
    go("selector");
    selector.start();
    check(led.await(60, TimeUnit.SECONDS), "led");
    selector.close();
    System.out.println("selector");
  }

  static void doubleBarrier() throws Exception {
    go("double");
    List<Future<Boolean>> members = new ArrayList<>();
    for (int member = 0; member < 2; member++) {
      DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(client, "/double", 4);
      FutureTask<Boolean> task = new FutureTask<>(() -> {
        check(barrier.enter(60, TimeUnit.SECONDS), "entered");
        String inside = client.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/in/double/d-");
        for (int look = 0; client.getChildren().forPath("/in/double").size() < 4; look++) {
          check(look < 1000, "all are inside");
          Thread.sleep(10);
        }
        return barrier.leave(60, TimeUnit.SECONDS);
      });
      new Thread(task).start();
      members.add(task);
    }
    for (Future<Boolean> member : members) check(member.get(), "left");
    System.out.println("double");
  }

  static void barrier() throws Exception {
    DistributedBarrier barrier = new DistributedBarrier(client, "/barrier");
    barrier.setBarrier();
    go("barrier");
    check(barrier.waitOnBarrier(60, TimeUnit.SECONDS), "the other removes it");
    System.out.println("barrier");
  }

  static void counter() throws Exception {
    DistributedAtomicLong counter = new DistributedAtomicLong(client, "/counter", new RetryNTimes(10000, 2));
    go("counter");
    for (int turn = 0; turn < turns; turn++) check(counter.add(2L).succeeded(), "added");
    System.out.println("counter " + turns * 2);
  }

  static void sharedCount() throws Exception {
    SharedCount count = new SharedCount(client, "/count", 1);
    count.start();
    CountDownLatch seen = new CountDownLatch(1);
    count.addListener(new SharedCountListener() {
      public void countHasChanged(SharedCountReader shared, int value) { if (value == 42) seen.countDown(); }
      public void stateChanged(CuratorFramework framework, org.apache.curator.framework.state.ConnectionState state) {}
    });
    go("count");
    check(seen.await(60, TimeUnit.SECONDS), "seen");
    check(count.trySetCount(count.getVersionedValue(), 43), "set");
    System.out.println("count " + count.getCount());
    count.close();
  }

  static void queue() throws Exception {
    SimpleDistributedQueue queue = new SimpleDistributedQueue(client, "/queue");
    go("queue");
    StringBuilder taken = new StringBuilder();
    for (int turn = 0; turn < turns; turn++) queue.offer(bytes("curator" + turn));
    // Two thirds of all that is offered: who took whatever there is would leave a slower other side waiting for its share.
    for (int turn = 0; turn < turns * 2; turn++) {
      byte[] item = queue.poll(60, TimeUnit.SECONDS);
      check(item != null, "an item is there");
      taken.append(" ").append(text(item));
    }
    System.out.println("queue" + taken);
  }

  static void group() throws Exception {
    GroupMember member = new GroupMember(client, "/group", "curator", bytes("from curator"));
    member.start();
    PersistentNode node = new PersistentNode(client, CreateMode.EPHEMERAL, false, "/cached/curator", bytes("node"));
    node.start();
    check(node.waitForInitialCreate(60, TimeUnit.SECONDS), "created");
    client.create().forPath("/in/unseen");
    go("group");
    for (int look = 0; !member.getCurrentMembers().containsKey("ours"); look++) {
      check(look < 1000, "ours is there");
      Thread.sleep(20);
    }
    System.out.println("group " + new TreeSet<>(member.getCurrentMembers().keySet()) + " " + text(member.getCurrentMembers().get("ours")));
    client.delete().forPath("/in/unseen");
    for (int look = 0; member.getCurrentMembers().containsKey("ours"); look++) {
      check(look < 1000, "ours has left");
      Thread.sleep(20);
    }
    System.out.println("group " + member.getCurrentMembers().keySet());
    member.close();
    node.close();
  }
}
