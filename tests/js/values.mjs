// Decodes each model with the real TensorFlow.js client and prints the digest of every tensor's values, one model a line,
// for a reader in another language to compare: `node values.mjs < models.json`, where models is [{name, url}, ...].

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bytes, load } from './client.mjs';

for (const { name, url } of JSON.parse(readFileSync(0, 'utf8'))) {
  const tensors = Object.entries(await load(url)).map(([tensor, value]) => ({ name: tensor, ...facts(value) }));
  console.log(JSON.stringify({ name, tensors }));
}

function facts(tensor) {
  const { dtype, shape } = tensor;
  const values = tensor.dataSync();
  return { dtype, shape, sha256: ArrayBuffer.isView(values) ? createHash('sha256').update(bytes(values)).digest('hex') : null };
}
