#!/usr/bin/env bash
# Measures vendor-model beside what people would use: build-support/bench/run.sh [STAGE]...; --help lists the stages.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --quiet --locked -p bench --bins
exec "${CARGO_TARGET_DIR:-target}/debug/bench" "$@"
