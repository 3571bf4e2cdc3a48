//! A model comes over HTTP or from disk, once.

use std::fs;
use std::time::{Duration, SystemTime};

use model_host::Host;
use sha2::Digest;
use tempfile::TempDir;
use vendor_model::{ErrorKind, Vendored};

use crate::support::{
    MANIFEST, assert_holds, config, contents, file_url, host_of, manifest, model, times,
    vendor_model,
};

#[test]
fn manifest_and_shards_arrive_under_their_names_and_are_recorded() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    let vendored = vendor_model(host.url("/m/model.json"), dir.path()).unwrap();

    assert_holds(dir.path(), &model());
    let paths: Vec<&str> = vendored.files().iter().map(|file| file.path()).collect();
    assert_eq!(
        paths,
        ["model.json", "group1-shard1of3.bin", "group1-shard2of3.bin", "group1-shard3of3.bin"]
    );
    assert_eq!(vendored.entry(), dir.path().join("model.json"));
    assert_eq!(vendored.total_size(), MANIFEST.len() as u64 + 20);
    assert_eq!((vendored.report().fetched, vendored.report().kept), (4, 0));
    assert_eq!(vendored.files()[1].size(), 8);
    assert_eq!(
        vendored.files()[1].sha256(),
        "924592b9b103f14f833faafb67f480691f01988aa457c0061769f58cd47311bc"
    );
    let record = vendor_model::Lockfile::read(dir.path().join("models.lock")).unwrap();
    assert_eq!(record.models()[0].url(), host.url("/m/model.json"));
    assert_eq!(record.models()[0].format(), "tfjs-graph-model");
}

#[test]
fn a_second_run_opens_no_socket_writes_nothing_and_changes_no_time() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    let url = host.url("/m/model.json");
    vendor_model(&url, dir.path()).unwrap();
    let (before, stamps, connections) =
        (contents(dir.path()), times(dir.path()), host.connections());

    let vendored = vendor_model(&url, dir.path()).unwrap();
    assert_eq!((vendored.report().kept, vendored.report().fetched), (4, 0));
    assert_eq!(host.connections(), connections);
    assert_eq!((contents(dir.path()), times(dir.path())), (before, stamps));
}

#[test]
fn only_what_is_missing_or_damaged_is_fetched_again() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    let url = host.url("/m/model.json");
    vendor_model(&url, dir.path()).unwrap();
    for name in model().keys() {
        for damage in ["missing", "other bytes", "empty", "longer"] {
            let path = dir.path().join(name);
            match damage {
                "missing" => fs::remove_file(&path).unwrap(),
                "other bytes" => fs::write(&path, vec![b'x'; model()[name].len()]).unwrap(),
                "empty" => fs::write(&path, "").unwrap(),
                _ => fs::write(&path, [&model()[name][..], b"more"].concat()).unwrap(),
            }
            host.clear_log();
            let vendored = vendor_model(&url, dir.path()).unwrap();
            let asked: Vec<String> =
                host.requests().into_iter().map(|request| request.path).collect();
            assert_eq!(asked, [format!("/m/{name}")], "{damage}");
            assert_eq!(vendored.report().fetched, 1);
            assert_holds(dir.path(), &model());
        }
    }
}

#[test]
fn a_file_url_reads_the_disk() {
    let source = TempDir::new().unwrap();
    model().iter().for_each(|(name, bytes)| fs::write(source.path().join(name), bytes).unwrap());
    let dir = TempDir::new().unwrap();
    let url = file_url(&source.path().join("model.json"));
    vendor_model(&url, dir.path()).unwrap();
    assert_holds(dir.path(), &model());
    assert_eq!(vendor_model(&url, dir.path()).unwrap().report().kept, 4);
}

#[test]
fn shards_in_directories_and_with_odd_names_keep_them() {
    let paths = ["./a.bin", "sub/dir/b c.bin", "a+b&c=4@,~.bin", "noext"];
    let files = [
        ("/m/a.bin", "a"),
        ("/m/sub/dir/b c.bin", "b"),
        ("/m/a+b&c=4@,~.bin", "c"),
        ("/m/noext", "d"),
    ];
    let host = files.iter().fold(Host::builder(), |host, (path, bytes)| host.file(path, *bytes));
    let host = host.file("/m/model.json", manifest(&paths, 4)).start();
    let dir = TempDir::new().unwrap();
    vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    for (path, bytes) in files {
        assert_eq!(fs::read_to_string(dir.path().join(&path["/m/".len()..])).unwrap(), bytes);
    }
}

#[test]
fn a_shard_that_is_listed_twice_comes_once_and_counts_twice() {
    let host = Host::builder()
        .file("/m/model.json", manifest(&["a", "b", "./a"], 6))
        .file("/m/a", "aa")
        .file("/m/b", "bb")
        .start();
    let dir = TempDir::new().unwrap();
    let vendored = vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    assert_eq!((vendored.files().len(), host.count("/m/a")), (3, 1));
}

