//! The digits model, run in Rust: a forward pass on `ndarray`, whose weights are views of the bytes in the program.

use bytemuck::cast_slice;
use ndarray::{Array1, Array3, ArrayView, Dimension, Ix1, Ix2, Ix4, s};

mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

const _: () = assert!(!model::PLACEHOLDER, "built with VENDOR_MODEL_SKIP, so without its model");

/// Rows and columns of a picture.
pub const SIDE: usize = 8;

/// How probable each of the ten digits is. `shades` are those of a picture, row by row, from 0 to 1.
pub fn read(shades: &[f32; SIDE * SIDE]) -> [f32; 10] {
    let picture = ArrayView::from_shape((SIDE, SIDE, 1), shades).expect("so many shades");
    let layer = convolved(picture.to_owned(), "conv2d_Conv2D1");
    let layer = pooled(convolved(layer, "conv2d_Conv2D2"));
    let layer = pooled(convolved(layer, "conv2d_Conv2D3"));
    let layer = relu(dense(layer.into_iter().collect(), "dense_Dense1"));
    let probabilities = softmax(dense(layer, "dense_Dense2"));
    std::array::from_fn(|digit| probabilities[digit])
}

/// A weight as it lies in the program: no byte is copied. The blob is aligned to 64 and all before it are float32, so
/// that it is aligned as well; TensorFlow.js writes little-endian, as nearly all processors do.
fn weight<D: Dimension>(layer: &str, part: &str) -> ArrayView<'static, f32, D> {
    let name = format!("{layer}/{part}");
    let tensor = model::TENSORS.iter().find(|tensor| tensor.name == name);
    let tensor = tensor.unwrap_or_else(|| panic!("the model has no weight {name:?}"));
    assert!(tensor.dtype == model::DType::Float32 && tensor.quantization.is_none(), "{tensor:?}");
    let values = ArrayView::from_shape(tensor.shape, cast_slice(tensor.bytes));
    values
        .and_then(ArrayView::into_dimensionality)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A convolution that keeps height and width, and what is below zero cut off.
fn convolved(input: Array3<f32>, layer: &str) -> Array3<f32> {
    let (kernel, bias) = (weight::<Ix4>(layer, "kernel"), weight::<Ix1>(layer, "bias"));
    let (height, width, channels) = input.dim();
    let (rows, columns, _, filters) = kernel.dim();
    let kernel = kernel.into_shape_with_order((rows * columns * channels, filters));
    let kernel = kernel.expect("a kernel lies in a row");
    let mut padded = Array3::zeros((height + rows - 1, width + columns - 1, channels));
    let (top, left) = (rows / 2, columns / 2);
    padded.slice_mut(s![top..top + height, left..left + width, ..]).assign(&input);
    let mut output = Array3::zeros((height, width, filters));
    for y in 0..height {
        for x in 0..width {
            let patch = padded.slice(s![y..y + rows, x..x + columns, ..]);
            let patch: Array1<f32> = patch.iter().copied().collect();
            output.slice_mut(s![y, x, ..]).assign(&relu(patch.dot(&kernel) + bias));
        }
    }
    output
}

/// The greatest of every four.
fn pooled(input: Array3<f32>) -> Array3<f32> {
    let (height, width, channels) = input.dim();
    Array3::from_shape_fn((height / 2, width / 2, channels), |(y, x, channel)| {
        let four = input.slice(s![2 * y..2 * y + 2, 2 * x..2 * x + 2, channel]);
        four.fold(f32::NEG_INFINITY, |greatest, value| greatest.max(*value))
    })
}

fn dense(input: Array1<f32>, layer: &str) -> Array1<f32> {
    input.dot(&weight::<Ix2>(layer, "kernel")) + weight::<Ix1>(layer, "bias")
}

fn relu(values: Array1<f32>) -> Array1<f32> {
    values.mapv_into(|value| value.max(0.0))
}

fn softmax(values: Array1<f32>) -> Array1<f32> {
    let greatest = values.fold(f32::NEG_INFINITY, |greatest, value| greatest.max(*value));
    let powers = values.mapv_into(|value| (value - greatest).exp());
    let sum = powers.sum();
    powers / sum
}
