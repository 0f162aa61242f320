package main

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V3_9_0_0
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	return config
}

// What a group reads goes into a channel; everything is marked.
type reader struct{ values chan *sarama.ConsumerMessage }

func (reader) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (reader) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (r reader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			session.MarkMessage(message, "seen")
			r.values <- message
		case <-session.Context().Done():
			return nil
		}
	}
}

func saramaDay(bootstrap string) {
	brokers := []string{bootstrap}
	admin, err := sarama.NewClusterAdmin(brokers, saramaConfig())
	must(err, "admin")
	retention := "3600000"
	detail := &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1, ConfigEntries: map[string]*string{"retention.ms": &retention}}
	must(admin.CreateTopic("sarama", detail, false), "create")
	say("again", admin.CreateTopic("sarama", detail, false))
	must(admin.CreatePartitions("sarama", 3, nil, false), "partitions")
	saramaCodecs(brokers)
	saramaGroup(brokers, admin)
	saramaTransactions(brokers, admin)
	entries, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: "sarama", ConfigNames: []string{"retention.ms"}})
	must(err, "describe")
	say("config", entries[0].Name, entries[0].Value)
	value := "7200000"
	must(admin.IncrementalAlterConfig(sarama.TopicResource, "sarama", map[string]sarama.IncrementalAlterConfigsEntry{
		"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
	}, false), "alter")
	must(admin.DeleteRecords("sarama", map[int32]int64{0: 1}), "delete records")
	dirs, err := admin.DescribeLogDirs([]int32{0})
	must(err, "log dirs")
	say("log dirs", len(dirs[0]))
	say("acls", admin.CreateACL(
		sarama.Resource{ResourceType: sarama.AclResourceTopic, ResourceName: "t", ResourcePatternType: sarama.AclPatternLiteral},
		sarama.Acl{Principal: "User:bob", Host: "*", Operation: sarama.AclOperationRead, PermissionType: sarama.AclPermissionAllow},
	))
	must(admin.DeleteConsumerGroup("sarama"), "delete the group")
	must(admin.DeleteTopic("sarama"), "delete")
	must(admin.Close(), "close")
}

func saramaCodecs(brokers []string) {
	for codec := sarama.CompressionNone; codec <= sarama.CompressionZSTD; codec += 1 {
		config := saramaConfig()
		config.Producer.Compression = codec
		producer, err := sarama.NewSyncProducer(brokers, config)
		must(err, "producer")
		messages := make([]*sarama.ProducerMessage, each)
		for at := range messages {
			messages[at] = &sarama.ProducerMessage{
				Topic: "sarama", Key: sarama.StringEncoder(fmt.Sprint(at)), Value: sarama.StringEncoder(fmt.Sprintf("%s %d", codec, at)),
				Headers: []sarama.RecordHeader{{Key: []byte("codec"), Value: []byte(codec.String())}},
			}
		}
		must(producer.SendMessages(messages), "send by "+codec.String())
		must(producer.Close(), "close")
	}
}

func saramaGroup(brokers []string, admin sarama.ClusterAdmin) {
	group, err := sarama.NewConsumerGroup(brokers, "sarama", saramaConfig())
	must(err, "group")
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	values := reader{make(chan *sarama.ConsumerMessage, 1000)}
	ended := make(chan error)
	go func() { ended <- group.Consume(ctx, []string{"sarama"}, values) }()
	found := map[string]bool{}
	for len(found) < 5*each {
		select {
		case message := <-values.values:
			found[string(message.Value)] = string(message.Headers[0].Value) != ""
		case <-ctx.Done():
			must(ctx.Err(), fmt.Sprint("found ", len(found)))
		}
	}
	say("found", len(found))
	described, err := admin.DescribeConsumerGroups([]string{"sarama"})
	must(err, "describe the group")
	say("group", described[0].State, len(described[0].Members))
	cancel()
	must(<-ended, "consume")
	must(group.Close(), "close the group")
	offsets, err := admin.ListConsumerGroupOffsets("sarama", map[string][]int32{"sarama": {0, 1, 2}})
	must(err, "offsets")
	sum := int64(0)
	for _, block := range offsets.Blocks["sarama"] {
		sum += block.Offset
	}
	say("committed", sum)
}

func saramaTransactions(brokers []string, admin sarama.ClusterAdmin) {
	config := saramaConfig()
	config.Producer.Transaction.ID = "sarama-copier"
	config.Producer.Transaction.Retry.Backoff = 50 * time.Millisecond
	config.Producer.Partitioner = sarama.NewManualPartitioner
	producer, err := sarama.NewSyncProducer(brokers, config)
	must(err, "transactional producer")
	must(admin.CreateTopic("sarama-out", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false), "create")
	for number := 0; number < 6; number += 1 {
		must(producer.BeginTxn(), "begin")
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: "sarama-out", Value: sarama.StringEncoder(fmt.Sprint("copy", number))})
		must(err, "send")
		offsets := map[string][]*sarama.PartitionOffsetMetadata{"sarama": {{Partition: 0, Offset: int64(number), LeaderEpoch: -1}}}
		must(producer.AddOffsetsToTxn(offsets, "sarama-copier"), "offsets")
		if number%2 == 0 {
			must(producer.CommitTxn(), "commit")
		} else {
			must(producer.AbortTxn(), "abort")
		}
	}
	must(producer.Close(), "close")
	committed, err := admin.ListConsumerGroupOffsets("sarama-copier", map[string][]int32{"sarama": {0}})
	must(err, "offsets")
	say("copied up to", committed.Blocks["sarama"][0].Offset)
	consumer, err := sarama.NewConsumer(brokers, saramaConfig())
	must(err, "consumer")
	partition, err := consumer.ConsumePartition("sarama-out", 0, sarama.OffsetOldest)
	must(err, "partition")
	copies := []string{}
	for open := true; open; {
		select {
		case message := <-partition.Messages():
			copies = append(copies, string(message.Value))
		case <-time.After(time.Second):
			open = false
		}
	}
	say("committed copies", sorted(copies))
	must(partition.Close(), "close")
	must(consumer.Close(), "close")
}
