/** XXH3 with 64 bits and seed 0 (xxHash 0.8): Kafka 4.1 and later tell by it whether the topics of a group have changed. */

const SECRET = Buffer.from(
  `b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221
   b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8
   a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb
   170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e`.replaceAll(
    /\s/g,
    '',
  ),
  'hex',
);

const MASK_32 = 0xffff_ffffn;
const MASK_64 = 0xffff_ffff_ffff_ffffn;
const PRIME32_1 = 0x9e37_79b1n;
const PRIME32_2 = 0x85eb_ca77n;
const PRIME32_3 = 0xc2b2_ae3dn;
const PRIME64_1 = 0x9e37_79b1_85eb_ca87n;
const PRIME64_2 = 0xc2b2_ae3d_27d4_eb4fn;
const PRIME64_3 = 0x1656_67b1_9e37_79f9n;
const PRIME64_4 = 0x85eb_ca77_c2b2_ae63n;
const PRIME64_5 = 0x27d4_eb2f_1656_67c5n;
const PRIME_MX1 = 0x1656_6791_9e37_79f9n;
const PRIME_MX2 = 0x9fb2_1c65_1e98_df25n;

const STRIPE_BYTES = 64;
const LANES = 8;
const STRIPES_PER_BLOCK = (SECRET.length - STRIPE_BYTES) / 8;

export function xxh3(input: Uint8Array): bigint {
  const data = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const size = data.length;
  if (size > 240) return hashLong(data);
  if (size > 128) return hashMiddle(data);
  if (size > 16) return hashShort(data);
  if (size > 8) return hash9To16(data);
  if (size >= 4) return hash4To8(data);
  return size > 0 ? hash1To3(data) : avalanche64(secret(56) ^ secret(64));
}

function secret(at: number): bigint {
  return SECRET.readBigUInt64LE(at);
}

function hash1To3(data: Buffer): bigint {
  const size = data.length;
  const combined = (data[0]! << 16) | (data[size >> 1]! << 24) | data[size - 1]! | (size << 8);
  return avalanche64(BigInt(combined >>> 0) ^ BigInt((SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) >>> 0));
}

function hash4To8(data: Buffer): bigint {
  const size = data.length;
  const joined = BigInt(data.readUInt32LE(size - 4)) + (BigInt(data.readUInt32LE(0)) << 32n);
  let hash = joined ^ secret(8) ^ secret(16);
  hash ^= rotateLeft(hash, 49n) ^ rotateLeft(hash, 24n);
  hash = times(hash, PRIME_MX2);
  hash ^= (hash >> 35n) + BigInt(size);
  hash = times(hash & MASK_64, PRIME_MX2);
  return hash ^ (hash >> 28n);
}

function hash9To16(data: Buffer): bigint {
  const size = data.length;
  const low = data.readBigUInt64LE(0) ^ secret(24) ^ secret(32);
  const high = data.readBigUInt64LE(size - 8) ^ secret(40) ^ secret(48);
  return avalanche((BigInt(size) + swapBytes(low) + high + foldedProduct(low, high)) & MASK_64);
}

function hashShort(data: Buffer): bigint {
  const size = data.length;
  let sum = times(BigInt(size), PRIME64_1);
  for (let pair = Math.trunc((size - 1) / 32); pair >= 0; pair -= 1) {
    sum += mix16(data, pair * 16, pair * 32) + mix16(data, size - (pair + 1) * 16, pair * 32 + 16);
  }
  return avalanche(sum & MASK_64);
}

function hashMiddle(data: Buffer): bigint {
  const size = data.length;
  let sum = times(BigInt(size), PRIME64_1);
  for (let round = 0; round < 8; round += 1) sum += mix16(data, round * 16, round * 16);
  sum = avalanche(sum & MASK_64);
  for (let round = 8; round < Math.trunc(size / 16); round += 1) sum += mix16(data, round * 16, (round - 8) * 16 + 3);
  sum += mix16(data, size - 16, 136 - 17);
  return avalanche(sum & MASK_64);
}

function hashLong(data: Buffer): bigint {
  const size = data.length;
  const lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1];
  const stripes = Math.trunc((size - 1) / STRIPE_BYTES);
  for (let stripe = 0; stripe < stripes; stripe += 1) {
    const place = stripe % STRIPES_PER_BLOCK;
    accumulate(lanes, data, stripe * STRIPE_BYTES, place * 8);
    if (place === STRIPES_PER_BLOCK - 1) scramble(lanes);
  }
  accumulate(lanes, data, size - STRIPE_BYTES, SECRET.length - STRIPE_BYTES - 7);
  let sum = times(BigInt(size), PRIME64_1);
  for (let pair = 0; pair < LANES / 2; pair += 1) {
    const at = 11 + pair * 16;
    sum += foldedProduct(lanes[pair * 2]! ^ secret(at), lanes[pair * 2 + 1]! ^ secret(at + 8));
  }
  return avalanche(sum & MASK_64);
}

function accumulate(lanes: bigint[], data: Buffer, at: number, secretAt: number): void {
  for (let lane = 0; lane < LANES; lane += 1) {
    const value = data.readBigUInt64LE(at + lane * 8);
    const keyed = value ^ secret(secretAt + lane * 8);
    lanes[lane ^ 1] = (lanes[lane ^ 1]! + value) & MASK_64;
    lanes[lane] = (lanes[lane]! + (keyed & MASK_32) * (keyed >> 32n)) & MASK_64;
  }
}

function scramble(lanes: bigint[]): void {
  for (let lane = 0; lane < LANES; lane += 1) {
    const value = lanes[lane]!;
    lanes[lane] = times(value ^ (value >> 47n) ^ secret(SECRET.length - STRIPE_BYTES + lane * 8), PRIME32_1);
  }
}

function mix16(data: Buffer, at: number, secretAt: number): bigint {
  return foldedProduct(
    data.readBigUInt64LE(at) ^ secret(secretAt),
    data.readBigUInt64LE(at + 8) ^ secret(secretAt + 8),
  );
}

function foldedProduct(a: bigint, b: bigint): bigint {
  const product = a * b;
  return (product & MASK_64) ^ (product >> 64n);
}

function avalanche(value: bigint): bigint {
  const mixed = times(value ^ (value >> 37n), PRIME_MX1);
  return mixed ^ (mixed >> 32n);
}

function avalanche64(value: bigint): bigint {
  let mixed = times(value ^ (value >> 33n), PRIME64_2);
  mixed = times(mixed ^ (mixed >> 29n), PRIME64_3);
  return mixed ^ (mixed >> 32n);
}

function times(a: bigint, b: bigint): bigint {
  return (a * b) & MASK_64;
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK_64;
}

function swapBytes(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE(0);
}
