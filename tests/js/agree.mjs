// Loads each model twice with the real TensorFlow.js client, from its original host and from where it was vendored,
// and compares every tensor: `node agree.mjs < pairs.json`, where pairs is [{name, original, vendored}, ...].

import { readFileSync } from 'node:fs';
import { bytes, load } from './client.mjs';

const pairs = JSON.parse(readFileSync(0, 'utf8'));
for (const { name, original, vendored } of pairs) {
  const [expected, found] = await Promise.all([load(original), load(vendored)]);
  const tensors = compare(name, expected, found);
  console.log(`${name}: ${tensors} tensors agree`);
}

function compare(name, expected, found) {
  const names = Object.keys(expected);
  same(`${name}: the names of the tensors`, names, Object.keys(found));
  if (names.length === 0) {
    throw new Error(`${name}: no tensors`);
  }
  for (const tensor of names) {
    const [one, other] = [expected[tensor], found[tensor]];
    same(`${name}: dtype of ${tensor}`, one.dtype, other.dtype);
    same(`${name}: shape of ${tensor}`, one.shape, other.shape);
    sameValues(`${name}: values of ${tensor}`, one.dataSync(), other.dataSync());
  }
  return names.length;
}

/** Numbers by their bytes, so that a NaN equals itself; strings one by one. */
function sameValues(what, expected, found) {
  if (!ArrayBuffer.isView(expected)) {
    return same(what, expected, found);
  }
  if (!bytes(expected).equals(bytes(found))) {
    throw new Error(`${what} differ`);
  }
}

function same(what, expected, found) {
  if (JSON.stringify(expected) !== JSON.stringify(found)) {
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
  }
}
