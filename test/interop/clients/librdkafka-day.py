"""librdkafka: topics, every codec, groups of both protocols, copies in transactions with a group's offsets, a fenced producer.
Prints a line for each thing found: librdkafka-day.py host:port protocol…"""
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition, ConsumerGroupTopicPartitions, IsolationLevel
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, OffsetSpec, ResourceType

bootstrap = sys.argv[1]
admin = AdminClient({'bootstrap.servers': bootstrap})


def outcome(futures):
    try:
        for future in futures.values():
            future.result(60)
        return 'done'
    except KafkaException as error:
        return error.args[0].name()


def consumer(group, **more):
    return Consumer({
        'bootstrap.servers': bootstrap, 'group.id': group, 'auto.offset.reset': 'earliest', 'enable.auto.commit': False,
        **{name.replace('_', '.'): value for name, value in more.items()},
    })


def read(reader, count):
    found = []
    for _ in range(1000):
        message = reader.poll(0.1)
        if message is not None and message.error() is None:
            found.append(message)
        if len(found) == count:
            break
    return found


print('created', outcome(admin.create_topics([NewTopic('rd-in', 3, 1), NewTopic('rd-out', 1, 1)])))
print('again', outcome(admin.create_topics([NewTopic('rd-in', 3, 1)])))
entry = ConfigEntry('retention.ms', '7200000', incremental_operation=AlterConfigOpType.SET)
print('altered', outcome(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, 'rd-in', incremental_configs=[entry])])))
[described] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, 'rd-in')]).values()
print('retention', described.result()['retention.ms'].value)
for codec in ['none', 'gzip', 'snappy', 'lz4', 'zstd']:
    producer = Producer({'bootstrap.servers': bootstrap, 'compression.type': codec, 'enable.idempotence': True, 'linger.ms': 5})
    for number in range(30):
        producer.produce('rd-in', key=str(number), value=('%s %d ' % (codec, number)) * 20, headers={'codec': codec})
    producer.flush(60)
for protocol in sys.argv[2:]:
    reader = consumer('rd-' + protocol, group_protocol=protocol)
    reader.subscribe(['rd-in'])
    found = read(reader, 150)
    seen = 'found by %s %d %d' % (protocol, len({message.value() for message in found}), len(reader.assignment()))
    reader.commit(asynchronous=False)
    reader.close()
    [offsets] = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions('rd-' + protocol)]).values()
    print('%s, committed %d' % (seen, sum(one.offset for one in offsets.result().topic_partitions)))

first = Producer({'bootstrap.servers': bootstrap, 'transactional.id': 'rd-copier'})
first.init_transactions(30)
reader = consumer('rd-copier', isolation_level='read_committed')
reader.subscribe(['rd-in'])
read(reader, 10)
for number in range(6):
    first.begin_transaction()
    first.produce('rd-out', value='copy%d' % number)
    first.send_offsets_to_transaction([TopicPartition('rd-in', 0, number)], reader.consumer_group_metadata(), 30)
    first.commit_transaction(30) if number % 2 == 0 else first.abort_transaction(30)
reader.close()
first.begin_transaction()
first.produce('rd-out', value='open')
first.flush(60)
ends = admin.list_offsets({TopicPartition('rd-out', 0): OffsetSpec.latest()}, isolation_level=IsolationLevel.READ_COMMITTED)
print('stable', [future.result().offset for future in ends.values()])
heir = Producer({'bootstrap.servers': bootstrap, 'transactional.id': 'rd-copier'})
heir.init_transactions(30)
try:
    first.commit_transaction(30)
    print('not fenced')
except KafkaException as error:
    print('fenced', error.args[0].name(), error.args[0].fatal())
[offsets] = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions('rd-copier')]).values()
print('copied up to', [one.offset for one in offsets.result().topic_partitions])
reader = consumer('rd-reader', isolation_level='read_committed', enable_partition_eof=True)
reader.assign([TopicPartition('rd-out', 0, 0)])
copies = []
while True:
    message = reader.poll(60)
    if message is None or message.error():
        break
    copies.append(message.value().decode())
print('copies', *copies)
reader.close()
print('groups gone', outcome(admin.delete_consumer_groups(['rd-classic', 'rd-copier'])))
print('topics gone', outcome(admin.delete_topics(['rd-in', 'rd-out'])))
