// The page's story: say what was vendored, bring TensorFlow.js, load the model by URL, and put it to use.

import { isDigits, startDigits } from "./digits.js";
import { startInspector } from "./inspector.js";
import { groupsOf, kindOf } from "./manifest.js";
import { countRequests, showContents, showFiles, showTimes } from "./vendored.js";

const $ = (id) => document.getElementById(id);

window.__app = { ready: main() };

async function main() {
  countRequests();
  try {
    const facts = await fetchJson("/vendored.json");
    showFiles(facts);
    const modelUrl = `/model/${encodeURIComponent(facts.entry)}`;
    const manifest = await fetchJson(modelUrl);
    showContents(manifest);
    if (!facts.runtime) return runtimeMissing();
    const { tf, took } = await bringRuntime(facts.runtime.path);
    await use(tf, { modelUrl, manifest, runtime: took });
    enter("ready");
  } catch (error) {
    notice("Something went wrong", error.message);
    enter("error");
    throw error;
  }
}

async function bringRuntime(path) {
  const start = performance.now();
  return { tf: await import(path), took: performance.now() - start };
}

async function use(tf, { modelUrl, manifest, runtime }) {
  const kind = kindOf(manifest);
  // For so small a network the way to the graphics card and back takes longer than the sums.
  await tf.setBackend("cpu");
  const start = performance.now();
  const model = await load(tf, kind, modelUrl, manifest);
  showTimes({ runtime, model: performance.now() - start });
  if (isDigits(model)) {
    window.__app.predict = startDigits(tf, model);
  } else {
    await startInspector(tf, { kind, model, manifest });
  }
}

/// The weights of a manifest without a graph come as a table of tensors.
async function load(tf, kind, modelUrl, manifest) {
  switch (kind) {
    case "graph": return tf.loadGraphModel(modelUrl);
    case "layers": return tf.loadLayersModel(modelUrl);
    case "weights": return tf.io.loadWeights(groupsOf(manifest), "/model/");
  }
}

function runtimeMissing() {
  notice(
    "TensorFlow.js is not in this build",
    "The model is here; the library that runs it comes from npm and is not committed. Fetch it once and build again, in the project's root:",
    "npm ci --prefix example-app/web\ncargo run --manifest-path example-app/Cargo.toml",
  );
  enter("no-runtime");
}

function notice(title, text, commands) {
  const heading = document.createElement("h2");
  heading.textContent = title;
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  $("notice").replaceChildren(heading, paragraph);
  if (commands) {
    const block = document.createElement("pre");
    block.textContent = commands;
    $("notice").append(block);
  }
  $("notice").hidden = false;
}

function enter(state) {
  document.body.dataset.state = state;
}

async function fetchJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: the app answered ${response.status}`);
  return response.json();
}