#[test]
fn models_without_shards_are_models() {
    for manifest in [
        r#"{"modelTopology": {"node": []}}"#,
        r#"{"weightsManifest": []}"#,
        r#"[{"paths": [], "weights": []}]"#,
    ] {
        let host = Host::builder().file("/m/model.json", manifest).start();
        let dir = TempDir::new().unwrap();
        let vendored = vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
        assert_eq!(vendored.files().len(), 1, "{manifest}");
    }
}

#[test]
fn the_manifest_stays_verbatim() {
    let odd = [
        b"\xef\xbb\xbf{\r\n \"weightsManifest\": [], \"modelTopology\": {\"x\": \"\xff\"}}\r\n\r\n"
            .to_vec(),
    ];
    for bytes in odd {
        let host = Host::builder().file("/m/model.json", bytes.clone()).start();
        let dir = TempDir::new().unwrap();
        let vendored = vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
        assert_eq!(fs::read(vendored.entry()).unwrap(), bytes);
    }
}

#[test]
fn several_shards_are_under_way_at_once_and_never_more_than_asked_for() {
    let names: Vec<String> = (0..8).map(|n| format!("shard{n}")).collect();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    for (asked, expected) in [(None, 6), (Some(1), 1), (Some(3), 3)] {
        let host = names
            .iter()
            .fold(Host::builder(), |host, name| host.file(&format!("/m/{name}"), "body"));
        let host = host
            .file("/m/model.json", manifest(&paths, 32))
            .delay(std::time::Duration::from_millis(150))
            .start();
        let mut config = config();
        asked.map(|n| config.connections(n));
        let dir = TempDir::new().unwrap();
        config.vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
        assert_eq!(
            host.connections(),
            expected,
            "{asked:?}: connections are kept alive from file to file"
        );
    }
}

#[test]
fn extra_files_come_like_shards_and_are_pinned_like_shards() {
    let host = host_of(&model()).file("/m/metadata.json", "{}").require_query("v=2").start();
    let dir = TempDir::new().unwrap();
    let url = host.url("/m/model.json?v=2");
    vendor_model(&url, dir.path()).unwrap();
    let connections = host.requests().len();
    let vendored = config().extra_file("metadata.json").vendor_model(&url, dir.path()).unwrap();
    assert_eq!(vendored.files().last().unwrap().path(), "metadata.json");
    assert_eq!((vendored.report().kept, vendored.report().fetched), (4, 1));
    assert_eq!(host.requests().len(), connections + 1);
}

#[test]
fn an_extra_file_comes_once_and_may_be_what_its_name_says() {
    let host = host_of(&model()).file("/m/icon.svg", "<?xml version=\"1.0\"?><svg/>").start();
    let host_url = host.url("/m/model.json");
    let dir = TempDir::new().unwrap();
    let vendored = config()
        .extra_file("icon.svg")
        .extra_file("./icon.svg")
        .vendor_model(&host_url, dir.path())
        .unwrap();
    assert_eq!((vendored.files().len(), host.count("/m/icon.svg")), (5, 1));
    host.put("/m/labels.txt", "<?xml version=\"1.0\"?><Error/>");
    let error = config().extra_file("labels.txt").vendor_model(&host_url, dir.path()).unwrap_err();
    assert!(error.to_string().contains("it is an XML document"), "{error}");
}

#[test]
fn the_entry_may_be_given_another_name() {
    let host = host_of(&model()).file("/m/", MANIFEST).start();
    let dir = TempDir::new().unwrap();
    let vendored = vendor_model(host.url("/m/"), dir.path().join("a")).unwrap();
    assert_eq!(vendored.files()[0].path(), "model.json");
    let vendored = config()
        .entry_name("digits.json")
        .vendor_model(host.url("/m/model.json"), dir.path().join("b"))
        .unwrap();
    assert_eq!(vendored.entry(), dir.path().join("b/digits.json"));
}

#[test]
fn two_models_share_a_directory_and_the_shards_that_are_alike() {
    let host =
        host_of(&model()).file("/m/model-stride32.json", MANIFEST.replace("[]}", "[1]}")).start();
    let dir = TempDir::new().unwrap();
    vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    vendor_model(host.url("/m/model-stride32.json"), dir.path()).unwrap();
    assert_eq!(contents(dir.path()).len(), 6);
    assert!(Vendored::open(dir.path(), host.url("/m/model.json")).is_ok());
    assert!(Vendored::open(dir.path(), host.url("/m/model-stride32.json")).is_ok());
}

