#!/usr/bin/env bash
# What it costs to embed 94 MB: build-support/bench/embedding.sh [runs]
#
# Makes a model of 23 random shards, has a build script vendor it, and compiles it into a library and into a program in
# five ways. Prints a table: for each the median time of rustc, the linker included, and its peak memory. Needs
# GNU time and, for the crates that it compares with, a registry.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
runs=${1:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

shard=4194304 shards=23 last=1800000
total=$((shard * (shards - 1) + last))

# A layers model of 100 float32 tensors, most of which lie in two shards.
model() {
    mkdir model
    local paths=() weights=() each=$((total / 4 / 100)) i
    for ((i = 1; i <= shards; i++)); do
        paths+=("\"group1-shard${i}of$shards.bin\"")
        head -c $((i < shards ? shard : last)) /dev/urandom >"model/group1-shard${i}of$shards.bin"
    done
    for ((i = 1; i <= 100; i++)); do
        weights+=("{\"name\": \"w$i\", \"shape\": [$((i < 100 ? each : total / 4 - 99 * each))], \"dtype\": \"float32\"}")
    done
    local IFS=,
    echo "{\"format\": \"layers-model\", \"weightsManifest\": [{\"paths\": [${paths[*]}], \"weights\": [${weights[*]}]}]}" >model/model.json
}

# package <name> <dependencies> <text of lib.rs or main.rs> <which of them>
package() {
    mkdir -p "$1/src"
    printf '[package]\nname = "%s"\nedition = "2024"\n[dependencies]\n%s\n' "$1" "$2" >"$1/Cargo.toml"
    printf '%s\n' "$3" >"$1/src/$4.rs"
}

# Vendors the model and writes the modules; where to, it leaves in the file `out`.
vendored() {
    package vendored '' '' lib
    printf '[build-dependencies]\nvendor-model = { path = "%s" }\n' "$repository" >>vendored/Cargo.toml
    cat >vendored/build.rs <<END
use std::{env, error::Error, fs, path::PathBuf};
use vendor_model::{Config, Embed};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let model = Config::new().no_cache().vendor_model("file://$work/model/model.json", out.join("model"))?;
    model.module().embed(Embed::Auto).write(out.join("auto.rs"))?;
    model.module().embed(Embed::IncludeBytes).write(out.join("include_bytes.rs"))?;
    fs::write("$work/out", out.to_str().unwrap())?;
    Ok(())
}
END
}

# way <name> <dependencies> <items> <expression for the bytes of all files>: a library and a program.
way() {
    package "$1-lib" "$2" "$3" lib
    # Looks at the bytes, so that they are not left out.
    package "$1-bin" "$2" "$3
fn main() {
    println!(\"{} bytes\", $4);
}" main
}

model
vendored
echo '[workspace]
members = ["*-lib", "*-bin", "vendored"]
resolver = "3"' >Cargo.toml
mkdir -p none-lib/src none-bin/src # for the patterns above
package none-lib '' '' lib
package none-bin '' 'fn main() {}' main
cargo build --quiet -p vendored
OUT_DIR=$(cat out)
export OUT_DIR

bare=$(for ((i = 1; i <= shards; i++)); do echo "include_bytes!(concat!(env!(\"OUT_DIR\"), \"/model/group1-shard${i}of$shards.bin\")),"; done)
way auto '' 'include!(concat!(env!("OUT_DIR"), "/auto.rs"));' 'FILES.iter().map(|file| file.bytes.len()).sum::<usize>()'
way include_bytes '' 'include!(concat!(env!("OUT_DIR"), "/include_bytes.rs"));' 'FILES.iter().map(|file| file.bytes.len()).sum::<usize>()'
way bare '' "pub static FILES: &[&[u8]] = &[$bare];" 'FILES.iter().map(|bytes| bytes.len()).sum::<usize>()'
way include_dir 'include_dir = "0.7"' "pub static MODEL: include_dir::Dir = include_dir::include_dir!(\"$OUT_DIR/model\");" 'MODEL.files().map(|file| file.contents().len()).sum::<usize>()'
way rust_embed 'rust-embed = { version = "8", features = ["debug-embed"] }' "#[derive(rust_embed::RustEmbed)]
#[folder = \"$OUT_DIR/model\"]
pub struct Model;" 'Model::iter().map(|path| Model::get(&path).unwrap().data.len()).sum::<usize>()'

# Times the compilers of the workspace only: seconds, kilobytes.
cat >measured <<'END'
#!/usr/bin/env bash
case " $* " in
*' --crate-name ___ '*) exec "$@" ;; # cargo asks what the compiler can do
*' --crate-name '*) exec time -a -o "$MEASURED" -f "%e %M" "$@" ;;
*) exec "$@" ;;
esac
END
chmod +x measured

median() { sort -n | sed -n "$((runs / 2 + 1))p"; }

# What the package costs: median of the seconds, greatest megabytes, and how large the result is.
cost() {
    export MEASURED="$work/measured-$1" RUSTC_WORKSPACE_WRAPPER="$work/measured"
    cargo build --quiet -p "$1" # what it depends on
    : >"$MEASURED"
    local i
    for ((i = 0; i < runs; i++)); do
        cargo clean --quiet -p "$1"
        cargo build --quiet --offline -p "$1"
    done
    local built=target/debug/lib${1//-/_}.rlib
    [ -f "$built" ] || built=target/debug/$1
    printf ' %s s | %s MB | %s MB |' \
        "$(cut -d' ' -f1 "$MEASURED" | median)" \
        "$(cut -d' ' -f2 "$MEASURED" | sort -n | tail -1 | awk '{ printf "%.0f", $1 / 1000 }')" \
        "$(wc -c <"$built" | awk '{ printf "%.0f", $1 / 1e6 }')"
}

echo '| | library | memory | .rlib | program | memory | executable |'
echo '|---|---|---|---|---|---|---|'
row() {
    printf '| %s |' "$2"
    cost "$1-lib"
    cost "$1-bin"
    printf '\n'
}
row auto '`Embed::Auto`'
row include_bytes '`Embed::IncludeBytes`'
row bare 'bare `include_bytes!` of each file'
row include_dir '`include_dir` 0.7'
row rust_embed '`rust-embed` 8, `debug-embed`'
