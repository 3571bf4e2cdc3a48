// From pen strokes to the picture that the network was trained on.
//
// The data set's authors fitted each digit into a bitmap of 32 x 32 and counted the ink in blocks of 4 x 4. The same is
// done here, with strokes in place of a scan: they are fitted, drawn with a pen as thick as the data set's, and counted.

export const SIDE = 8;

const BLOCK = 4;
const FINE = SIDE * BLOCK;

// Measured on the data set, in pixels of the bitmap: every digit fills the height, few are wider than this,
// and whatever the digit, there is about as much ink: the pen is thick for a 1 and thin for an 8.
const WIDEST = 24;
const INK = 312;
const PEN = { thinnest: 1.6, thickest: 4 };

/// `strokes` are lists of `[x, y]` in any one unit, y downward. Answers 64 shades from 0 to 1, or null without ink.
export function picture(strokes) {
  const points = strokes.flat();
  if (points.length === 0) return null;
  const box = boundingBox(points);
  let radius = (PEN.thinnest + PEN.thickest) / 2;
  let distances;
  // A thicker pen leaves less room for its own path, so the two are found together; three rounds are enough.
  for (let round = 0; round < 3; round++) {
    distances = distancesTo(segments(strokes, fit(box, radius)));
    radius = clamp(Float32Array.from(distances).sort()[INK], PEN.thinnest, PEN.thickest);
  }
  return countBlocks(distances, radius);
}

function boundingBox(points) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const [x, y] of points) {
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}

/// The full height, the width that follows from it but for what is too wide, centred by the box as the data set is.
function fit(box, radius) {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const down = (FINE - 2 * radius) / Math.max(height, width / 3, 1e-6);
  const across = Math.min(down, (WIDEST - 2 * radius) / Math.max(width, 1e-6));
  const middleX = (box.left + box.right) / 2;
  const middleY = (box.top + box.bottom) / 2;
  return ([x, y]) => [FINE / 2 + (x - middleX) * across, FINE / 2 + (y - middleY) * down];
}

function segments(strokes, place) {
  const found = [];
  for (const stroke of strokes) {
    let from = place(stroke[0]);
    if (stroke.length === 1) found.push([from, from]);
    for (const [i, point] of stroke.entries()) {
      const to = place(point);
      const step = Math.hypot(to[0] - from[0], to[1] - from[1]);
      if (step < 1 && i < stroke.length - 1) continue;
      found.push([from, to]);
      from = to;
    }
  }
  return found;
}

function distancesTo(segments) {
  const nearest = new Float32Array(FINE * FINE).fill(Infinity);
  for (const [[ax, ay], [bx, by]] of segments) {
    const dx = bx - ax;
    const dy = by - ay;
    const square = dx * dx + dy * dy || 1;
    for (let pixel = 0; pixel < nearest.length; pixel++) {
      const px = (pixel % FINE) + 0.5 - ax;
      const py = Math.floor(pixel / FINE) + 0.5 - ay;
      const along = clamp((px * dx + py * dy) / square, 0, 1);
      const away = (px - along * dx) ** 2 + (py - along * dy) ** 2;
      if (away < nearest[pixel]) nearest[pixel] = away;
    }
  }
  return nearest.map(Math.sqrt);
}

function countBlocks(distances, radius) {
  const shades = new Float32Array(SIDE * SIDE);
  for (const [pixel, distance] of distances.entries()) {
    const block = Math.floor(pixel / FINE / BLOCK) * SIDE + Math.floor((pixel % FINE) / BLOCK);
    shades[block] += clamp(radius - distance + 0.5, 0, 1) / BLOCK ** 2;
  }
  return shades;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