#[test]
fn two_models_that_dispute_a_file_are_refused_by_name() {
    let host = host_of(&model())
        .file("/n/model.json", manifest(&["group1-shard1of3.bin"], 5))
        .file("/n/group1-shard1of3.bin", "other")
        .start();
    let dir = TempDir::new().unwrap();
    vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    let error = vendor_model(host.url("/n/model.json"), dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Path);
    assert!(
        error.to_string().contains(&host.url("/m/model.json"))
            && error.to_string().contains(&host.url("/n/model.json")),
        "{error}"
    );
    assert_holds(dir.path(), &model());
}

#[test]
fn what_an_earlier_run_left_can_be_opened_while_it_is_right() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    let url = host.url("/m/model.json");
    let unknown = Vendored::open(dir.path(), &url).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Lock);
    vendor_model(&url, dir.path()).unwrap();
    let vendored = Vendored::open(dir.path(), &url).unwrap();
    let tensors = vendored.tensors().unwrap();
    assert_eq!(
        tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.len())).collect::<Vec<_>>(),
        [("a", 2), ("b", 0)]
    );
    fs::write(dir.path().join("group1-shard2of3.bin"), "89abcdeX").unwrap();
    assert_eq!(vendored.verify().unwrap_err().kind(), ErrorKind::Digest);
    assert_eq!(Vendored::open(dir.path(), &url).unwrap_err().kind(), ErrorKind::Digest);
    let other = Vendored::open(dir.path(), "https://ann:hunter2@h.example/model.json")
        .unwrap_err()
        .to_string();
    assert!(other.contains(&format!("recorded: {url}")) && !other.contains("hunter2"), "{other}");
}

#[test]
fn files_that_are_not_ours_are_not_touched() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("mine")).unwrap();
    fs::write(dir.path().join("mine/notes.txt"), "keep").unwrap();
    vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("mine/notes.txt")).unwrap(), "keep");
}

#[test]
fn what_a_dead_run_left_behind_is_removed() {
    let host = host_of(&model()).start();
    let dir = TempDir::new().unwrap();
    for left in [".vendor-model-1-0", ".vendor-model-2-0"] {
        fs::create_dir(dir.path().join(left)).unwrap();
    }
    fs::write(dir.path().join(".vendor-model-1-0/lock"), "").unwrap();
    fs::write(dir.path().join(".vendor-model-1-0/3"), "half a shard").unwrap();
    vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    assert_holds(dir.path(), &model());
}

#[test]
fn outside_a_build_script_files_have_the_time_at_which_they_came() {
    let host = host_of(&model()).start();
    let (dir, before) = (TempDir::new().unwrap(), SystemTime::now() - Duration::from_secs(3600));
    let model = vendor_model(host.url("/m/model.json"), dir.path()).unwrap();
    model.write_safetensors(dir.path().join("model.safetensors")).unwrap();
    for (name, time) in times(dir.path()) {
        assert!(time > before, "{name}: servers and browsers would take it for an old one");
    }
}

#[test]
fn a_record_vouches_for_bytes_and_not_for_what_a_manifest_says_of_them() {
    let url = "https://models.example/weights.json";
    let quantized =
        r#""dtype": "float32", "quantization": {"dtype": "uint8", "scale": 1, "min": 0}"#;
    let too_much = format!(r#"{{"name": "w", "shape": [4611686018427387904], {quantized}}}"#);
    let fitting = r#"{"name": "w", "shape": [5], "dtype": "uint8"}"#.to_owned();
    for (weight, pinned, expected) in [
        (too_much, &["weights.json", "w"][..], ErrorKind::Manifest),
        (fitting, &["weights.json"], ErrorKind::Lock),
    ] {
        let dir = TempDir::new().unwrap();
        let manifest = format!(r#"[{{"paths": ["w"], "weights": [{weight}]}}]"#);
        fs::write(dir.path().join("weights.json"), manifest).unwrap();
        fs::write(dir.path().join("w"), "bytes").unwrap();
        let file = |path: &&str| {
            let bytes = fs::read(dir.path().join(path)).unwrap();
            let digest = hex::encode(sha2::Sha256::digest(&bytes));
            format!(r#"{{"path": "{path}", "size": {}, "sha256": "{digest}"}}"#, bytes.len())
        };
        let files = pinned.iter().map(file).collect::<Vec<_>>().join(", ");
        let model = format!(r#"{{"url": "{url}", "format": "tfjs-weights", "files": [{files}]}}"#);
        let lock = format!(r#"{{"version": 1, "models": [{model}]}}"#);
        fs::write(dir.path().join("models.lock"), lock).unwrap();

        let model = Vendored::open(dir.path(), url).unwrap();
        let made = dir.path().join("made");
        assert_eq!(model.tensors().unwrap_err().kind(), expected);
        assert_eq!(model.write_safetensors(&made).unwrap_err().kind(), expected);
        assert!(!made.exists());
    }
}
