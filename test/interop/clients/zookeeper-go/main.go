// The Go client, every operation it has, its lock among them: `zookeeper-go host:port`. Prints RESTART when the server shall be
// killed and come back.
package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"sort"
	"time"

	"github.com/go-zookeeper/zk"
)

const wait = 30 * time.Second

func check(ok bool, what string, values ...interface{}) {
	if !ok {
		fmt.Println(append([]interface{}{"WRONG:", what}, values...)...)
		os.Exit(1)
	}
}

func must(err error, what string) { check(err == nil, what, err) }

func refused(err, want error, what string) { check(errors.Is(err, want), what, err) }

func open(servers string) (*zk.Conn, <-chan zk.Event) {
	conn, events, err := zk.Connect([]string{servers}, 10*time.Second, zk.WithLogInfo(false))
	must(err, "connect")
	reach(events, zk.StateHasSession)
	return conn, events
}

func reach(events <-chan zk.Event, state zk.State) {
	timeout := time.After(wait)
	for {
		select {
		case event := <-events:
			check(event.State != zk.StateExpired, "the session expired")
			if event.State == state {
				return
			}
		case <-timeout:
			check(false, "state not reached", state)
		}
	}
}

func fired(events <-chan zk.Event, kind zk.EventType, path string) {
	select {
	case event := <-events:
		check(event.Type == kind && event.Path == path, "event", event)
	case <-time.After(wait):
		check(false, "no event", kind, path)
	}
}

func operations(one *zk.Conn) {
	all := zk.WorldACL(zk.PermAll)
	path, err := one.Create("/g", []byte("one"), 0, all)
	check(err == nil && path == "/g", "create", path, err)
	path, err = one.Create("/g/s-", nil, zk.FlagSequence, all)
	check(err == nil && path == "/g/s-0000000000", "sequential", path, err)
	path, err = one.CreateProtectedEphemeralSequential("/g/p-", nil, all)
	check(err == nil && path[len(path)-12:] == "p-0000000001", "protected", path, err)
	must(one.Delete(path, -1), "delete of the protected")
	_, err = one.CreateContainer("/g/container", nil, zk.FlagContainer, all)
	must(err, "container")
	_, err = one.Create("/g", nil, 0, all)
	refused(err, zk.ErrNodeExists, "create again")
	_, err = one.Create("/none/child", nil, 0, all)
	refused(err, zk.ErrNoNode, "create without a parent")
	_, err = one.Create("/g/e", nil, zk.FlagEphemeral, all)
	must(err, "ephemeral")
	_, err = one.Create("/g/e/child", nil, 0, all)
	refused(err, zk.ErrNoChildrenForEphemerals, "child of an ephemeral")
	must(one.Delete("/g/e", 0), "delete")
	stat, err := one.Set("/g", []byte("two"), 0)
	check(err == nil && stat.Version == 1, "set", stat, err)
	_, err = one.Set("/g", nil, 0)
	refused(err, zk.ErrBadVersion, "set of an old version")
	data, stat, err := one.Get("/g")
	check(err == nil && string(data) == "two" && stat.NumChildren == 2, "get", string(data), stat, err)
	there, _, err := one.Exists("/none")
	check(err == nil && !there, "exists", there, err)
	names, _, err := one.Children("/g")
	sort.Strings(names)
	check(err == nil && reflect.DeepEqual(names, []string{"container", "s-0000000000"}), "children", names, err)
	refused(one.Delete("/g", -1), zk.ErrNotEmpty, "delete with children")
	path, err = one.Sync("/g")
	check(err == nil && path == "/g", "sync", path, err)
}

func acls(one, two *zk.Conn) {
	acl := zk.DigestACL(zk.PermAll, "bob", "secret")
	_, err := one.Create("/acl", []byte("hidden"), 0, acl)
	must(err, "create with an ACL")
	_, _, err = one.Get("/acl")
	refused(err, zk.ErrNoAuth, "get without auth")
	must(one.AddAuth("digest", []byte("bob:secret")), "auth")
	found, stat, err := one.GetACL("/acl")
	check(err == nil && reflect.DeepEqual(found, acl) && stat.Aversion == 0, "getACL", found, err)
	stat, err = one.SetACL("/acl", append(acl, zk.WorldACL(zk.PermRead)...), 0)
	check(err == nil && stat.Aversion == 1, "setACL", stat, err)
	data, _, err := two.Get("/acl")
	check(err == nil && string(data) == "hidden", "get of another", string(data), err)
	_, err = two.Set("/acl", nil, -1)
	refused(err, zk.ErrNoAuth, "set of another")
}

