import type { Writer } from '../../../wire/writer.ts';
import { OpCode } from '../../jute/op-codes.ts';
import { CreateRequest, DeleteRequest, GetDataRequest, MultiHeader, SetDataRequest } from '../../jute/proto.ts';

/** Bodies of requests as tests write them. */
type Body = (to: Writer) => void;

const openAcl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

export interface TestRequest {
  readonly type: number;
  readonly body: Body;
}

export function create(path: string, data: string | null = '', flags = 0): TestRequest {
  return {
    type: OpCode.create,
    body: (to) =>
      CreateRequest.write(to, { path, data: data === null ? null : Buffer.from(data), acl: openAcl, flags }),
  };
}

export function setData(path: string, data: string, version = -1): TestRequest {
  return { type: OpCode.setData, body: (to) => SetDataRequest.write(to, { path, data: Buffer.from(data), version }) };
}

export function remove(path: string, version = -1): TestRequest {
  return { type: OpCode.delete, body: (to) => DeleteRequest.write(to, { path, version }) };
}

export function getData(path: string, watch = false): TestRequest {
  return { type: OpCode.getData, body: (to) => GetDataRequest.write(to, { path, watch }) };
}

export function exists(path: string, watch = false): TestRequest {
  return { type: OpCode.exists, body: (to) => GetDataRequest.write(to, { path, watch }) };
}

export function getChildren(path: string, watch = false): TestRequest {
  return { type: OpCode.getChildren2, body: (to) => GetDataRequest.write(to, { path, watch }) };
}

export function check(path: string, version: number): TestRequest {
  return { type: OpCode.check, body: (to) => DeleteRequest.write(to, { path, version }) };
}

export function multi(...operations: readonly TestRequest[]): TestRequest {
  return {
    type: OpCode.multi,
    body: (to) => {
      for (const { type, body } of operations) {
        MultiHeader.write(to, { type, done: false, err: -1 });
        body(to);
      }
      MultiHeader.write(to, { type: -1, done: true, err: -1 });
    },
  };
}
