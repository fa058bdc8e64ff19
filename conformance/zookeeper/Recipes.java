import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.CreateMode;

/** Curator's recipes, each against the address given; one line for each that works. */
public class Recipes {
    static CuratorFramework connect(String address, String root) throws Exception {
        var client = CuratorFrameworkFactory.newClient(address, 10_000, 5_000, new ExponentialBackoffRetry(100, 5));
        client.start();
        if (!client.blockUntilConnected(15, TimeUnit.SECONDS)) throw new IllegalStateException("not connected");
        return client.usingNamespace(root);
    }

    static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static void mutex(String address, String root) throws Exception {
        var inside = new AtomicInteger();
        var rounds = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int n = 0; n < 3; n++) {
            var client = connect(address, root);
            threads.add(new Thread(() -> {
                try {
                    var mutex = new InterProcessMutex(client, "/mutex");
                    for (int round = 0; round < 5; round++) {
                        check(mutex.acquire(20, TimeUnit.SECONDS), "acquired");
                        check(inside.incrementAndGet() == 1, "alone");
                        inside.decrementAndGet();
                        rounds.incrementAndGet();
                        mutex.release();
                    }
                } catch (Exception error) {
                    throw new RuntimeException(error);
                }
            }));
        }
        for (var thread : threads) thread.start();
        for (var thread : threads) thread.join(30_000);
        check(rounds.get() == 15, "all rounds, not " + rounds.get());
        System.out.println("mutex works");
    }

    static void leader(String address, String root) throws Exception {
        var led = new CountDownLatch(3);
        var leading = new AtomicInteger();
        List<LeaderSelector> selectors = new ArrayList<>();
        for (int n = 0; n < 3; n++) {
            var selector = new LeaderSelector(connect(address, root), "/leader", new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework client) {
                    check(leading.incrementAndGet() == 1, "one leader");
                    leading.decrementAndGet();
                    led.countDown();
                }
            });
            selector.start();
            selectors.add(selector);
        }
        check(led.await(30, TimeUnit.SECONDS), "each has led");
        for (var selector : selectors) selector.close();
        System.out.println("leader works");
    }

    static void persistent(String address, String root) throws Exception {
        var client = connect(address, root);
        var node = new PersistentNode(client, CreateMode.EPHEMERAL, false, "/persistent", "x".getBytes());
        node.start();
        check(node.waitForInitialCreate(10, TimeUnit.SECONDS), "made");
        var other = connect(address, root);
        var again = new CountDownLatch(1);
        var cache = CuratorCache.build(other, "/persistent");
        cache.listenable().addListener((type, before, after) -> {
            if (type.name().equals("NODE_CREATED") && after != null) again.countDown();
        });
        other.delete().forPath("/persistent");
        cache.start();
        check(again.await(20, TimeUnit.SECONDS), "made again");
        node.close();
        System.out.println("persistent works");
    }

    static void cache(String address, String root) throws Exception {
        var client = connect(address, root);
        client.create().creatingParentContainersIfNeeded().forPath("/cache/a", "1".getBytes());
        var seen = new CountDownLatch(3);
        var cache = CuratorCache.build(client, "/cache");
        cache.listenable().addListener((type, before, after) -> seen.countDown());
        cache.start();
        client.create().forPath("/cache/b");
        check(seen.await(20, TimeUnit.SECONDS), "all seen");
        client.transaction().forOperations(
            client.transactionOp().setData().forPath("/cache/a", "2".getBytes()),
            client.transactionOp().delete().forPath("/cache/b"));
        check(new String(client.getData().forPath("/cache/a")).equals("2"), "transaction");
        System.out.println("cache works");
    }

    public static void main(String[] arguments) throws Exception {
        mutex(arguments[0], arguments[1]);
        leader(arguments[0], arguments[1]);
        persistent(arguments[0], arguments[1]);
        cache(arguments[0], arguments[1]);
        System.exit(0);
    }
}
