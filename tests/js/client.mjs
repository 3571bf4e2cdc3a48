// What the real TensorFlow.js client makes of a model.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

/** The named tensors of a model, as the client decodes them. A bare array is what `tf.io.loadWeights` is for. */
export async function load(url) {
  const manifest = await (await fetch(url)).text();
  if (manifest.trimStart().startsWith('[')) {
    return tf.io.loadWeights(JSON.parse(manifest), url.slice(0, url.lastIndexOf('/')));
  }
  const { weightData, weightSpecs } = await tf.io.http(url).load();
  return tf.io.decodeWeights(weightData, weightSpecs);
}

/** The bytes of numbers, by which a NaN equals itself. */
export function bytes(view) {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
