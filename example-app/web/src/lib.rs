//! What the browser gets: the page, and the TensorFlow.js runtime where `npm ci` has brought it.

/// One file of the page, under the path that the browser asks for.
pub struct Asset {
    pub path: &'static str,
    pub media_type: &'static str,
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";

pub static PAGE: &[Asset] = &[
    asset("/", HTML, include_bytes!("../page/index.html")),
    asset("/style.css", STYLE, include_bytes!("../page/style.css")),
    asset("/icon.svg", ICON, include_bytes!("../page/icon.svg")),
    asset("/app.js", SCRIPT, include_bytes!("../page/app.js")),
    asset("/digits.js", SCRIPT, include_bytes!("../page/digits.js")),
    asset("/glyphs.js", SCRIPT, include_bytes!("../page/glyphs.js")),
    asset("/inspector.js", SCRIPT, include_bytes!("../page/inspector.js")),
    asset("/manifest.js", SCRIPT, include_bytes!("../page/manifest.js")),
    asset("/pad.js", SCRIPT, include_bytes!("../page/pad.js")),
    asset("/strokes.js", SCRIPT, include_bytes!("../page/strokes.js")),
    asset("/text.js", SCRIPT, include_bytes!("../page/text.js")),
    asset("/vendored.js", SCRIPT, include_bytes!("../page/vendored.js")),
];

/// npm's `@tensorflow/tfjs`: `None` until `npm ci` has been run in this package's directory.
/// The build as an ES module, which never evaluates a string, so that the policy need not allow it.
#[cfg(runtime)]
pub static RUNTIME: Option<Asset> = Some(asset("/tf.min.js", SCRIPT, {
    include_bytes!("../node_modules/@tensorflow/tfjs/dist/tf.fesm.min.js")
}));
#[cfg(not(runtime))]
pub static RUNTIME: Option<Asset> = None;

const fn asset(path: &'static str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { path, media_type, bytes }
}
