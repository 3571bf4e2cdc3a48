// Numbers as people read them. A number and its unit stay on one line.

const NB = "\u00a0";

export function bytes(size) {
  if (size === null) return "–";
  if (size < 1024) return `${size}${NB}B`;
  const units = ["KiB", "MiB", "GiB"];
  const power = Math.min(Math.floor(Math.log2(size) / 10), units.length);
  return `${(size / 1024 ** power).toFixed(1)}${NB}${units[power - 1]}`;
}

export function count(number, one) {
  return `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
}

export function milliseconds(time) {
  if (time >= 1000) return `${(time / 1000).toFixed(1)}${NB}s`;
  return time < 10 ? `${time.toFixed(1)}${NB}ms` : `${Math.round(time)}${NB}ms`;
}

export function shape(sides) {
  return sides?.length ? sides.map((side) => (side === null || side < 0 ? "?" : side)).join(" × ") : "scalar";
}
