#!/usr/bin/env bash
# Fuzzes each target in turn: build-support/fuzz/run.sh SECONDS [TARGET...]
#
# Prints a row of README.md's table for each. What was found lies in artifacts/, and what covers most in corpus/.
set -euo pipefail
cd "$(dirname "$0")"

seconds=$1
shift
[ -d /dev/shm ] && export TMPDIR=${TMPDIR:-/dev/shm} # for the targets that read files
toolchain=+${FUZZ_TOOLCHAIN:-nightly}
[ $# -gt 0 ] || set -- $(cargo "$toolchain" fuzz list --fuzz-dir .)
cargo "$toolchain" fuzz build --fuzz-dir . >&2
# Not by `cargo fuzz run`, which would build again what is edited meanwhile.
built=target/$(rustc "$toolchain" -vV | sed -n 's/^host: //p')/release
failed=0
for target; do
    mkdir -p "corpus/$target" artifacts
    log=artifacts/$target.log
    status=0
    "$built/$target" "corpus/$target" "seeds/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="artifacts/$target-" -print_final_stats=1 >"$log" 2>&1 || status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -o 'cov: [0-9]*' "$log" | tail -1)
    features=$(grep -o 'ft: [0-9]*' "$log" | tail -1)
    finding=$(sed -n 's/^Test unit written to //p; s/.*Test unit written to //p' "$log" | head -1)
    echo "| \`$target\` | $seconds | ${executions:-?} | ${covered#cov: } | ${features#ft: } | ${finding:-none} |"
    [ "$status" = 0 ] || failed=1
done
exit "$failed"
