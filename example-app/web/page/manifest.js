// What a TensorFlow.js manifest says: the kind of model, and its tensors.

const BYTES = { bool: 1, uint8: 1, uint16: 2, float16: 2, int32: 4, float32: 4, complex64: 8 };

/// "graph", "layers", or "weights" where there is nothing to run.
export function kindOf(manifest) {
  const topology = manifest.modelTopology;
  if (!topology) return "weights";
  if (manifest.format === "graph-model" || topology.node) return "graph";
  return "layers";
}

export function groupsOf(manifest) {
  return Array.isArray(manifest) ? manifest : (manifest.weightsManifest ?? []);
}

export function tensorsOf(manifest) {
  return groupsOf(manifest).flatMap((group) => group.weights).map(tensor);
}

function tensor({ name, dtype, shape, quantization }) {
  const elements = shape.reduce((product, side) => product * side, 1);
  const stored = quantization?.dtype ?? dtype;
  return {
    name,
    shape,
    elements,
    type: stored === dtype ? dtype : `${stored} → ${dtype}`,
    // Strings carry their own lengths: the manifest does not know.
    size: stored in BYTES ? elements * BYTES[stored] : null,
  };
}
