// New handwriting from old. An image of the data set counts the ink in 4 x 4 blocks of a 32 x 32 bitmap; here the
// bitmap is guessed back, bent, drawn with another pen, and counted again.

import { SIDE } from "./digits.mjs";

const BLOCK = 4;
const FINE = SIDE * BLOCK;

export function deform(image, random) {
  const turn = random.between(-0.22, 0.22);
  const slant = random.between(-0.28, 0.28);
  const width = random.between(0.78, 1.18);
  const height = random.between(0.92, 1.08);
  const moveX = random.between(-2.5, 2.5);
  const moveY = random.between(-1.5, 1.5);
  const waves = [wave(random), wave(random)];
  // Below one half the pen is thicker than it was, above it thinner.
  const threshold = random.between(0.3, 0.62);

  const deformed = new Float32Array(SIDE * SIDE);
  const middle = FINE / 2;
  for (let y = 0; y < FINE; y++) {
    for (let x = 0; x < FINE; x++) {
      const u = (x + 0.5 - middle - moveX) / width;
      const v = (y + 0.5 - middle - moveY) / height;
      const fromX = u * Math.cos(turn) + v * Math.sin(turn) + slant * v + waves[0](v, u);
      const fromY = v * Math.cos(turn) - u * Math.sin(turn) + waves[1](u, v);
      const ink = sample(image, (fromX + middle) / BLOCK - 0.5, (fromY + middle) / BLOCK - 0.5);
      const wet = 1 / (1 + Math.exp(-12 * (ink - threshold)));
      deformed[Math.floor(y / BLOCK) * SIDE + Math.floor(x / BLOCK)] += wet / BLOCK ** 2;
    }
  }
  return deformed;
}

/// A slow wobble of the hand, at most a bit more than a pixel of the bitmap.
function wave(random) {
  const [high, along, across, start] = [random.between(0, 1.3), random.between(0.1, 0.25), random.between(-0.1, 0.1), random.between(0, 7)];
  return (t, s) => high * Math.sin(along * t + across * s + start);
}

/// Catmull-Rom between the pixels: unlike straight lines it gives back the sharp middle of a stroke.
function sample(image, x, y) {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const across = weights(x - left);
  const down = weights(y - top);
  let sum = 0;
  for (let j = 0; j < 4; j++) {
    const row = top + j - 1;
    if (row < 0 || row >= SIDE) continue;
    for (let i = 0; i < 4; i++) {
      const column = left + i - 1;
      if (column < 0 || column >= SIDE) continue;
      sum += across[i] * down[j] * image[row * SIDE + column];
    }
  }
  return sum;
}

function weights(t) {
  return [
    ((2 - t) * t - 1) * t / 2,
    ((3 * t - 5) * t * t + 2) / 2,
    (((4 - 3 * t) * t + 1) * t) / 2,
    ((t - 1) * t * t) / 2,
  ];
}
