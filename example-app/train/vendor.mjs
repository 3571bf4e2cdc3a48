// Writes the model the way a host would serve it, straight into the app's vendored directory, with its pins.

import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";

const URL_OF_MODEL = "https://models.example/digits/model.json";
const SHARD_BYTES = 36 * 1024;

/// `artifacts` is what TensorFlow.js hands to a save handler. Answers what it wrote, in the order of the lock.
export function vendor(artifacts, app) {
  const shards = cut(new Uint8Array(artifacts.weightData));
  const manifest = {
    format: artifacts.format,
    generatedBy: artifacts.generatedBy,
    convertedBy: artifacts.convertedBy,
    modelTopology: artifacts.modelTopology,
    weightsManifest: [{ paths: shards.map((shard) => shard.path), weights: artifacts.weightSpecs }],
  };
  const files = [{ path: "model.json", bytes: Buffer.from(`${JSON.stringify(manifest)}\n`) }, ...shards];

  const root = new URL("vendor-models/", app);
  const folder = new URL("models.example/digits/", root);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { path, bytes } of files) writeFileSync(new URL(path, folder), bytes);

  const pins = files.map(({ path, bytes }) => ({ path, size: bytes.length, sha256: sha256(bytes) }));
  const lock = { version: 1, models: [{ url: URL_OF_MODEL, format: "tfjs-layers-model", files: pins }] };
  for (const home of [root, app]) writeFileSync(new URL("models.lock", home), `${JSON.stringify(lock, null, 2)}\n`);
  return pins;
}

function cut(weights) {
  const count = Math.ceil(weights.length / SHARD_BYTES);
  return Array.from({ length: count }, (_, i) => ({
    path: `group1-shard${i + 1}of${count}.bin`,
    bytes: weights.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
  }));
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
