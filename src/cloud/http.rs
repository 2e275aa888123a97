//! The cloud's one listener: tills, phones and head office, each with routes of its own.

use super::problem::{self as problems, Problem};
use super::{Cloud, desk, notify, office, tills};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, extract::DefaultBodyLimit};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The longest form of a phone: a coupon's text and a few numbers.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// What pages may load: our own files and nothing else; wallets are gone to by a redirect after a form.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; frame-ancestors 'self' http://127.0.0.1:* \
                           http://localhost:*";

pub(crate) async fn serve(listener: TcpListener, cloud: Arc<Cloud>) {
    let until = {
        let cloud = Arc::clone(&cloud);
        async move { cloud.stopping().await }
    };
    let service = router(cloud).into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(until).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the cloud stopped listening");
    }
}

pub(crate) fn router(cloud: Arc<Cloud>) -> Router {
    let pages = desk::routes().merge(office::routes()).layer(map_response(harden));
    Router::new()
        .merge(tills::routes().layer(map_response(problems::told)))
        .merge(notify::routes())
        .merge(pages)
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .fallback(|| async { Problem::not_found("There is nothing at this address.") })
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(cloud)
}

async fn ready(State(cloud): State<Arc<Cloud>>) -> Response {
    match cloud.store.bundle_version().await {
        Ok(_) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response(),
    }
}

async fn harden(mut response: Response) -> Response {
    let fields: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fields {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
