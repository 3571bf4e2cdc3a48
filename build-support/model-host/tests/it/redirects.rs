//! From here to there.

use model_host::{Fault, Host};

use crate::client::{Response, get};

fn location(response: &Response) -> Option<&str> {
    assert_eq!(response.status, 302);
    response.header("Location")
}

#[test]
fn a_path_is_redirected_to_a_path_or_a_url() {
    let host = Host::builder()
        .redirect("/latest.json", "/v2/model.json")
        .redirect("/away.json", "https://elsewhere.test/model.json?signature=1")
        .start();
    assert_eq!(location(&get(&host, "/latest.json?x=1")), Some("/v2/model.json"));
    let away = get(&host, "/away.json");
    assert_eq!(location(&away), Some("https://elsewhere.test/model.json?signature=1"));
    assert_eq!(get(&host, "/latest.json/deeper").status, 404);
}

#[test]
fn redirects_may_go_round_in_a_circle() {
    let host = Host::builder().redirect("/a", "/b").redirect("/b", "/a").start();
    assert_eq!(location(&get(&host, "/a")), Some("/b"));
    assert_eq!(location(&get(&host, "/b")), Some("/a"));
}

#[test]
fn a_redirect_may_be_of_any_kind() {
    for status in [301, 303, 307, 308] {
        let fault = Fault::status(status).header("Location", "http://elsewhere.test/a");
        let answer = get(&Host::builder().fault("/a", fault).start(), "/a");
        assert_eq!(
            (answer.status, answer.header("Location")),
            (status, Some("http://elsewhere.test/a"))
        );
    }
}

#[test]
fn everything_beneath_a_prefix_is_redirected_with_the_rest_appended() {
    let host = Host::builder()
        .redirect("/m/", "/store/")
        .redirect("/m/2/", "https://elsewhere.test/two/")
        .file("/m/kept.bin", "kept")
        .start();
    assert_eq!(location(&get(&host, "/m/1/a%20b.bin?x=1")), Some("/store/1/a%20b.bin"));
    assert_eq!(location(&get(&host, "/m/2/a.bin")), Some("https://elsewhere.test/two/a.bin"));
    assert_eq!(get(&host, "/m/kept.bin").body, b"kept");
}
