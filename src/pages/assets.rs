//! Style, scripts and picture: files of ours inside the program, at addresses that name their content.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use ring::digest;
use std::sync::LazyLock;

use crate::record::ids::hex;

struct Asset {
    stem: &'static str,
    extension: &'static str,
    kind: &'static str,
    text: &'static str,
}

const CSS: Asset = Asset {
    stem: "till",
    extension: "css",
    kind: "text/css; charset=utf-8",
    text: include_str!("assets/till.css"),
};
const LIVE: Asset = Asset {
    stem: "live",
    extension: "js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("assets/live.js"),
};
const PRESS: Asset = Asset {
    stem: "press",
    extension: "js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("assets/press.js"),
};
const ICON: Asset =
    Asset { stem: "icon", extension: "svg", kind: "image/svg+xml", text: include_str!("assets/icon.svg") };

/// File names, each with the first bytes of its content's hash: a new build has new addresses, so a
/// browser may keep what it has for good.
static NAMES: LazyLock<[(String, Asset); 4]> = LazyLock::new(|| {
    [CSS, LIVE, PRESS, ICON].map(|asset| {
        let hash = digest::digest(&digest::SHA256, asset.text.as_bytes());
        (format!("{}.{}.{}", asset.stem, hex(&hash.as_ref()[..6]), asset.extension), asset)
    })
});

/// One file.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let found = NAMES.iter().find(|(own, _)| *own == name);
    let response = match found {
        Some((_, asset)) => {
            let forever = "public, max-age=31536000, immutable";
            ([(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, forever)], asset.text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    };
    std::future::ready(response).await
}

/// What every page's frame needs: addresses of files, and what its scripts start from.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) css: String,
    pub(super) icon: String,
    pub(super) live_js: String,
    pub(super) press_js: String,
    /// The stream to listen to; empty on pages that stand still.
    pub(super) live: String,
    /// The page's own id for the next press.
    pub(super) command: String,
    /// Now, Unix milliseconds.
    pub(super) now_ms: i64,
}

impl Frame {
    /// The frame of a page that does not follow the till.
    pub(super) fn still() -> Self {
        let [css, live, press, icon] = &*NAMES;
        let at = |name: &str| format!("/assets/{name}");
        Self {
            css: at(&css.0),
            icon: at(&icon.0),
            live_js: at(&live.0),
            press_js: at(&press.0),
            live: String::new(),
            command: String::new(),
            now_ms: 0,
        }
    }
}
