import assert from 'node:assert/strict';
import test from 'node:test';
import { xxh3 } from './xxh3.ts';

/** Of bytes i * 7 + 3, by size, as hash4j 0.22 (the library of Kafka 4.x) computes them. */
const known: readonly (readonly [number, bigint])[] = [
  [0, 3244421341483603138n],
  [1, 1433843135270481901n],
  [2, 2058273368586827884n],
  [3, 12180141160879835164n],
  [4, 7895465118229274323n],
  [5, 11062565685660633911n],
  [8, 6941064856527638883n],
  [9, 18374517719163151272n],
  [16, 13314990914799711621n],
  [17, 8163341949877205007n],
  [32, 1873302701886544469n],
  [33, 4486878507168070088n],
  [64, 2917965298538373825n],
  [128, 7440608504995537343n],
  [129, 14295761343243267012n],
  [160, 15496299788031539331n],
  [200, 8389308914288017243n],
  [240, 7229805477010515663n],
  [241, 10082113959289486871n],
  [256, 4339360625268998362n],
  [300, 18274095394255143463n],
  [1023, 15161797645365529668n],
  [1024, 11205349619999208113n],
  [1025, 9253807012321506678n],
  [1088, 3424848841118183642n],
  [2048, 12386592778227166929n],
  [5000, 8762507191635236893n],
];

for (const [size, hash] of known) {
  test(`the hash of ${size} bytes`, () => {
    assert.equal(xxh3(Uint8Array.from({ length: size }, (_, index) => index * 7 + 3)), hash);
  });
}

test('the hash of a view does not depend on what lies around it', () => {
  const around = Uint8Array.from({ length: 400 }, (_, index) => index);
  assert.equal(xxh3(around.subarray(50, 350)), xxh3(around.slice(50, 350)));
});