func multi(one *zk.Conn) {
	all := zk.WorldACL(zk.PermAll)
	results, err := one.Multi(
		&zk.CreateRequest{Path: "/m", Data: []byte("a"), Acl: all},
		&zk.CheckVersionRequest{Path: "/m", Version: 0},
		&zk.SetDataRequest{Path: "/m", Data: []byte("b"), Version: 0},
		&zk.CreateRequest{Path: "/m/s-", Acl: all, Flags: zk.FlagSequence},
		&zk.DeleteRequest{Path: "/m/s-0000000000", Version: 0},
	)
	check(err == nil && len(results) == 5, "multi", results, err)
	check(results[0].String == "/m" && results[2].Stat.Version == 1 && results[3].String == "/m/s-0000000000", "multi", results)
	_, err = one.Multi(
		&zk.CreateRequest{Path: "/m/never", Acl: all},
		&zk.DeleteRequest{Path: "/m/none", Version: -1},
	)
	refused(err, zk.ErrNoNode, "multi of a missing node")
	there, _, err := one.Exists("/m/never")
	check(err == nil && !there, "nothing of a failed multi", there, err)
}

func watches(one, two *zk.Conn) {
	all := zk.WorldACL(zk.PermAll)
	_, _, created, err := one.ExistsW("/w")
	must(err, "existsW")
	_, err = two.Create("/w", nil, 0, all)
	must(err, "create")
	fired(created, zk.EventNodeCreated, "/w")
	_, _, changed, err := one.GetW("/w")
	must(err, "getW")
	_, _, grown, err := one.ChildrenW("/w")
	must(err, "childrenW")
	_, err = two.Set("/w", []byte("x"), -1)
	must(err, "set")
	fired(changed, zk.EventNodeDataChanged, "/w")
	_, err = two.Create("/w/c", nil, 0, all)
	must(err, "create")
	fired(grown, zk.EventNodeChildrenChanged, "/w")
	_, _, deleted, err := one.ExistsW("/w/c")
	must(err, "existsW")
	must(two.Delete("/w/c", -1), "delete")
	fired(deleted, zk.EventNodeDeleted, "/w/c")
}

func locks(one, two *zk.Conn) {
	all := zk.WorldACL(zk.PermAll)
	first, second := zk.NewLock(one, "/lock", all), zk.NewLock(two, "/lock", all)
	must(first.Lock(), "lock")
	got := make(chan error)
	go func() { got <- second.Lock() }()
	for deadline := time.Now().Add(wait); ; {
		names, _, err := one.Children("/lock")
		must(err, "contenders")
		if len(names) == 2 {
			break
		}
		check(time.Now().Before(deadline), "no second contender")
	}
	must(first.Unlock(), "unlock")
	select {
	case err := <-got:
		must(err, "lock of the second")
	case <-time.After(wait):
		check(false, "the lock did not pass on")
	}
	must(second.Unlock(), "unlock of the second")
}

func restart(servers string, one, two *zk.Conn, events <-chan zk.Event) {
	all := zk.WorldACL(zk.PermAll)
	_, err := two.Create("/gone", nil, zk.FlagEphemeral, all)
	must(err, "ephemeral")
	_, _, gone, err := one.ExistsW("/gone")
	must(err, "existsW")
	two.Close()
	fired(gone, zk.EventNodeDeleted, "/gone")

	session := one.SessionID()
	_, err = one.Create("/alive", nil, zk.FlagEphemeral, all)
	must(err, "ephemeral")
	_, _, changed, err := one.GetW("/g")
	must(err, "getW")
	fmt.Println("RESTART")
	reach(events, zk.StateDisconnected)
	reach(events, zk.StateHasSession)
	check(one.SessionID() == session, "another session")
	there, stat, err := one.Exists("/alive")
	check(err == nil && there && stat.EphemeralOwner == session, "the ephemeral", stat, err)
	three, _ := open(servers)
	_, err = three.Set("/g", []byte("three"), -1)
	must(err, "set after the restart")
	fired(changed, zk.EventNodeDataChanged, "/g")
	three.Close()
}

func main() {
	servers := os.Args[1]
	one, events := open(servers)
	two, _ := open(servers)
	operations(one)
	acls(one, two)
	multi(one)
	watches(one, two)
	locks(one, two)
	restart(servers, one, two, events)
	one.Close()
	fmt.Println("walked")
}
