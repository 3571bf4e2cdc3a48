// scikit-learn's handwritten digits: 1797 images of 8 x 8 counts from 0 to 16, as export_digits.py left them.

import { existsSync, readFileSync } from "node:fs";
import { seeded } from "./random.mjs";

export const SIDE = 8;
const FULL = 16;

export const FOLDS = 5;

/// The digits, a fifth of each class set aside for the final question only. Which fifth, `fold` says.
export function readDigits(csv, fold) {
  if (!existsSync(csv)) {
    throw new Error(`${csv.pathname} does not exist\nhelp: python3 export_digits.py`);
  }
  const digits = readFileSync(csv, "utf8").trim().split("\n").map(parseLine);
  const random = seeded(1);
  const split = { training: [], heldOut: [] };
  for (let label = 0; label < 10; label++) {
    const mixed = random.shuffled(digits.filter((digit) => digit.label === label));
    const fifth = Math.round(mixed.length / FOLDS);
    const from = fold * fifth;
    const to = fold === FOLDS - 1 ? mixed.length : from + fifth;
    split.heldOut.push(...mixed.slice(from, to));
    split.training.push(...mixed.slice(0, from), ...mixed.slice(to));
  }
  return split;
}

function parseLine(line) {
  const numbers = line.split(",").map(Number);
  const label = numbers.pop();
  return { label, image: Float32Array.from(numbers, (count) => count / FULL) };
}
