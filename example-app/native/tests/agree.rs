//! The network in Rust gives the answers that it gives in TensorFlow.js.

use native::read;
use serde_json::Value;

/// By `node tests/js/answers.mjs`, one picture a line.
const ANSWERS: &str = include_str!("answers.jsonl");

fn numbers<const N: usize>(value: &Value) -> [f32; N] {
    let numbers: Vec<f32> =
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect();
    numbers.try_into().unwrap()
}

#[test]
fn every_picture_is_read_as_tensorflow_js_reads_it() {
    let mut winners = [0; 10];
    for line in ANSWERS.lines() {
        let answer: Value = serde_json::from_str(line).unwrap();
        let expected: [f32; 10] = numbers(&answer["probabilities"]);
        let found = read(&numbers(&answer["shades"]));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-4, "{found} is not {expected}: {line}");
        }
        if let Some(sure) = (0..10).find(|digit| expected[*digit] > 0.9) {
            winners[sure] += 1;
        }
    }
    assert!(winners.iter().all(|pictures| *pictures > 0), "some digit is never read: {winners:?}");
}
