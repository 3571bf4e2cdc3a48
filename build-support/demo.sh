#!/usr/bin/env bash
# The main job in one command: a model comes over HTTP into an app that then needs no network.
#
#   build-support/demo.sh                              with the example's own model, served on loopback
#   MODEL_URL=https://... build-support/demo.sh        with any TensorFlow.js model on the web
#
# Builds a copy of example-app by a real `cargo build`, starts it, and prints the address to open. Needs Rust and Node.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
runtime=node_modules/@tensorflow/tfjs/dist/tf.fesm.min.js

say() { printf '%s\n' "$*" >&2; }

for tool in cargo npm; do
    command -v "$tool" >/dev/null || { say "demo.sh needs $tool, which is not there"; exit 1; }
done

work=$(mktemp -d)
host=
app=
finish() {
    trap '' INT TERM
    for process in $host $app; do kill "$process" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ ! -f "$root/example-app/web/$runtime" ]; then
    say '* bringing TensorFlow.js from npm, as package-lock.json pins it'
    npm ci --prefix "$root/example-app/web" --no-audit --no-fund --loglevel=error >&2
fi

if [ -z "${MODEL_URL:-}" ]; then
    cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p model-host --target-dir "$root/target"
    "$root/target/debug/model-host" "$root/example-app/vendor-models/models.example" >"$work/host" &
    host=$!
    until [ -s "$work/host" ]; do
        kill -0 "$host" 2>/dev/null || { say 'model-host did not start'; exit 1; }
        sleep 0.1
    done
    MODEL_URL="$(cat "$work/host")digits/model.json"
fi
say "* the model is at $MODEL_URL"

# Not copied: the lock, the vendored copy, and what npm and cargo made.
mkdir "$work/example-app"
tar -C "$root/example-app" --exclude=./target --exclude=./models.lock --exclude=./vendor-models --exclude=./train \
    --exclude=./web/node_modules -cf - . | tar -xmf - -C "$work/example-app"
mkdir -p "$work/example-app/web/$(dirname "$runtime")"
cp "$root/example-app/web/$runtime" "$work/example-app/web/$runtime"
# Replaces the line of file $1 that begins with $2 by $3, letter by letter.
edit() {
    BEGINNING=$2 LINE=$3 awk 'index($0, ENVIRON["BEGINNING"]) == 1 { print ENVIRON["LINE"]; next } { print }' \
        "$work/example-app/$1" >"$work/edited"
    cat "$work/edited" >"$work/example-app/$1"
}
quoted() { printf '%s' "$1" | awk '{ gsub(/[\\"]/, "\\\\&"); print }'; }
edit Cargo.toml 'vendor-model = ' "vendor-model = { path = \"$(quoted "$root")\" }"
edit build.rs 'const MODEL_URL' "const MODEL_URL: &str = \"$(quoted "$MODEL_URL")\";"

say '* building a copy of example-app, whose build.rs vendors it:'
sed -n '/^const MODEL_URL/,$p' "$work/example-app/build.rs" | sed 's/^/      /' >&2
cargo build --locked --manifest-path "$work/example-app/Cargo.toml" --target-dir "$root/target/demo" >&2

say '* pinned in models.lock:'
sed -n 's/^ *"\(path\|size\|sha256\)": "\{0,1\}\([^",]*\).*/\2/p' "$work/example-app/models.lock" |
    paste - - - | awk '{ printf "      %s  %8d bytes  %s\n", $3, $2, $1 }' >&2

if [ -n "$host" ]; then
    kill "$host"
    host=
    say '* the host is stopped; the app has everything inside. Open this address (Ctrl-C ends it):'
else
    say '* the app has everything inside. Open this address (Ctrl-C ends it):'
fi
"$root/target/demo/debug/example-app" &
app=$!
wait "$app"
