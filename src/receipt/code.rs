//! What stands on the slip with a code that a phone scans to pay. It is no receipt: nothing is paid by it yet.

use super::of::local;
use crate::bundle::Bundle;
use crate::money::Money;
use crate::record::Moment;
use crate::record::ids::IntentId;
use crate::sale::Sale;

/// A slip with a code to pay by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeSlip {
    /// The shop's name.
    pub shop: String,
    /// What it asks for.
    pub amount: Money,
    /// What a phone reads.
    pub text: String,
    /// The wallet whose app scans it: `alipay`, `wechat`; none where the page lets the phone choose.
    pub wallet: Option<&'static str>,
    /// Local time of its end, `12:56`: it is minutes away.
    pub until: String,
}

impl CodeSlip {
    /// The slip of a payment whose code is shown. None once that is over.
    pub fn of(sale: &Sale, intent: IntentId, bundle: &Bundle) -> Option<Self> {
        let intent = sale.intent(intent).filter(|intent| intent.state.awaits_answer())?;
        let open_ms = intent.settle_by.monotonic_ms.saturating_sub(intent.drawn.monotonic_ms);
        let wall_ms = intent.drawn.wall_ms.saturating_add(i64::try_from(open_ms).ok()?);
        Some(Self {
            shop: bundle.content.shop.name.clone(),
            amount: intent.amount,
            text: intent.code.clone()?,
            wallet: Some(intent.provider.word()).filter(|_| !intent.is_order()),
            until: local(Moment { wall_ms, ..intent.drawn }, &bundle.zone).split(' ').next_back()?.to_owned(),
        })
    }
}
