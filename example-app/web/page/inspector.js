// For any other model: its tensors, and one run on random input.

import { tensorsOf } from "./manifest.js";
import { bytes, count, milliseconds, shape } from "./text.js";

const $ = (id) => document.getElementById(id);
const FIRST = 5;
// A picture whose size the model leaves open.
const PICTURE_SIDE = 224;
const MOST_NUMBERS = 4_000_000;

export async function startInspector(tf, { kind, model, manifest }) {
  const tensors = tensorsOf(manifest);
  $("title").textContent = "A model, vendored";
  $("lead").textContent = "It came into this program when it was built. TensorFlow.js loads it from there, here in the browser.";
  showTensors(tensors);
  $("inspector").hidden = false;
  if (kind === "weights") {
    const decoded = count(Object.keys(model).length, "tensor");
    return say("Nothing to run", `These are weights without a graph. TensorFlow.js has decoded ${decoded}; what to compute with them, other code knows, as face-api.js does for its own.`);
  }
  if (model.outputs.length === 0) return say("Nothing to run", "The model's graph is empty: it holds weights only.");
  const inputs = model.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape: fillShape(shape ?? []) }));
  const numbers = inputs.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  if (numbers > MOST_NUMBERS) {
    return say("No run", `The model takes ${count(numbers, "number")} at once, too many to try in passing.`);
  }
  await chooseBackend(tf, numbers, tensors);
  try {
    await run(tf, kind, model, inputs);
  } catch (error) {
    say("No run", `The model loaded, but would not run on random input. TensorFlow.js says: ${error.message}`);
  }
}

/// The graphics card, where there is enough to do that it pays.
async function chooseBackend(tf, numbers, tensors) {
  const parameters = tensors.reduce((sum, { elements }) => sum + elements, 0);
  if (numbers < 20_000 && parameters < 500_000) return;
  if (!(await tf.setBackend("webgl"))) await tf.setBackend("cpu");
}

async function run(tf, kind, model, inputs) {
  say("One run on random input", "Running…");
  await new Promise(requestAnimationFrame);
  const given = inputs.map((input) => ({ ...input, tensor: randomTensor(tf, input) }));
  const first = await timed(() => execute(kind, model, given));
  const second = await timed(() => execute(kind, model, given));
  const cards = [
    ...(await Promise.all(given.map(describe))).map((tensor) => card("Input", tensor)),
    ...(await Promise.all(named(model, second.result).map(describe))).map((tensor) => card("Output", tensor)),
  ];
  say("One run on random input", `${milliseconds(second.took)} on the ${tf.getBackend()} backend, ${milliseconds(first.took)} the first time.`);
  $("runs").replaceChildren(...cards);
  tf.dispose([first.result, second.result, given.map(({ tensor }) => tensor)]);
}

/// Graphs with loops and conditions run only by `executeAsync`, and it runs the others too.
async function execute(kind, model, inputs) {
  const tensors = inputs.map(({ tensor }) => tensor);
  if (kind === "layers") return model.predict(tensors.length === 1 ? tensors[0] : tensors);
  return model.executeAsync(Object.fromEntries(inputs.map(({ name, tensor }) => [name, tensor])));
}

async function timed(act) {
  const start = performance.now();
  const result = await act();
  for (const tensor of [result].flat()) await tensor.data();
  return { result, took: performance.now() - start };
}

function named(model, result) {
  return [result].flat().map((tensor, i) => ({ name: model.outputs[i]?.name ?? `output ${i}`, tensor }));
}

async function describe({ name, tensor }) {
  const values = [...(await tensor.data()).slice(0, FIRST)].map((value) => (tensor.dtype === "float32" ? Number(value.toPrecision(4)) : value));
  return { name, dtype: tensor.dtype, shape: tensor.shape, values, more: tensor.size > FIRST };
}

function randomTensor(tf, { shape: sides, dtype }) {
  switch (dtype) {
    case "string": return tf.fill(sides, "x");
    case "bool": return tf.randomUniform(sides, 0, 2, "int32").cast("bool");
    // Small numbers: they may be looked up in a table.
    case "int32": return tf.randomUniform(sides, 0, 2, "int32");
    default: return tf.randomUniform(sides);
  }
}

function fillShape(sides) {
  const isPicture = sides.length === 4 && [1, 3, 4].includes(sides[3]);
  return sides.map((side, axis) => (side > 0 ? side : isPicture && axis > 0 ? PICTURE_SIDE : 1));
}

function elementsOf(sides) {
  return sides.reduce((product, side) => product * side, 1);
}

function say(title, text) {
  $("inspector-title").textContent = title;
  $("run-summary").textContent = text;
}

function showTensors(tensors) {
  $("tensors-title").textContent = count(tensors.length, "tensor");
  $("tensors").replaceChildren(...tensors.map(({ name, type, shape: sides, size }) => {
    const row = document.createElement("tr");
    for (const [text, kind] of [[name, "path"], [type, ""], [shape(sides), ""], [bytes(size), "number"]]) {
      const cell = document.createElement("td");
      cell.className = kind;
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  }));
}

function card(direction, { name, dtype, shape: sides, values, more }) {
  const card = document.createElement("div");
  card.className = `run ${direction.toLowerCase()}`;
  for (const [kind, text] of [
    ["label", direction],
    ["name", name],
    ["type", `${dtype}, ${shape(sides)}`],
    ["values", `${values.join("  ")}${more ? "  …" : ""}`],
  ]) {
    const line = document.createElement("p");
    line.className = kind;
    line.textContent = text;
    card.append(line);
  }
  return card;
}
