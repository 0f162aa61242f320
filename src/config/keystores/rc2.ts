/**
 * RC2 (RFC 2268) in CBC mode, to read only: it hides the certificates of PKCS#12 files that Java 8 and 11 wrote. OpenSSL 3 has
 * put it away.
 */
const piTable = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a' +
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e' +
    'c5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
);

/** `bits` is the effective length of the key. Answers with the padding removed; undefined when that is wrong. */
export function rc2Decrypt(key: Uint8Array, bits: number, iv: Uint8Array, data: Uint8Array): Uint8Array | undefined {
  const schedule = expandKey(key, bits);
  const clear = Buffer.alloc(data.length);
  let previous = iv;
  for (let at = 0; at + 8 <= data.length; at += 8) {
    const block = data.subarray(at, at + 8);
    decryptBlock(schedule, block).forEach((byte, index) => {
      clear[at + index] = byte ^ (previous[index] as number);
    });
    previous = block;
  }
  const padding = clear.at(-1) ?? 0;
  const isPadded = padding >= 1 && padding <= 8 && clear.subarray(-padding).every((byte) => byte === padding);
  return isPadded ? clear.subarray(0, clear.length - padding) : undefined;
}

function expandKey(key: Uint8Array, bits: number): Uint16Array {
  const bytes = new Uint8Array(128);
  bytes.set(key);
  const at = (index: number): number => piTable[index & 0xff] as number;
  for (let i = key.length; i < 128; i += 1) {
    bytes[i] = at((bytes[i - 1] as number) + (bytes[i - key.length] as number));
  }
  const size = Math.ceil(bits / 8);
  const mask = 0xff >> (8 * size - bits);
  bytes[128 - size] = at((bytes[128 - size] as number) & mask);
  for (let i = 127 - size; i >= 0; i -= 1) bytes[i] = at((bytes[i + 1] as number) ^ (bytes[i + size] as number));
  return Uint16Array.from({ length: 64 }, (_, i) => (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8));
}

const rotations = [1, 2, 3, 5];

/** Sixteen rounds backwards, with a mash after the last five and before the first five. */
function decryptBlock(schedule: Uint16Array, block: Uint8Array): Uint8Array {
  const words = Uint16Array.from(
    { length: 4 },
    (_, i) => (block[2 * i] as number) | ((block[2 * i + 1] as number) << 8),
  );
  const word = (index: number): number => words[index & 3] as number;
  for (let round = 15; round >= 0; round -= 1) {
    for (let i = 3; i >= 0; i -= 1) {
      const turn = rotations[i] as number;
      const turned = (word(i) >>> turn) | (word(i) << (16 - turn));
      words[i] =
        turned - (schedule[4 * round + i] as number) - (word(i - 1) & word(i - 2)) - (~word(i - 1) & word(i - 3));
    }
    if (round !== 11 && round !== 5) continue;
    for (let i = 3; i >= 0; i -= 1) words[i] = word(i) - (schedule[word(i - 1) & 63] as number);
  }
  return Uint8Array.from({ length: 8 }, (_, i) => (word(i >> 1) >>> (8 * (i & 1))) & 0xff);
}
