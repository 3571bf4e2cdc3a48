//! The stored bytes of a weight -> its values, as TensorFlow.js computes them, bit for bit.
//!
//! Pure.

use crate::tensors::Tensor;
use crate::weights::{DType, Quantization};

/// How the values of a weight come out of its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Decoding {
    /// The bytes are the values.
    AsStored,
    /// `value = n * scale + min`, of integers of so many bytes.
    Scaled { width: usize, scale: f64, min: f64, to: Number },
    /// float16 to float32.
    Widened,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Float32,
    Int32,
}

impl Decoding {
    /// What TensorFlow.js does with the weight, or why it does nothing with it.
    pub fn of(tensor: &Tensor) -> Result<Decoding, String> {
        let Some(Quantization { dtype: stored, scale, min }) = tensor.quantization else {
            return Ok(Decoding::AsStored);
        };
        let name = &tensor.name;
        match (stored, tensor.dtype, scale, min) {
            (DType::Float16, DType::Float32, ..) => Ok(Decoding::Widened),
            (
                DType::Uint8 | DType::Uint16,
                DType::Float32 | DType::Int32,
                Some(scale),
                Some(min),
            ) => {
                let width = if stored == DType::Uint8 { 1 } else { 2 };
                let to = if tensor.dtype == DType::Int32 { Number::Int32 } else { Number::Float32 };
                Ok(Decoding::Scaled { width, scale, min, to })
            }
            (DType::Uint8 | DType::Uint16, DType::Float32 | DType::Int32, ..) => {
                Err(format!("weight {name:?} is quantized and has no scale or no min"))
            }
            (stored, dtype, ..) => {
                Err(format!("weight {name:?} of {dtype:?} is quantized to {stored:?}"))
            }
        }
    }

    /// The bytes that one stored value takes, and those of what it becomes.
    pub fn widths(self) -> (u64, u64) {
        match self {
            Decoding::AsStored => (1, 1),
            Decoding::Scaled { width, .. } => (width as u64, 4),
            Decoding::Widened => (2, 4),
        }
    }

    /// Appends the values of `stored`, whole ones, to `values`.
    pub fn decode(self, stored: &[u8], values: &mut Vec<u8>) {
        match self {
            Decoding::AsStored => values.extend_from_slice(stored),
            Decoding::Widened => {
                for pair in stored.chunks_exact(2) {
                    let bits = widened(u16::from_le_bytes([pair[0], pair[1]]));
                    values.extend_from_slice(&bits.to_le_bytes());
                }
            }
            Decoding::Scaled { width, scale, min, to } => {
                for n in stored.chunks_exact(width) {
                    let n = n.iter().rev().fold(0, |n: u32, byte| n << 8 | u32::from(*byte));
                    // Two roundings in float64, as in JavaScript; a fused operation would have one.
                    let value = f64::from(n) * scale + min;
                    values.extend_from_slice(&match to {
                        Number::Float32 => (value as f32).to_le_bytes(),
                        Number::Int32 => rounded(value).to_le_bytes(),
                    });
                }
            }
        }
    }
}

/// `Math.round`, which rounds halves up, and then what an `Int32Array` keeps: the low 32 bits.
fn rounded(value: f64) -> i32 {
    const ALL: f64 = 4_294_967_296.0;
    let below = value.floor();
    let whole = if value - below < 0.5 { below } else { below + 1.0 };
    whole.rem_euclid(ALL) as u32 as i32
}

