//! The generated module: what it holds, and that it compiles and links wherever it may be included.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use model_host::Host;
use tempfile::TempDir;
use vendor_model::{ErrorKind, Vendored};

use crate::support::{Project, Ran, host_of, model};

/// Vendors `{url}` and writes both kinds of module.
const BOTH: &str = r#"let model = vendor_model::vendor_model("{url}", out.join("model"))?;
    model.write_module(out.join("model.rs"))?;
    model.module().embed(vendor_model::Embed::IncludeBytes).write(out.join("safe.rs"))?;"#;

/// Prints what `model.rs` and `safe.rs` hold.
const PRINTING: &str = r#"mod model { include!(concat!(env!("OUT_DIR"), "/model.rs")); }
mod safe {
    #![forbid(unsafe_code)]
    include!(concat!(env!("OUT_DIR"), "/safe.rs"));
}
macro_rules! print_all {
    ($model:ident) => {
        for file in $model::FILES {
            println!("{file:?} {:?}", String::from_utf8_lossy(file.bytes));
        }
        for tensor in $model::TENSORS {
            println!("{tensor:?} {:?}", String::from_utf8_lossy(tensor.bytes));
        }
    };
}
fn main() {
    print_all!(model);
    println!();
    print_all!(safe);
}
"#;

fn both(url: &str) -> Project {
    Project::new(&BOTH.replace("{url}", url), PRINTING)
}

/// What the program of [`PRINTING`] says, the same of both modules.
#[track_caller]
fn printed(ran: Ran) -> String {
    let ran = ran.succeeded();
    let (model, safe) = ran.stdout.split_once("\n\n").unwrap();
    assert_eq!(model.trim(), safe.trim());
    model.to_owned()
}

/// A workspace of crates that include what a build wrote into `out_dir`, without a build script of their own.
struct Embedders {
    dir: TempDir,
    out_dir: PathBuf,
}

const ATTRIBUTES: &str = "//! A library.\n#![no_std]\n#![deny(warnings, missing_docs, unused, nonstandard_style, unreachable_pub, future_incompatible)]\n";

impl Embedders {
    /// `members` are name, edition, and text of `lib.rs`; the program `app` uses all of them.
    fn new(out_dir: &Path, members: &[(&str, &str, String)], main: &str) -> Embedders {
        let dir = TempDir::new().unwrap();
        let embedders = Embedders { dir, out_dir: out_dir.to_owned() };
        let names = || members.iter().map(|(name, ..)| *name);
        let listed: Vec<String> = names().map(|name| format!("{name:?}")).collect();
        let used: String =
            names().map(|name| format!("{name} = {{ path = \"../{name}\" }}\n")).collect();
        embedders.write("Cargo.toml", &WORKSPACE.replace("{members}", &listed.join(", ")));
        for (name, edition, lib) in members {
            let package = format!("[package]\nname = {name:?}\nedition = {edition:?}\n");
            embedders.write(&format!("{name}/Cargo.toml"), &package);
            embedders.write(&format!("{name}/src/lib.rs"), lib);
        }
        let library = main.replace("fn main", "#[no_mangle]\npub extern \"C\" fn plug");
        for (name, kind, file, text) in [
            ("app", "", "main", main),
            ("plugin", "[lib]\ncrate-type = [\"cdylib\"]\n", "lib", &library),
            ("shared", "[lib]\ncrate-type = [\"dylib\"]\n", "lib", &library),
        ] {
            let package = format!(
                "[package]\nname = {name:?}\nedition = \"2021\"\n{kind}[dependencies]\n{used}"
            );
            embedders.write(&format!("{name}/Cargo.toml"), &package);
            embedders.write(&format!("{name}/src/{file}.rs"), text);
        }
        embedders
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn cargo(&self, arguments: &[&str]) -> Ran {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).args(["--offline", "--quiet"]).current_dir(self.dir.path());
        cargo.env("CARGO_TARGET_DIR", self.dir.path().join("target"));
        Ran::from(cargo.env("OUT_DIR", &self.out_dir).output().unwrap())
    }

