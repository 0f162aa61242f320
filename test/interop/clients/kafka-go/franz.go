package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func franz(bootstrap string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*wait)
	defer cancel()
	open := func(opts ...kgo.Opt) *kgo.Client {
		client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(bootstrap))...)
		must(err, "client")
		return client
	}
	client := open()
	defer client.Close()
	admin := kadm.NewClient(client)
	retention := "3600000"
	for _, topic := range []string{"franz-in", "franz-out"} {
		_, err := admin.CreateTopic(ctx, 3, 1, map[string]*string{"retention.ms": &retention}, topic)
		must(err, "create "+topic)
	}
	_, err := admin.CreateTopic(ctx, 3, 1, nil, "franz-in")
	say("again", err)
	configs, err := admin.DescribeTopicConfigs(ctx, "franz-in")
	must(err, "configs")
	for _, config := range configs[0].Configs {
		if config.Key == "retention.ms" {
			say("retention", config.MaybeValue(), config.Source)
		}
	}
	for number, codec := range []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		producer := open(kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic("franz-in"))
		records := make([]*kgo.Record, each)
		for at := range records {
			records[at] = kgo.KeySliceRecord([]byte(fmt.Sprint(at)), []byte(fmt.Sprintf("value %d of codec %d", at, number)))
		}
		must(producer.ProduceSync(ctx, records...).FirstErr(), "produce")
		producer.Close()
	}
	for _, group := range []string{"classic", "consumer"} {
		opts := []kgo.Opt{
			kgo.ConsumerGroup("franz-" + group), kgo.ConsumeTopics("franz-in"), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		}
		if group == "consumer" {
			opts = append(opts, kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()))
		}
		consumer := open(opts...)
		found := map[string]bool{}
		for len(found) < 5*each {
			fetches := consumer.PollFetches(ctx)
			must(fetches.Err(), "poll in "+group)
			fetches.EachRecord(func(record *kgo.Record) { found[string(record.Value)] = true })
		}
		must(consumer.CommitUncommittedOffsets(ctx), "commit in "+group)
		say("found in "+group, len(found))
		listed, err := admin.ListGroups(ctx)
		must(err, "groups")
		say("group", listed["franz-"+group].GroupType, listed["franz-"+group].State)
		consumer.Close()
		committed, err := admin.FetchOffsets(ctx, "franz-"+group)
		must(err, "offsets")
		sum := int64(0)
		committed.Each(func(one kadm.OffsetResponse) { sum += one.At })
		say("committed", sum)
	}
	franzTransactions(ctx, bootstrap, open, admin)
	offsets := kadm.Offsets{}
	offsets.AddOffset("franz-in", 0, 1, -1)
	deleted, err := admin.DeleteRecords(ctx, offsets)
	must(err, "delete records")
	say("low", deleted["franz-in"][0].LowWatermark)
	dirs, err := admin.DescribeAllLogDirs(ctx, nil)
	must(err, "log dirs")
	say("log dirs", len(dirs[0]))
	groups, err := admin.DeleteGroups(ctx, "franz-classic", "franz-consumer", "franz-copier")
	must(err, "delete groups")
	say("groups gone", groups.Error())
	topics, err := admin.DeleteTopics(ctx, "franz-in", "franz-out")
	must(err, "delete topics")
	say("topics gone", topics.Error())
}

// Copies the topic in transactions of a group; each second one is given up, so its records are copied by a later one.
func franzTransactions(ctx context.Context, bootstrap string, open func(...kgo.Opt) *kgo.Client, admin *kadm.Client) {
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(bootstrap), kgo.TransactionalID("franz-copier"), kgo.ConsumerGroup("franz-copier"),
		kgo.ConsumeTopics("franz-in"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.DefaultProduceTopic("franz-out"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets(),
	)
	must(err, "session")
	copied := 0
	for number := 0; copied < 5*each; number += 1 {
		fetches := session.PollRecords(ctx, 20)
		must(fetches.Err(), "poll in a session")
		must(session.Begin(), "begin")
		fetches.EachRecord(func(record *kgo.Record) {
			session.Produce(ctx, kgo.KeySliceRecord(record.Key, record.Value), nil)
		})
		if number == 0 {
			must(session.Client().Flush(ctx), "flush")
			described, err := admin.DescribeTransactions(ctx, "franz-copier")
			must(err, "describe")
			say("transaction", described["franz-copier"].State)
		}
		committed, err := session.End(ctx, kgo.TransactionEndTry(number%2 == 1))
		must(err, "end")
		if committed {
			copied += fetches.NumRecords()
		}
	}
	session.Close()
	say("copied", copied)
	consumer := open(kgo.ConsumeTopics("franz-out"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer consumer.Close()
	seen := map[string]int{}
	total := 0
	for {
		short, cancel := context.WithTimeout(ctx, time.Second)
		fetches := consumer.PollFetches(short)
		cancel()
		if fetches.NumRecords() == 0 {
			break
		}
		fetches.EachRecord(func(record *kgo.Record) { seen[string(record.Value)] += 1; total += 1 })
	}
	say("committed copies", len(seen), total)
}
