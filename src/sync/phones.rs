//! What phones need that pay while the cloud is silent: the address under which they open an order, and the key for the
//! digits that their owners read out.
//!
//! The cloud tells both to this till alone, over a signed request; they are kept with the pairing, for the day on which
//! they are needed is one on which they cannot be asked for. Not here: using them (`orders`, `counter`).

use super::Around;
use super::pairing::{self, PhonesKept};
use std::sync::Arc;
use std::time::Duration;

/// How often they are asked for while the line is up.
const EVERY_MS: i64 = 3_600_000;

/// When they were last asked for.
#[derive(Default)]
pub(super) struct Asked(Option<i64>);

/// Asks for them once an hour. A cloud that does not know the question leaves what is there.
pub(super) async fn refresh(around: &Around, asked: &mut Asked) {
    let now_ms = (around.doors.now)();
    if asked.0.is_some_and(|at_ms| (0..EVERY_MS).contains(&now_ms.saturating_sub(at_ms))) {
        return;
    }
    let told: Result<PhonesKept, _> = around.cloud.get(&around.path("phones"), Duration::ZERO).await;
    let kept = match told {
        Ok(kept) => kept,
        Err(error) => {
            tracing::debug!(%error, "The cloud does not say how phones pay while it is silent.");
            // A line that broke is asked again with the next round; a no is a no for an hour.
            if let super::http::Failure::Refused(_) | super::http::Failure::Strange(_) = error {
                asked.0 = Some(now_ms);
            }
            return;
        }
    };
    asked.0 = Some(now_ms);
    let Some(phones) = kept.open() else {
        tracing::warn!(
            "The cloud's address for phones fits no code: while it is silent no code can be shown."
        );
        return;
    };
    if let Err(error) = pairing::keep_phones(around, kept).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "The edge store cannot be written.");
    }
    around.doors.board.phones.send_if_modified(|known| {
        let news = known.as_deref() != Some(&phones);
        if news {
            *known = Some(Arc::new(phones));
        }
        news
    });
}
