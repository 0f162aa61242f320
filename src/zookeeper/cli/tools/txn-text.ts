import { Reader } from '../../../wire/reader.ts';
import { hexOf } from '../../jute/ids.ts';
import { OpCode, opCodeName } from '../../jute/op-codes.ts';
import { readTxnRecord, type Txn, TxnHeader } from '../../jute/txn.ts';
import { shortJavaDate } from '../java-date.ts';
import { juteAcl, juteList, juteString, juteVector } from './jute-text.ts';

/**
 * A log entry as TxnLogToolkit prints it, with the end of its last line.
 * @param bytes header, body and digest
 * @throws MalformedError
 */
export function txnLine(bytes: Uint8Array): string {
  const from = new Reader(bytes);
  const header = TxnHeader.read(from);
  const body =
    header.type === OpCode.multi
      ? multiText(bytes.subarray(from.position))
      : bodyText(readTxnRecord(new Reader(bytes)).txn);
  const date = shortJavaDate(header.time);
  const cxid = (header.cxid >>> 0).toString(16);
  const line = `${date} session 0x${hexOf(header.clientId)} cxid 0x${cxid} zxid 0x${hexOf(header.zxid)} ${opCodeName(header.type)} ${body}`;
  return line.endsWith('\n') ? line : `${line}\n`;
}

/** The creations and setData in a form of their own, the others as their records print. */
function bodyText(txn: Exclude<Txn, { type: typeof OpCode.multi }> | Txn): string {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
      return `${creation(txn)},${txn.ephemeral},${txn.parentCVersion}`;
    case OpCode.createContainer:
      return `${creation(txn)},${txn.parentCVersion}`;
    case OpCode.createTTL:
      return `${creation(txn)},${txn.parentCVersion},${txn.ttl}`;
    case OpCode.setData:
    case OpCode.reconfig:
      return `${txn.path},${textOf(txn.data)},${txn.version}`;
    case OpCode.delete:
    case OpCode.deleteContainer:
      return `${juteString(txn.path)}\n`;
    case OpCode.setACL:
      return `${juteString(txn.path)},${juteVector(txn.acl?.map((entry) => `s{${juteAcl(entry)}}`) ?? null)},${txn.version}\n`;
    case OpCode.createSession:
      return `${txn.timeOut}\n`;
    case OpCode.closeSession:
      return txn.paths2Delete === null ? '' : `${juteVector(txn.paths2Delete.map(juteString))}\n`;
    case OpCode.error:
      return `${txn.err}\n`;
    case OpCode.check:
      return `${juteString(txn.path)},${txn.version}\n`;
    case OpCode.multi:
      return '';
    default:
      return txn satisfies never;
  }
}

interface Creation {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: Parameters<typeof juteAcl>[0][] | null;
}

function creation({ path, data, acl }: Creation): string {
  return `${path},${textOf(data)},${juteList(acl?.map(juteAcl) ?? null)}`;
}

/** The bodies inside are printed as the bytes they are. */
function multiText(body: Uint8Array): string {
  const from = new Reader(body);
  const parts: string[] = [];
  for (let count = from.int32(); count > 0; count -= 1) {
    const type = from.int32();
    const bytes = from.bytes(Math.max(from.int32(), 0));
    parts.push(`${opCodeName(type)}:${textOf(bytes)}`);
  }
  return parts.join(';');
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function textOf(data: Uint8Array | null): string {
  if (data === null) return '';
  if (!data.includes(SURROGATE_LEAD)) return utf8.decode(data);
  // Java takes an encoded surrogate for one wrong character, others each of its bytes.
  const latin1 = Buffer.from(data).toString('latin1');
  return utf8.decode(Buffer.from(latin1.replace(/\xed[\xa0-\xbf][\x80-\xbf]?/g, '\xff'), 'latin1'));
}

const SURROGATE_LEAD = 0xed;
