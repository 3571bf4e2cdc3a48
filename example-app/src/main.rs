//! An offline web app: one executable that holds a page, the TensorFlow.js runtime and a model, and serves them on
//! loopback. The model is what `build.rs` vendored; nothing is read from disk and nothing is asked of the network.

use std::env;
use std::error::Error;
use std::io::Write;
use std::net::Ipv4Addr;

use axum::extract::{Path, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use page::Asset;
use serde_json::{Value, json};
use tokio::net::TcpListener;

mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    if model::PLACEHOLDER {
        return Err(
            "built with VENDOR_MODEL_SKIP, so without its model: build again without it".into()
        );
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port()?)).await?;
    writeln!(std::io::stdout(), "http://{}/", listener.local_addr()?)?;
    axum::serve(listener, app()).await?;
    Ok(())
}

/// `PORT`, or any free one.
fn port() -> Result<u16, Box<dyn Error>> {
    match env::var("PORT") {
        Ok(port) => port.parse().map_err(|error| format!("PORT={port:?}: {error}").into()),
        Err(_) => Ok(0),
    }
}

fn app() -> Router {
    let mut app = Router::new();
    for asset in page::PAGE.iter().chain(&page::RUNTIME) {
        app = app.route(asset.path, get(async || serve(asset)));
    }
    app.route("/model/{*path}", get(model_file))
        .route("/vendored.json", get(async || Json(vendored())))
        .layer(middleware::from_fn(keep_inside))
}

fn serve(asset: &'static Asset) -> Response {
    ([(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, "no-cache")], asset.bytes).into_response()
}

async fn model_file(Path(path): Path<String>, asked: HeaderMap) -> Response {
    let Some(file) = model::get(&path) else {
        return (StatusCode::NOT_FOUND, format!("the model has no file {path:?}\n"))
            .into_response();
    };
    let etag = format!("\"{}\"", file.sha256);
    if asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
    }
    let headers =
        [(CONTENT_TYPE, file.media_type.into()), (CACHE_CONTROL, "no-cache".into()), (ETAG, etag)];
    (headers, file.bytes).into_response()
}

/// What the page says about the model: the facts of `models.lock`, as the executable carries them.
fn vendored() -> Value {
    json!({
        "url": model::URL,
        "entry": model::ENTRY,
        "files": model::FILES.iter().map(facts).collect::<Vec<_>>(),
        "runtime": page::RUNTIME.as_ref().map(|runtime| json!({ "path": runtime.path })),
    })
}

fn facts(file: &model::File) -> Value {
    json!({ "path": file.path, "size": file.size, "sha256": file.sha256 })
}

/// The promise in writing: the browser itself refuses what is not from this address.
async fn keep_inside(request: Request, next: Next) -> Response {
    const POLICY: &str =
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
