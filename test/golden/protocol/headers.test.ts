import assert from 'node:assert/strict';
import test from 'node:test';
import { apis } from '../../../src/kafka/protocol/apis.ts';
import {
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from '../../../src/kafka/protocol/headers.ts';
import { codecFor } from '../../../src/wire/codec.ts';
import { Reader } from '../../../src/wire/reader.ts';
import { Writer } from '../../../src/wire/writer.ts';

/** Whole frames of Apache 3.9.1's serializers (client id "c", correlation id 7): size, header, body. */
const requests: readonly { name: string; frame: string; want: Record<string, unknown> }[] = [
  { name: 'ApiVersions v0', frame: '0000000b 0012000000000007000163', want: { clientSoftwareName: '' } },
  {
    name: 'ApiVersions v3',
    frame: '00000011 001200030000000700016300 0278023100',
    want: { clientSoftwareName: 'x', clientSoftwareVersion: '1' },
  },
  { name: 'SaslHandshake v1', frame: '00000012 0011000100000007000163 0005504c41494e', want: { mechanism: 'PLAIN' } },
  {
    name: 'SaslAuthenticate v2',
    frame: '00000012 002400020000000700016300 050075007000',
    want: { authBytes: Buffer.from('\0u\0p') },
  },
  {
    name: 'Metadata v4',
    frame: '00000013 0003000400000007000163 0000000100017401',
    want: { topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name: 't' }], allowAutoTopicCreation: true },
  },
  {
    name: 'Metadata v12',
    frame: '00000023 0003000c0000000700016300 0200000000000000000000000000000000027400010000',
    want: { topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name: 't' }], allowAutoTopicCreation: true },
  },
  {
    name: 'FindCoordinator v4',
    frame: '00000011 000a00040000000700016300 0002026700',
    want: { keyType: 0, coordinatorKeys: ['g'] },
  },
  {
    name: 'Fetch v12',
    frame: `0000004e 0001000c0000000700016300 ffffffff000001f400000001000003e80000000000ffffffff0202740200000000
      ffffffff0000000000000005ffffffffffffffffffffffff000000640000010100`,
    want: { replicaId: -1, maxWaitMs: 500, minBytes: 1, maxBytes: 1000, sessionId: 0, sessionEpoch: -1 },
  },
  {
    name: 'LeaderAndIsr v1',
    frame: `00000056 0004000100000007000163 0000000100000001 00000001 000174 00000000 00000001 00000001 00000000
      00000002 00000001 00000002 00000000 00000002 00000001 00000002 01 00000001 00000001 000168 00002384`,
    want: { controllerId: 1, controllerEpoch: 1, liveLeaders: [{ brokerId: 1, hostName: 'h', port: 9092 }] },
  },
  {
    name: 'LeaderAndIsr v7',
    frame: `0000006b 000400070000000700016300 00000001 00 00000001 0000000000000019 00 02 0274
      00000000000000010000000000000002 02 00000000 00000001 00000001 00000000 03 00000001 00000002 00000000
      03 00000001 00000002 01 01 01 00 00 00 02 00000001 0268 00002384 00 00`,
    want: { isKRaftController: false, brokerEpoch: 25, type: 0 },
  },
  {
    name: 'UpdateMetadata v4',
    frame: `00000064 0006000400000007000163 0000000100000001 00000001 000174 00000000 00000001 00000001 00000000
      00000001 00000001 00000000 00000001 00000001 00000000 00000001 00000001 00000001 00002384 000168
      0009504c41494e54455854 0000 0000`,
    want: { controllerId: 1, brokerEpoch: -1, topicStates: [] },
  },
  {
    name: 'UpdateMetadata v8',
    frame: `0000006e 000600080000000700016300 00000001 00 00000001 0000000000000019 02 0274
      00000000000000010000000000000002 02 00000000 00000001 00000001 00000000 02 00000001 00000000 02 00000001
      01 00 00 02 00000001 02 00002384 0268 0a504c41494e54455854 0000 00 01 00 00`,
    want: { controllerEpoch: 1, brokerEpoch: 25, ungroupedPartitionStates: [] },
  },
  {
    name: 'AlterPartition v3',
    frame: `00000048 003800030000000700016300 00000001 0000000000000019 02 00000000000000010000000000000002 02
      00000000 00000003 02 00000001 ffffffffffffffff 00 00 00000004 00 00 00`,
    want: { brokerId: 1, brokerEpoch: 25 },
  },
  { name: 'ControlledShutdown v0', frame: '0000000c 0007000000000007 00000001', want: { brokerId: 1 } },
];

for (const { name, frame, want } of requests) {
  test(`the frame of a ${name} request is read and written back alike`, () => {
    const bytes = Buffer.from(frame.replaceAll(/\s/g, ''), 'hex');
    const reader = new Reader(bytes);
    assert.equal(reader.int32(), bytes.length - 4);
    const [apiKey, version] = [bytes.readInt16BE(4), bytes.readInt16BE(6)];
    const headerVersion = requestHeaderVersion(apiKey, version);
    const header = codecFor(RequestHeader, headerVersion).read(reader);
    assert.deepEqual([header.requestApiKey, header.requestApiVersion, header.correlationId], [apiKey, version, 7]);
    assert.equal(header.clientId, headerVersion === 0 ? '' : 'c');
    const { request } = apis.get(apiKey)!;
    assert.equal(`${request.name.replace('Request', '')} v${version}`, name);
    const body = codecFor(request, version).read(reader);
    assert.equal(reader.remaining, 0);
    for (const [field, value] of Object.entries(want)) assert.deepEqual(body[field], value, field);

    const writer = new Writer();
    const place = writer.placeInt32();
    codecFor(RequestHeader, headerVersion).write(writer, header);
    codecFor(request, version).write(writer, body);
    writer.patchInt32(place, writer.size - 4);
    assert.equal(Buffer.from(writer.finishFlat()).toString('hex'), bytes.toString('hex'));
  });
}

const responses = [
  {
    name: 'ApiVersions v0',
    apiKey: 18,
    version: 0,
    frame: '00000010 00000007 002300000001001200000004',
    want: { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] },
  },
  {
    name: 'ApiVersions v3',
    apiKey: 18,
    version: 3,
    frame: '0000001d 00000007 00000200120000000400000000000101080000000000000000',
    want: { errorCode: 0, finalizedFeaturesEpoch: 0 },
  },
];
for (const { name, apiKey, version, frame, want } of responses) {
  test(`the frame of a ${name} response is read and written back alike`, () => {
    const bytes = Buffer.from(frame.replaceAll(' ', ''), 'hex');
    const reader = new Reader(bytes.subarray(4));
    const headerCodec = codecFor(ResponseHeader, responseHeaderVersion(apiKey, version));
    const header = headerCodec.read(reader);
    const bodyCodec = codecFor(apis.get(apiKey)!.response, version);
    const body = bodyCodec.read(reader);
    assert.equal(reader.remaining, 0);
    for (const [field, value] of Object.entries(want)) assert.deepEqual(body[field], value, field);
    const writer = new Writer();
    headerCodec.write(writer, header);
    bodyCodec.write(writer, body);
    assert.equal(Buffer.from(writer.finishFlat()).toString('hex'), bytes.subarray(4).toString('hex'));
  });
}
