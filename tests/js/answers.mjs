// What TensorFlow.js answers with the model of the example app: pictures and probabilities, one picture a line. What
// runs the model without TensorFlow.js is held against it:
// `node answers.mjs > ../../example-app/native/tests/answers.jsonl`

import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { SIDE, picture } from '../../example-app/web/page/strokes.js';
import { HANDWRITING, rounded } from './handwriting.mjs';

const MODEL = new URL('../../example-app/vendor-models/models.example/digits/', import.meta.url);

const model = await loadLayersModel({ load: async () => artifacts() });
for (const shades of pictures()) {
  const probabilities = tf.tidy(() => [...model.predict(tf.tensor4d(shades, [1, SIDE, SIDE, 1])).dataSync()]);
  console.log(JSON.stringify({ shades, probabilities: probabilities.map((value) => Number(value.toPrecision(7))) }));
}

function artifacts() {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(new URL('model.json', MODEL), 'utf8'));
  const shards = weightsManifest.flatMap(({ paths }) => paths).map((path) => readFileSync(new URL(path, MODEL)));
  const weightData = Uint8Array.from(Buffer.concat(shards)).buffer;
  return { modelTopology, weightSpecs: weightsManifest.flatMap(({ weights }) => weights), weightData };
}

/** Every drawing of every digit, nothing, everything, and noise that is the same each time. */
function pictures() {
  const drawn = HANDWRITING.flat().map((strokes) => picture(strokes.map((stroke) => rounded(stroke))));
  const flat = [0, 1].map((shade) => Array(SIDE * SIDE).fill(shade));
  let state = 1;
  const noise = Array.from({ length: 20 }, () => Array.from({ length: SIDE * SIDE }, () => {
    state = (state * 48271) % 0x7fffffff;
    return state / 0x7fffffff;
  }));
  return [...drawn, ...flat, ...noise].map((shades) => [...shades].map((shade) => Number(shade.toFixed(3))));
}
