// Recognition while the visitor draws.

import { glyph } from "./glyphs.js";
import { Pad } from "./pad.js";
import { SIDE, picture } from "./strokes.js";
import { milliseconds } from "./text.js";

const DIGITS = 10;
const POINTS_A_SECOND = 130;
const $ = (id) => document.getElementById(id);

/// A model that takes one picture of 8 x 8 shades and answers ten probabilities.
export function isDigits(model) {
  const fits = (tensors, shape) => tensors?.length === 1 && String(tensors[0].shape?.slice(1)) === String(shape);
  return fits(model?.inputs, [SIDE, SIDE, 1]) && fits(model?.outputs, [DIGITS]);
}

/// Shows the drawing area and answers the function that recognises strokes.
export function startDigits(tf, model) {
  $("title").textContent = "Draw a digit";
  $("lead").textContent = "A small convolutional network reads it while you draw. Page, TensorFlow.js and model are all inside the one program that serves this address.";
  $("pixels").append(...Array.from({ length: SIDE * SIDE }, () => document.createElement("i")));
  $("bars").append(...Array.from({ length: DIGITS }, (_, digit) => bar(digit)));

  const predict = (strokes) => recognise(tf, model, strokes);
  predict([[[0.5, 0.5]]]);
  let asked = false;
  const pad = new Pad($("pad"), () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      const reading = predict(pad.strokes);
      show(reading);
      if (!pad.drawing && !player.playing) announce(reading, pad.strokes.length);
    });
  });
  const player = new Player(pad);
  $("pad").addEventListener("pointerdown", () => player.stop(), { capture: true });
  $("pad").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) player.play(glyph(Number(event.key)));
    if (event.key === "Backspace" || event.key === "Delete" || event.key === "Escape") player.clear();
  });
  $("clear").addEventListener("click", () => player.clear());
  $("show").addEventListener("click", () => player.play(glyph(player.another())));
  $("digits").hidden = false;
  return predict;
}

function recognise(tf, model, strokes) {
  const start = performance.now();
  const shades = picture(strokes);
  if (!shades) return null;
  const probabilities = tf.tidy(() => model.predict(tf.tensor4d(shades, [1, SIDE, SIDE, 1])).dataSync());
  const digit = probabilities.indexOf(Math.max(...probabilities));
  return { digit, probabilities, shades, took: performance.now() - start };
}

function show(reading) {
  $("hint").hidden = reading !== null;
  $("answer").textContent = reading?.digit ?? "–";
  $("answer").classList.toggle("idle", reading === null);
  $("sure").textContent = reading ? `${percent(reading.probabilities[reading.digit])} sure` : "nothing yet";
  $("took").textContent = reading ? `Read in ${milliseconds(reading.took)}, on this machine` : "\u00a0";
  for (const [i, pixel] of [...$("pixels").children].entries()) pixel.style.opacity = reading?.shades[i] ?? 0;
  for (const [digit, row] of [...$("bars").children].entries()) {
    const probability = reading?.probabilities[digit] ?? 0;
    row.classList.toggle("winner", digit === reading?.digit);
    row.querySelector(".fill").style.transform = `scaleX(${probability})`;
    row.querySelector(".value").textContent = percent(probability);
  }
}

/// The answer once the pen is up: what is read aloud, and what a test waits for.
function announce(reading, strokes) {
  $("answer").dataset.strokes = strokes;
  $("spoken").textContent = reading ? `${reading.digit}, ${percent(reading.probabilities[reading.digit])} sure` : "Cleared";
}

function bar(digit) {
  const row = document.createElement("li");
  for (const [kind, text] of [["name", digit], ["track", ""], ["value", "0 %"]]) {
    const part = document.createElement("span");
    part.className = kind;
    part.append(text);
    row.append(part);
  }
  const fill = document.createElement("span");
  fill.className = "fill";
  row.querySelector(".track").append(fill);
  return row;
}

/// Never "100 %": a network is not certain.
function percent(probability) {
  if (probability > 0.995) return "> 99 %";
  if (probability > 0 && probability < 0.005) return "< 1 %";
  return `${Math.round(100 * probability)} %`;
}

/// Draws strokes on the pad, point by point.
class Player {
  #pad;
  #frame = null;
  #last = 0;

  constructor(pad) {
    this.#pad = pad;
  }

  get playing() {
    return this.#frame !== null;
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  clear() {
    this.stop();
    this.#pad.clear();
  }

  /// A digit, never the same twice in a row.
  another() {
    this.#last = (this.#last + 1 + Math.floor(Math.random() * (DIGITS - 1))) % DIGITS;
    return this.#last;
  }

  play(strokes) {
    this.stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.#pad.replace(strokes);
    const points = strokes.flat().length;
    const begun = performance.now();
    const draw = (now) => {
      const drawn = Math.ceil((Math.max(now - begun, 0) / 1000) * POINTS_A_SECOND);
      this.#frame = drawn < points ? requestAnimationFrame(draw) : null;
      this.#pad.replace(upTo(strokes, drawn));
    };
    this.#frame = requestAnimationFrame(draw);
  }
}

function upTo(strokes, points) {
  const drawn = [];
  for (const stroke of strokes) {
    if (points <= 0) break;
    drawn.push(stroke.slice(0, points));
    points -= stroke.length;
  }
  return drawn;
}
