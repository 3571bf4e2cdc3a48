#!/usr/bin/env bash
# Tests everything: build-support/test.sh [portable]
#
# Installs what is missing where it can (Debian packages as root, npm packages), then checks formatting, lints, unit,
# integration and doc tests, also over nginx and squid, and drives the example app in a real browser. `portable` leaves
# out what needs Node or a browser, and installs nothing. What cannot run here is named as skipped; with REQUIRE_ALL=1 a
# skip is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

part=${1:-all}
output=target/test-output
skipped=()
mkdir -p "$output"
export SKIPPED="$PWD/$output/skipped" # where tests say what they leave out
: >"$SKIPPED"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
export RUST_BACKTRACE=0
# A third of the disk: nothing here is debugged, and nothing built twice.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0

# How whoever runs this reaches the world is nothing to the tests, which reach only this machine.
unset HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy NO_PROXY no_proxy NETRC HF_TOKEN
unset VENDOR_MODEL_{LOCK,OFFLINE,CACHE,DIR,MIRROR,SKIP,PROGRESS} DOCS_RS CARGO_NET_OFFLINE

step() { printf '\n== %s (%s free)\n' "$*" "$(df -Ph . | awk 'END { print $4 }')"; }

have() { command -v "$1" >/dev/null 2>&1; }

skip() {
    echo "skipped: $*"
    skipped+=("$*")
    if [ "${REQUIRE_ALL:-}" = 1 ]; then
        echo "REQUIRE_ALL=1: a skip is a failure" >&2
        exit 1
    fi
}

# Installs the Debian packages $2.. unless the command $1 is there.
provide() {
    local command=$1
    shift
    have "$command" && return
    if have apt-get && [ "$(id -u)" = 0 ]; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    fi
    have "$command"
}

# Installs the npm packages that the package-lock.json in $1 pins, unless they are there.
provide_npm() {
    [ -f "$1/node_modules/.package-lock.json" ] && [ ! "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ] && return
    have npm && npm ci --prefix "$1" --no-audit --no-fund --loglevel=error
}

# Runs the app by the command in "$@", drives it in a browser, and leaves screenshots named after $1.
in_browser() {
    local name=$1 app address
    shift
    : >"$output/$name.address"
    "$@" >"$output/$name.address" 2>"$output/$name.log" &
    app=$!
    until address=$(grep -m1 '^http://' "$output/$name.address"); do
        kill -0 "$app" 2>/dev/null || { cat "$output/$name.log"; return 1; }
        sleep 0.2
    done
    local status=0
    CHROMIUM=$(command -v chromium) node tests/js/browser.mjs "$address" "$output/$name.png" || status=$?
    kill "$app" 2>/dev/null || true
    wait "$app" 2>/dev/null || true
    [ "$status" = 0 ] || cat "$output/$name.log"
    return "$status"
}

step 'formatting'
cargo fmt --all --check
cargo fmt --all --check --manifest-path example-app/Cargo.toml

step 'lints'
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo clippy -p vendor-model --no-default-features --locked -- -D warnings
cargo clippy --workspace --all-targets --locked --manifest-path example-app/Cargo.toml -- -D warnings
RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet

if [ "$part" = all ]; then
    step 'Node packages'
    provide node nodejs npm || skip 'Node.js is not there (https://nodejs.org)'
    if have node; then
        provide_npm tests/js || skip 'npm ci --prefix tests/js failed'
        provide_npm example-app/web || skip 'npm ci --prefix example-app/web failed'
        provide_npm build-support/cargo-vendor-model/tests/js || skip 'npm ci --prefix build-support/cargo-vendor-model/tests/js failed'
    fi
fi

if [ "$part" = all ]; then
    step 'servers that others wrote'
    provide nginx nginx-light || skip 'nginx is not there (apt-get install nginx-light)'
    provide squid squid || skip 'squid is not there (apt-get install squid)'

    step 'tools that read what the command writes'
    provide python3 python3 || skip 'Python is not there (apt-get install python3)'
    provide nix-instantiate nix-bin || skip 'Nix is not there (apt-get install nix-bin)'
fi

step 'unit, integration and doc tests'
cargo test --workspace --locked

if [ "$part" = all ]; then
    step 'counts that have a budget'
    if provide valgrind valgrind; then
        build-support/bench/run.sh guard
    else
        skip 'the counts: valgrind is not there (apt-get install valgrind)'
    fi
fi

step 'the library without a network'
cargo test -p vendor-model --lib --no-default-features --locked
if cargo tree -p vendor-model --no-default-features --edges normal,build --prefix none --locked | grep -E '^(ureq|rustls|ring|cc|miniz_oxide) '; then
    echo 'these must not be in the tree without the feature net' >&2
    exit 1
fi

step 'the example: its model in Rust alone'
cargo test --workspace --locked --manifest-path example-app/Cargo.toml

if [ "$part" = all ]; then
    step 'the example app in a browser'
    if ! have node; then
        skip 'the browser test: Node.js is not there'
    elif ! provide chromium chromium fonts-dejavu-core; then
        skip 'the browser test: chromium is not there (apt-get install chromium)'
    else
        echo 'built offline from its vendored copy:'
        VENDOR_MODEL_OFFLINE=1 cargo build --locked --quiet --manifest-path example-app/Cargo.toml
        in_browser offline "${CARGO_TARGET_DIR:-example-app/target}/debug/example-app"
        echo 'built over HTTP by demo.sh:'
        in_browser demo build-support/demo.sh
        ls "$output"/*.png
    fi
fi

step 'done'
while read -r line; do skipped+=("$line"); done <"$SKIPPED"
if [ ${#skipped[@]} = 0 ]; then
    echo 'nothing was skipped'
else
    printf 'skipped: %s\n' "${skipped[@]}"
fi
