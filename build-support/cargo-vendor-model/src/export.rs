//! Pins in the words of other tools.

use std::collections::BTreeMap;

use vendor_model::{LockedFile, LockedModel};

use crate::content::sum;
use crate::failure::Failure;
use crate::shelf::shelf;

/// A pinned file that has an address.
struct Pin {
    /// In a vendored directory.
    path: String,
    url: String,
    sha256: String,
}

/// For `sha256sum -c` in a vendored directory.
pub fn sha256sums(models: &[&LockedModel]) -> Result<String, Failure> {
    Ok(pins(models)?.map(|pin| sum(&pin.sha256, &pin.path)).collect())
}

/// A function from `fetchurl` to a list for `linkFarm`, which makes a vendored directory of it.
pub fn nix(models: &[&LockedModel]) -> Result<String, Failure> {
    let entry = |pin: Pin| {
        let name = store_name(&pin.path);
        format!(
            "  {{\n    name = {};\n    path = fetchurl {{\n      name = {};\n      url = {};\n      sha256 = \"{}\";\n    }};\n  }}\n",
            nix_string(&pin.path),
            nix_string(&name),
            nix_string(&pin.url),
            pin.sha256
        )
    };
    let entries: String = pins(models)?.map(entry).collect();
    Ok(format!(
        "# Written by cargo vendor-model. A vendored directory of it:\n\
         #   pkgs.linkFarm \"vendor-models\" (pkgs.callPackage ./models.nix {{ }})\n\
         {{ fetchurl }}:\n[\n{entries}]\n"
    ))
}

/// A Starlark function that declares an `http_file` for each file.
pub fn bazel(models: &[&LockedModel]) -> Result<String, Failure> {
    let rule = |pin: Pin| {
        format!(
            "    http_file(\n        name = {},\n        downloaded_file_path = {},\n        sha256 = \"{}\",\n        urls = [{}],\n    )\n",
            starlark_string(&rule_name(&pin)),
            starlark_string(&pin.path),
            pin.sha256,
            starlark_string(&pin.url)
        )
    };
    let rules: String = pins(models)?.map(rule).collect();
    let body = if rules.is_empty() { "    pass\n".to_owned() } else { rules };
    Ok(format!(
        "\"\"\"Written by cargo vendor-model: the files of machine-learning models.\"\"\"\n\n\
         load(\"@bazel_tools//tools/build_defs/repo:http.bzl\", \"http_file\")\n\n\
         def vendor_models():\n    \"\"\"Declares a repository for each file.\"\"\"\n{body}"
    ))
}

/// What has an address, each once, in the order of paths.
fn pins(models: &[&LockedModel]) -> Result<impl Iterator<Item = Pin>, Failure> {
    shelf(models.iter().copied())?;
    let mut pins = BTreeMap::new();
    for model in models {
        for file in model.files() {
            let pin = pin(model, file)?;
            pins.insert(pin.path.clone(), pin);
        }
    }
    Ok(pins.into_values())
}

fn pin(model: &LockedModel, file: &LockedFile) -> Result<Pin, Failure> {
    Ok(Pin {
        path: model.vendored_path(file)?,
        url: model.address_of(file)?,
        sha256: file.sha256(),
    })
}

/// A name that the Nix store takes.
fn store_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "+-._?=".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    if name.starts_with('.') { format!("_{name}") } else { name }
}

/// A name for a repository: plain, and another for each file.
fn rule_name(pin: &Pin) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' };
    let path: String = pin.path.chars().map(plain).collect();
    format!("model_{}_{path}", &pin.sha256[..12])
}

fn nix_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${"))
}

fn starlark_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_string() {
        assert_eq!(nix_string(r#"a"b\c${d}"#), r#""a\"b\\c\${d}""#);
        assert_eq!(starlark_string(r#"a"b\c"#), r#""a\"b\\c""#);
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(store_name("h.example/m/my model@2.json"), "my-model-2.json");
        assert_eq!(store_name(".hidden"), "_.hidden");
        let pin = Pin { path: "h/a b".into(), url: String::new(), sha256: "0".repeat(64) };
        assert_eq!(rule_name(&pin), "model_000000000000_h_a_b");
    }
}
