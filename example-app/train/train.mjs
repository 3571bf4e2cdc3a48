// Trains the network that the app embeds, and writes it where the app finds it. With `--cross-validate` it trains five,
// each with another fifth of the digits held out, says how well they do, and writes nothing.
// Everything that is random comes from a seed, so the same versions give the same weights, byte for byte.

import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { deform } from "./augment.mjs";
import { FOLDS, SIDE, readDigits } from "./digits.mjs";
import { seeded } from "./random.mjs";
import { vendor } from "./vendor.mjs";

const EPOCHS = 240;
const BATCH = 64;
const LEARNING_RATE = 2e-3;
const APP = new URL("../", import.meta.url);

async function main([option]) {
  await useWasm();
  if (option === "--cross-validate") return crossValidate();
  const { model } = learn(0);
  await model.save(tf.io.withSaveHandler(async (artifacts) => {
    const pins = vendor(artifacts, APP);
    for (const { path, size, sha256 } of pins) console.log(`${sha256}  ${String(size).padStart(6)}  ${path}`);
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  }));
}

function crossValidate() {
  let right = 0;
  let all = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const outcome = learn(fold);
    right += outcome.right;
    all += outcome.all;
  }
  console.log(`all folds: ${score(right, all)}`);
}

function learn(fold) {
  const { training, heldOut } = readDigits(new URL("digits.csv", import.meta.url), fold);
  console.log(`${training.length} digits to learn from, ${heldOut.length} held out`);
  const model = network();
  train(model, training);
  const wrong = mistakes(model, heldOut);
  const right = heldOut.length - wrong.length;
  console.log(`held out: ${score(right, heldOut.length)}`);
  for (const { label, answer } of wrong) console.log(`  a ${label} taken for a ${answer}`);
  return { model, right, all: heldOut.length };
}

function score(right, all) {
  return `${right} of ${all} right, ${((100 * right) / all).toFixed(2)} %`;
}

function network() {
  const seed = { next: 1 };
  const kernelInitializer = () => tf.initializers.heNormal({ seed: seed.next++ });
  const conv = (filters, more) =>
    tf.layers.conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu", kernelInitializer: kernelInitializer(), ...more });
  return tf.sequential({
    name: "digits",
    layers: [
      conv(24, { inputShape: [SIDE, SIDE, 1] }),
      conv(32),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      conv(64),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dropout({ rate: 0.3, seed: 7 }),
      tf.layers.dense({ units: 64, activation: "relu", kernelInitializer: kernelInitializer() }),
      tf.layers.dense({ units: 10, activation: "softmax", kernelInitializer: kernelInitializer() }),
    ],
  });
}

function train(model, digits) {
  const random = seeded(2);
  const optimizer = tf.train.adam(LEARNING_RATE);
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    optimizer.learningRate = (LEARNING_RATE * (1 + Math.cos((Math.PI * (epoch - 1)) / EPOCHS))) / 2;
    const mixed = random.shuffled(digits);
    let loss = 0;
    for (let start = 0; start < mixed.length; start += BATCH) {
      const batch = mixed.slice(start, start + BATCH);
      const images = batch.map((digit) => deform(digit.image, random));
      loss += step(model, optimizer, images, batch.map((digit) => digit.label));
    }
    if (epoch % 20 === 0 || epoch === 1) console.log(`epoch ${epoch} of ${EPOCHS}: loss ${((loss * BATCH) / mixed.length).toFixed(4)}`);
  }
}

function step(model, optimizer, images, labels) {
  const cost = tf.tidy(() => {
    const x = tf.stack(images.map((image) => tf.tensor3d(image, [SIDE, SIDE, 1])));
    const y = tf.oneHot(labels, 10);
    const loss = () => tf.metrics.categoricalCrossentropy(y, model.apply(x, { training: true })).mean();
    return optimizer.minimize(loss, true);
  });
  const [value] = cost.dataSync();
  cost.dispose();
  return value;
}

function mistakes(model, digits) {
  const answers = tf.tidy(() => {
    const x = tf.stack(digits.map(({ image }) => tf.tensor3d(image, [SIDE, SIDE, 1])));
    return model.predict(x).argMax(-1).dataSync();
  });
  return digits.map(({ label }, i) => ({ label, answer: answers[i] })).filter(({ label, answer }) => label !== answer);
}

/// TensorFlow.js's WebAssembly backend is far faster than plain JavaScript but cannot learn a filter.
/// It can convolve, and that is enough: with channels and batch exchanged, the gradient is a convolution.
async function useWasm() {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  tf.registerKernel({
    kernelName: "Conv2DBackpropFilter",
    backendName: "wasm",
    kernelFunc: ({ inputs: { x, dy } }) =>
      tf.tidy(() => tf.conv2d(tf.transpose(x, [3, 1, 2, 0]), tf.transpose(dy, [1, 2, 0, 3]), 1, 1).transpose([1, 2, 0, 3])),
  });
  await tf.setBackend("wasm");
}

await main(process.argv.slice(2));
