//! Carries notices to merchants, and wakes for customers whose time comes.
//!
//! Deliberately not here: what is told and when again; `notices` decides.

use std::{sync::Arc, time::Duration};

use super::{
    notices::{Notice, PATIENCE_MS},
    server::Host,
};

/// The longest nap while something is due later: the clock is handed in, and may be moved.
const NAP_MS: i64 = 250;
/// The shortest nap, so that a clock that stands still is no busy loop.
const BLINK_MS: i64 = 10;
/// What is read of a merchant's reply; `success` has seven bytes.
const MAX_REPLY: usize = 1_024;

/// Works until the gateway stops.
pub(super) async fn run(host: Arc<Host>) {
    let mut stop = host.stop.clone();
    loop {
        let next = host.aside(|gateway, now_ms| (gateway.next_act_ms(now_ms), now_ms)).await;
        let Some((next, now_ms)) = next else { return };
        let nap = match next {
            Ok(Some(at)) if at <= now_ms => Duration::ZERO,
            Ok(Some(at)) => Duration::from_millis((at - now_ms).clamp(BLINK_MS, NAP_MS).unsigned_abs()),
            Ok(None) => Duration::MAX,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the ledger failed under notifications"
                );
                Duration::from_millis(NAP_MS.unsigned_abs())
            }
        };
        if nap > Duration::ZERO {
            tokio::select! {
                () = host.bell.notified() => {}
                () = sleep(nap) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
        if *stop.borrow() {
            return;
        }
        deliver(&host).await;
    }
}

async fn sleep(nap: Duration) {
    if nap == Duration::MAX { std::future::pending().await } else { tokio::time::sleep(nap).await }
}

/// Sends what is due, all at once; returns when each was answered or not.
pub(super) async fn deliver(host: &Arc<Host>) {
    let due = host.aside(|gateway, now_ms| gateway.notices(now_ms)).await;
    let due = match due {
        Some(Ok(due)) => due,
        Some(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the ledger failed under notifications");
            return;
        }
        None => return,
    };
    let mut sending = tokio::task::JoinSet::new();
    for notice in due {
        // A notice that is late keeps nobody waiting.
        if notice.delay_ms > 0 {
            let late = Arc::clone(host);
            host.spawn(async move {
                if late.pause(notice.delay_ms).await.is_some() {
                    carry(&late, notice).await;
                }
            });
            continue;
        }
        let host = Arc::clone(host);
        sending.spawn(async move { carry(&host, notice).await });
    }
    while sending.join_next().await.is_some() {}
}

async fn carry(host: &Arc<Host>, notice: Notice) {
    let mut stop = host.stop.clone();
    for _ in 0..notice.copies.max(1) {
        let reply = tokio::select! {
            reply = post(&notice) => reply,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let notice = notice.clone();
        let noted = host.aside(move |gateway, now_ms| {
            let reply = reply.as_ref().map(|(status, body)| (*status, body.as_slice()));
            gateway.noticed(&notice, reply, now_ms)
        });
        if let Some(Err(error)) = noted.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a merchant's reply was not written down"
            );
        }
    }
}

/// The merchant's reply, if there was one in time.
async fn post(notice: &Notice) -> Option<(u16, Vec<u8>)> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_millis(PATIENCE_MS))
        .build()
        .ok()?;
    let mut request = client.post(&notice.url).body(notice.request.body.clone());
    for (name, value) in &notice.request.headers {
        request = request.header(name, value);
    }
    let mut response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_REPLY {
            break;
        }
    }
    Some((status, body))
}
