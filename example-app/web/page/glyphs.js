// The ten digits as a hand would write them, for visitors who have no pen at hand. Points in a square of 100.

const GLYPHS = [
  [[[56, 14], [34, 20], [24, 50], [34, 80], [52, 86], [70, 74], [76, 46], [66, 20], [52, 14]]],
  [[[34, 32], [46, 24], [54, 13], [54, 87]]],
  [[[27, 32], [36, 16], [56, 13], [70, 28], [62, 50], [44, 70], [26, 86], [50, 85], [76, 86]]],
  [[[28, 20], [48, 12], [68, 24], [62, 42], [44, 48], [66, 54], [74, 70], [58, 87], [28, 82]]],
  [[[60, 13], [42, 40], [22, 64], [52, 63], [80, 62]], [[62, 36], [61, 62], [60, 88]]],
  [[[38, 14], [35, 30], [32, 46], [52, 42], [70, 54], [68, 76], [48, 87], [26, 81]], [[38, 14], [54, 14], [72, 14]]],
  [[[64, 13], [42, 32], [28, 60], [36, 82], [56, 87], [71, 72], [62, 55], [42, 57], [30, 70]]],
  [[[26, 15], [50, 15], [75, 14], [58, 46], [45, 87]]],
  [[[67, 24], [50, 13], [34, 26], [46, 45], [66, 60], [66, 80], [48, 88], [32, 76], [40, 58], [62, 44], [67, 24]]],
  [[[68, 28], [52, 13], [34, 24], [36, 42], [52, 48], [67, 34], [68, 28], [66, 58], [58, 88]]],
];

const STEPS = 12;

/// The strokes of a digit, from 0 to 1, with the tremor of no two hands alike.
export function glyph(digit, random = Math.random) {
  const tremor = () => 3 * (random() - 0.5);
  return GLYPHS[digit].map((points) =>
    smooth(points.map(([x, y]) => [(x + tremor()) / 100, (y + tremor()) / 100])));
}

/// A Catmull-Rom curve through the points.
function smooth(points) {
  const curve = [points[0]];
  for (let i = 1; i < points.length; i++) {
    const [before, from, to, after] = [points[Math.max(i - 2, 0)], points[i - 1], points[i], points[Math.min(i + 1, points.length - 1)]];
    for (let step = 1; step <= STEPS; step++) {
      const t = step / STEPS;
      curve.push([0, 1].map((axis) => {
        const [p, a, b, n] = [before[axis], from[axis], to[axis], after[axis]];
        return (2 * a + (b - p) * t + (2 * p - 5 * a + 4 * b - n) * t ** 2 + (3 * a - p - 3 * b + n) * t ** 3) / 2;
      }));
    }
  }
  return curve;
}