    /// What was built under this name.
    fn artifact(&self, profile: &str, name: &str) -> Vec<u8> {
        let profile = if profile == "dev" { "debug" } else { profile };
        fs::read(self.dir.path().join("target").join(profile).join(name)).unwrap()
    }
}

const WORKSPACE: &str = r#"[workspace]
members = ["app", "plugin", "shared", {members}]
resolver = "2"

[profile.thin]
inherits = "release"
lto = "thin"

[profile.fat]
inherits = "release"
lto = "fat"
"#;

/// How often `part` is in `whole`.
fn count(whole: &[u8], part: &[u8]) -> usize {
    whole.windows(part.len()).filter(|window| *window == part).count()
}

const WEIGHTS: &[u8] = b"0123456789abcdefghij";

#[test]
fn it_compiles_in_every_edition_without_std_or_warnings_and_one_way_without_unsafe_code() {
    let host = host_of(&model()).start();
    let project = both(&host.url("/m/model.json"));
    project.build().succeeded();
    let library = |module: &str, attributes: &str, visibility: &str| {
        format!(
            "{ATTRIBUTES}{attributes}
/// A model.
{visibility}mod model {{ include!(concat!(env!(\"OUT_DIR\"), \"/{module}.rs\")); }}
const _: () = assert!(!model::PLACEHOLDER, \"a program can refuse\");
/// Uses all of it.
pub fn total() -> usize {{
    let entry = model::get(model::ENTRY).map_or(0, |file| file.bytes.len());
    let sizes: u64 = model::FILES.iter().map(|file| file.size).sum();
    let weights: usize = model::TENSORS.iter().map(|tensor| tensor.bytes.len()).sum();
    sizes as usize - entry + weights + (model::TENSORS[0].bytes.as_ptr() as usize) % 64
}}
"
        )
    };
    let at_the_root = |module: &str, attributes: &str| {
        format!("{ATTRIBUTES}{attributes}include!(concat!(env!(\"OUT_DIR\"), \"/{module}.rs\"));\n")
    };
    let mut members = Vec::new();
    for (edition, auto, safe) in
        [("2018", "auto18", "safe18"), ("2021", "auto21", "safe21"), ("2024", "auto24", "safe24")]
    {
        let forbidding = "#![forbid(unsafe_code)]\n";
        members.push((auto, edition, library("model", "#![deny(unsafe_code)]\n", "pub ")));
        members.push((safe, edition, library("safe", forbidding, "")));
    }
    let safe = at_the_root("safe", "#![forbid(unsafe_code)]\n");
    members.push(("root_auto", "2024", at_the_root("model", "")));
    members.push(("root_safe", "2018", safe));
    let calls = members.iter().filter(|(name, ..)| !name.starts_with("root"));
    let calls: String =
        calls.map(|(name, ..)| format!("    println!(\"{{}}\", {name}::total());\n")).collect();
    let embedders =
        Embedders::new(&project.out_dir(), &members, &format!("fn main() {{\n{calls}}}\n"));
    let ran = embedders.cargo(&["run", "-p", "app"]).succeeded();
    assert_eq!(ran.stdout, "40\n".repeat(6));
    embedders.cargo(&["check", "--workspace"]).succeeded();
}

#[test]
fn many_crates_that_embed_one_model_link_in_every_profile_and_hold_it_once() {
    let host = host_of(&model()).start();
    let project = both(&host.url("/m/model.json"));
    project.build().succeeded();
    let library = |module: &str| {
        format!("pub mod model {{ include!(concat!(env!(\"OUT_DIR\"), \"/{module}.rs\")); }}\n")
    };
    let members = [("one", "2021", library("model")), ("two", "2021", library("model"))];
    let main = r#"mod mine { include!(concat!(env!("OUT_DIR"), "/model.rs")); }
mod again { include!(concat!(env!("OUT_DIR"), "/model.rs")); }
fn main() {
    let weights = [one::model::FILES[1].bytes, two::model::FILES[1].bytes, mine::FILES[1].bytes, again::FILES[1].bytes];
    println!("{:?}", weights.map(|bytes| (String::from_utf8_lossy(bytes), bytes.as_ptr() as usize % 64)));
}
"#;
    let embedders = Embedders::new(&project.out_dir(), &members, main);
    let expected = format!("[{}]\n", [r#"("01234567", 0)"#; 4].join(", "));
    for profile in ["dev", "release", "thin", "fat"] {
        let ran = embedders.cargo(&["run", "-p", "app", "--profile", profile]).succeeded();
        assert_eq!(ran.stdout, expected, "{profile}");
        let app = embedders.artifact(profile, &format!("app{}", std::env::consts::EXE_SUFFIX));
        if cfg!(target_os = "linux") {
            assert_eq!(count(&app, WEIGHTS), 1, "{profile}");
        }
    }
    for (library, profiles) in
        [("plugin", &["dev", "release", "thin", "fat"][..]), ("shared", &["dev", "release"])]
    {
        for profile in profiles {
            embedders.cargo(&["build", "-p", library, "--profile", profile]).succeeded();
            if cfg!(target_os = "linux") {
                let built = embedders.artifact(profile, &format!("lib{library}.so"));
                assert_eq!(count(&built, WEIGHTS), 1, "{library} {profile}");
            }
        }
    }
}

#[test]
fn files_and_tensors_are_slices_of_their_groups_also_across_shards() {
    let manifest = r#"[
        {"paths": ["s", "t", "s"], "weights": [
            {"name": "a/\"quoted\"", "shape": [2], "dtype": "int32"},
            {"name": "text", "shape": [1, 2], "dtype": "string"},
            {"name": "none", "shape": [0, 3], "dtype": "float32"},
            {"name": "rest", "shape": [6], "dtype": "float32", "quantization": {"dtype": "uint8", "min": -1, "scale": 0.003921568859368563}}]},
        {"paths": [], "weights": []},
        {"paths": ["u"], "weights": [{"name": "b", "shape": [], "dtype": "bool"}]},
        {"paths": ["s"], "weights": [{"name": "c", "shape": [6], "dtype": "uint8"}]}]"#;
    let host = Host::builder()
        .file("/m/model.json", manifest)
        .file("/m/s", "12345\x01")
        .file("/m/t", "78\x02\0\0\0ab\0\0\0\0")
        .file("/m/u", "!")
        .start();
    let manifest = manifest.len();
    let expected = format!(
        r#"File {{ path: "model.json", size: {manifest}, .. }}
File {{ path: "s", size: 6, .. }} "12345\u{{1}}"
File {{ path: "t", size: 12, .. }} "78\u{{2}}\0\0\0ab\0\0\0\0"
File {{ path: "u", size: 1, .. }} "!"
Tensor {{ name: "a/\"quoted\"", dtype: Int32, shape: [2], quantization: None, .. }} "12345\u{{1}}78"
Tensor {{ name: "text", dtype: String, shape: [1, 2], quantization: None, .. }} "\u{{2}}\0\0\0ab\0\0\0\0"
Tensor {{ name: "none", dtype: Float32, shape: [0, 3], quantization: None, .. }} ""
Tensor {{ name: "rest", dtype: Float32, shape: [6], quantization: Some(Quantization {{ dtype: Uint8, scale: Some(0.003921568859368563), min: Some(-1.0) }}), .. }} "12345\u{{1}}"
Tensor {{ name: "b", dtype: Bool, shape: [], quantization: None, .. }} "!"
Tensor {{ name: "c", dtype: Uint8, shape: [6], quantization: None, .. }} "12345\u{{1}}""#
    );
    let project = both(&host.url("/m/model.json"));
    let found = printed(project.cargo("run", &[]));
    let manifest_left_out: Vec<&str> =
        found
            .lines()
            .map(|line| {
                if line.contains("model.json") { line.split_once(" \"[").unwrap().0 } else { line }
            })
            .collect();
    assert_eq!(manifest_left_out.join("\n"), expected);
}

#[test]
fn one_changed_byte_reaches_the_program_under_incremental_compilation() {
    let host = host_of(&model()).start();
    let project = both(&host.url("/m/model.json"));
    let incremental = ("CARGO_INCREMENTAL", "1");
    assert!(printed(project.cargo("run", &[incremental])).ends_with("\"ghij\""));
    for (shard, expected) in [("ghiJ", "\"ghiJ\""), ("Ghij", "\"Ghij\"")] {
        host.put("/m/group1-shard3of3.bin", shard);
        let update = ("VENDOR_MODEL_LOCK", "update");
        let found = printed(project.cargo("run", &[incremental, update]));
        assert!(found.ends_with(expected), "{found}");
    }
}

#[test]
fn the_assembler_embeds_where_object_files_are_elf_and_the_compiler_under_miri() {
    let host = host_of(&model()).start();
    let project = both(&host.url("/m/model.json"));
    project.build().succeeded();
    let text = fs::read_to_string(project.out_dir().join("model.rs")).unwrap();
    let (_, named) = text.split_once(".weak vm_").unwrap();
    let digest: String = named.chars().take_while(char::is_ascii_hexdigit).collect();
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("main.rs"), PRINTING).unwrap();
    let symbols = |name: &str, more: &[&str]| {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut rustc = Command::new(rustc);
        rustc.args(["main.rs", "--edition=2021", "-Aexplicit_builtin_cfgs_in_flags", "-o", name]);
        rustc.args(more).current_dir(dir.path()).env("OUT_DIR", project.out_dir());
        Ran::from(rustc.output().unwrap()).succeeded();
        let program = fs::read(dir.path().join(name)).unwrap();
        Ran::from(Command::new(dir.path().join(name)).output().unwrap()).succeeded();
        count(&program, format!("vm_{digest}").as_bytes())
    };
    assert_eq!(symbols("program", &[]) > 0, cfg!(target_os = "linux"));
    assert_eq!(symbols("under_miri", &["--cfg=miri"]), 0);
}

#[test]
#[cfg(unix)]
fn a_path_that_an_assembler_would_misread_is_left_to_the_compiler() {
    let host = host_of(&model()).start();
    let build = BOTH.replace("{url}", &host.url("/m/model.json"));
    let build = build.replace("out.join(\"model\")", "\"{folder}\"");
    for (folder, assembled) in [
        ("it's {0} #$%;@//ü", true),
        ("a \\\"quoted\\\"", false),
        ("a\\\\b", false),
        ("a\\nb", false),
    ] {
        let project = Project::new(&build.replace("{folder}", folder), PRINTING);
        assert!(printed(project.cargo("run", &[])).ends_with("\"ghij\""), "{folder}");
        let text = fs::read_to_string(project.out_dir().join("model.rs")).unwrap();
        assert_eq!(text.contains(".incbin"), assembled, "{folder}: {text}");
    }
}

#[test]
fn a_placeholder_has_no_bytes_and_gives_way_to_the_model() {
    let host = host_of(&model()).start();
    let project = both(&host.url("/m/model.json"));
    let skip = [("VENDOR_MODEL_SKIP", "1")];
    assert_eq!(
        printed(project.cargo("run", &skip)),
        "File { path: \"model.json\", size: 0, .. } \"\""
    );
    let text = |name: &str| fs::read_to_string(project.out_dir().join(name)).unwrap();
    assert!(text("model.rs").contains("PLACEHOLDER: bool = true;"));

    let whole = printed(project.cargo("run", &[]));
    assert!(whole.ends_with("\"ghij\""), "{whole}");
    assert!(text("safe.rs").contains("PLACEHOLDER: bool = false;"));

    project.clean();
    let pinned = printed(project.cargo("run", &skip));
    assert_eq!(pinned.lines().count(), 4, "{pinned}");
    assert!(pinned.contains("size: 8, .. } \"\""), "{pinned}");
    assert!(text("model.rs").contains("PLACEHOLDER: bool = true;"));
    let refused = Project::new(
        &format!(
            r#"vendor_model::vendor_model({:?}, &out)?.tensors()?;"#,
            host.url("/m/model.json")
        ),
        "fn main() {}",
    )
    .cargo("build", &skip)
    .failed();
    assert!(
        refused.stderr.contains("empty placeholders stand for files of the model"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_model_of_more_than_a_gibibyte_is_refused_with_the_reason_and_the_alternative() {
    let dir = TempDir::new().unwrap();
    let size = (1_u64 << 30) + 1;
    let manifest = format!(
        r#"[{{"paths": ["w"], "weights": [{{"name": "w", "shape": [{size}], "dtype": "bool"}}]}}]"#
    );
    fs::write(dir.path().join("weights.json"), &manifest).unwrap();
    // A hole, which takes no room.
    fs::File::create(dir.path().join("w")).unwrap().set_len(size).unwrap();
    let url = "https://models.example/weights.json";
    let file = |path: &str, size: u64, sha256: &str| {
        format!(r#"{{"path": "{path}", "size": {size}, "sha256": "{sha256}"}}"#)
    };
    let files = [
        file(
            "weights.json",
            manifest.len() as u64,
            "ac0c9e49db425732b5f2b233145e1476cc8906fecca722d4f0127ebcc125723b",
        ),
        file("w", size, "6d9bfe50425f2dfe4e2ac07efee1f0bc9d567348ad4aed62704ffe6f5884e9a8"),
    ]
    .join(", ");
    let lock = format!(
        r#"{{"version": 1, "models": [{{"url": "{url}", "format": "tfjs-weights", "files": [{files}]}}]}}"#
    );
    fs::write(dir.path().join("models.lock"), lock).unwrap();
    let model = Vendored::open(dir.path(), url).unwrap();
    let module = dir.path().join("model.rs");
    let refused = model.write_module(&module).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
    let expected = format!(
        "cannot embed {url}: it is too large for a program\n  found: {} bytes\n  expected: at most 1073741824, because what is in a program is addressed by 31 bits\n  help: ship its directory beside the program, and read it from there with `Vendored::beside_program`, which verifies it",
        size + manifest.len() as u64
    );
    assert_eq!(refused.to_string(), expected);
    assert!(!module.exists());
}

#[test]
fn it_is_the_same_wherever_it_was_made() {
    let host = host_of(&model()).start();
    let module = |project: &Project| {
        project.build().succeeded();
        fs::read_to_string(project.out_dir().join("model.rs")).unwrap()
    };
    let (one, other) = (
        Project::embedding(&host.url("/m/model.json")),
        Project::embedding(&host.url("/m/model.json")),
    );
    let text = module(&one);
    assert_eq!(text, module(&other));
    assert!(
        !text.contains(one.path("").to_str().unwrap())
            && !text.contains(one.out_dir().to_str().unwrap())
    );
}

#[test]
fn a_model_below_the_package_is_named_from_there_and_one_elsewhere_not_at_all() {
    let host = host_of(&model()).start();
    let build = r#"let model = vendor_model::vendor_model("{url}", "assets/model")?;
    model.write_module(out.join("model.rs"))?;"#;
    let project = Project::new(
        &build.replace("{url}", &host.url("/m/model.json")),
        crate::support::EMBEDDING_MAIN,
    );
    project.build().succeeded();
    let text = fs::read_to_string(project.out_dir().join("model.rs")).unwrap();
    assert!(
        text.contains(r#"concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/model.json")"#),
        "{text}"
    );

    let elsewhere = TempDir::new().unwrap();
    let build =
        build.replace("assets/model", &elsewhere.path().display().to_string().replace('\\', "/"));
    let project = Project::new(&build.replace("{url}", &host.url("/m/model.json")), "fn main() {}");
    let refused = project.build().failed();
    assert!(
        refused.stderr.contains("a directory below OUT_DIR, or below the package"),
        "{}",
        refused.stderr
    );
}