/// The bits of the float32 that is the same number; those of what is no number stay behind its sign and exponent.
fn widened(half: u16) -> u32 {
    let (sign, exponent) = (u32::from(half >> 15) << 31, u32::from(half >> 10 & 0x1f));
    let fraction = u32::from(half & 0x3ff);
    sign | match exponent {
        0 if fraction == 0 => 0,
        0 => {
            // So many places up, the first bit becomes the one that is not written down.
            let places = fraction.leading_zeros() - 21;
            (113 - places) << 23 | (fraction << places & 0x3ff) << 13
        }
        0x1f => 0xff << 23 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dtype: DType, stored: DType, scale: Option<f64>, min: Option<f64>) -> Tensor {
        let quantization = Some(Quantization { dtype: stored, scale, min });
        let (name, shape) = ("w".to_owned(), vec![]);
        Tensor { name, dtype, shape, quantization, group: 0, offset: 0, length: 0 }
    }

    fn decoded(tensor: &Tensor, stored: &[u8]) -> Vec<u8> {
        let mut values = Vec::new();
        Decoding::of(tensor).unwrap().decode(stored, &mut values);
        values
    }

    fn bytes<const N: usize>(
        values: &[impl Copy + Into<f64>],
        to: impl Fn(f64) -> [u8; N],
    ) -> Vec<u8> {
        values.iter().flat_map(|value| to((*value).into())).collect()
    }

    #[test]
    fn integers_are_scaled_in_float64_and_rounded_once() {
        let float = tensor(DType::Float32, DType::Uint8, Some(0.1), Some(-1.0));
        let floats = |values: &[f64]| bytes(values, |value| (value as f32).to_le_bytes());
        assert_eq!(decoded(&float, &[0, 48, 255]), floats(&[-1.0, 3.8, 24.5]));
        let int = tensor(DType::Int32, DType::Uint8, Some(0.1), Some(-1.0));
        let ints = |values: &[i32]| bytes(values, |value| (value as i32).to_le_bytes());
        assert_eq!(decoded(&int, &[0, 48, 255]), ints(&[-1, 4, 25]));
        let wide = tensor(DType::Int32, DType::Uint16, Some(0.5), Some(-2.0));
        assert_eq!(decoded(&wide, &[1, 0, 3, 0, 0xff, 0xff]), ints(&[-1, 0, 32766]));
    }

    #[test]
    fn halves_are_rounded_up_and_large_numbers_cut_as_in_javascript() {
        let cases = [
            (-2.5, -2),
            (-0.5, 0),
            (0.49999999999999994, 0),
            (0.5, 1),
            (2.5, 3),
            (2_147_483_648.0, i32::MIN),
            (-2_147_483_649.0, i32::MAX),
            (4_294_967_297.0, 1),
            (1e300, 0),
            (f64::INFINITY, 0),
            (f64::NAN, 0),
        ];
        for (value, expected) in cases {
            assert_eq!(rounded(value), expected, "{value}");
        }
    }

    #[test]
    fn float16_becomes_the_same_number() {
        let cases = [
            (0x0000, 0.0),
            (0x8000, -0.0),
            (0x0001, 2_f32.powi(-24)),
            (0x03ff, 1023.0 * 2_f32.powi(-24)),
            (0x8200, -(2_f32.powi(-15))),
            (0x0400, 2_f32.powi(-14)),
            (0x3400, 0.25),
            (0x3c00, 1.0),
            (0xc3e1, -3.939_453_1),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ];
        for (half, expected) in cases {
            assert_eq!(widened(half), expected.to_bits(), "{half:#06x}");
        }
        assert_eq!(widened(0x7e01), 0x7fc0_2000, "what is no number keeps its bits");
    }

    #[test]
    fn what_the_client_refuses_is_refused() {
        let cases = [
            (tensor(DType::Float32, DType::Uint8, None, Some(0.0)), "no scale or no min"),
            (tensor(DType::Int32, DType::Float16, None, None), "of Int32 is quantized to Float16"),
            (tensor(DType::Bool, DType::Uint8, Some(1.0), Some(0.0)), "of Bool is quantized"),
        ];
        for (tensor, expected) in cases {
            let why = Decoding::of(&tensor).unwrap_err();
            assert!(why.starts_with("weight \"w\"") && why.contains(expected), "{why}");
        }
    }
}
