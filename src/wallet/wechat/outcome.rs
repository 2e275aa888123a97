//! What WeChat Pay's signed fields say about the money, checked against what was asked.
//!
//! **Invariant:** nothing is approved, ended or refunded whose number, merchant and amount are not the ones asked
//! for. The wallet signs for every merchant with the same key, so an answer must name this one.
//!
//! Not here: codes (their table stands by itself), signatures, HTTP.

use super::approval::approved;
use super::clipped;
use super::codes::{Method, Ruling, State, rule, state};
use super::response::{Fields, Spoken};
use crate::money::Money;
use crate::wallet::{
    Advice, Answer, CancelAction, CancelAnswer, Decline, Doubt, OrderNumber, PrecreateAnswer, RefundAnswer,
    RefundRequest,
};

/// Which order an answer must be about, and whose.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) merchant_id: &'a str,
    pub(super) order: &'a OrderNumber,
}

/// The answer to a pay code.
pub(super) fn pay(spoken: &Spoken, asked: Asked<'_>, total: Money) -> Answer {
    match refusal(Method::Pay, spoken) {
        None => about_order(&spoken.fields, asked, total),
        Some(ruling) => match (mismatch(&spoken.fields, asked, Naming::Optional), ruling) {
            (Some(doubt), _) => Answer::Unsure(doubt),
            (None, Ruling::InProcess) => Answer::Pending,
            (None, Ruling::Declined(advice)) => Answer::Declined(decline(&spoken.fields, advice)),
            (None, Ruling::Closed) => Answer::Closed,
            (None, Ruling::NotFound | Ruling::Retry | Ruling::Unknown) => Answer::Unsure(unclear(spoken)),
        },
    }
}

/// The answer to a question about an order.
pub(super) fn query(spoken: &Spoken, asked: Asked<'_>, total: Money) -> Answer {
    match refusal(Method::Query, spoken) {
        None => about_order(&spoken.fields, asked, total),
        Some(Ruling::NotFound) => Answer::NotFound,
        Some(Ruling::InProcess | Ruling::Declined(_) | Ruling::Closed | Ruling::Retry | Ruling::Unknown) => {
            Answer::Unsure(unclear(spoken))
        }
    }
}

/// What an order asked for, whatever became of it since.
///
/// # Errors
/// What the refund that wanted to know it is answered with.
pub(super) fn total(spoken: &Spoken, asked: Asked<'_>) -> Result<i64, RefundAnswer> {
    let not_sent = |why: String| Err(RefundAnswer::NotSent { why });
    match refusal(Method::Query, spoken) {
        None => {}
        Some(Ruling::NotFound) => {
            return Err(RefundAnswer::Declined(decline(&spoken.fields, Advice::TellShop)));
        }
        Some(Ruling::InProcess | Ruling::Declined(_) | Ruling::Closed | Ruling::Retry | Ruling::Unknown) => {
            return not_sent(unclear(spoken).why);
        }
    }
    if let Some(doubt) = mismatch(&spoken.fields, asked, Naming::Required) {
        return not_sent(doubt.why);
    }
    match spoken.fields.amount.total {
        Some(fen) if fen > 0 => Ok(fen),
        Some(_) | None => not_sent("the wallet did not say the order's total".to_owned()),
    }
}

/// What a trade's fields say, in an answer or in a notification.
pub(super) fn about_order(fields: &Fields, asked: Asked<'_>, total: Money) -> Answer {
    let Some(stated) = fields.trade_state.as_deref() else {
        return Answer::Unsure(Doubt { why: "the answer has no trade_state".to_owned() });
    };
    let state = state(stated);
    // While the customer types the password, an answer may be the state and nothing else.
    let naming = if state == State::Waiting { Naming::Optional } else { Naming::Required };
    if let Some(doubt) = mismatch(fields, asked, naming) {
        return Answer::Unsure(doubt);
    }
    let said = || clipped(fields.trade_state_desc.as_deref().unwrap_or(""));
    match state {
        State::Paid => approved(fields, total),
        State::Waiting => Answer::Pending,
        State::Over => Answer::Closed,
        State::Failed => Answer::Unsure(Doubt {
            why: format!("the wallet says that the payment failed and asks to take it back: {}", said()),
        }),
        State::Strange => Answer::Unsure(Doubt { why: format!("unknown trade_state {}", clipped(stated)) }),
    }
}

/// The answer to an order that the customer is to scan.
pub(super) fn native(spoken: &Spoken) -> PrecreateAnswer {
    opened(spoken, spoken.fields.code_url.as_deref(), |code_url| Ok(code_url.to_owned()))
}

/// The answer to an order that a phone opens in WeChat, by values that are made from its id.
pub(super) fn jsapi(spoken: &Spoken, window: impl Fn(&str) -> Result<String, String>) -> PrecreateAnswer {
    opened(spoken, spoken.fields.prepay_id.as_deref(), window)
}

/// The answer to an order that a phone opens elsewhere.
pub(super) fn h5(spoken: &Spoken) -> PrecreateAnswer {
    opened(spoken, spoken.fields.h5_url.as_deref(), |h5_url| Ok(h5_url.to_owned()))
}

fn opened(
    spoken: &Spoken,
    by: Option<&str>,
    text: impl Fn(&str) -> Result<String, String>,
) -> PrecreateAnswer {
    match refusal(Method::Native, spoken) {
        None => match by.filter(|by| !by.is_empty()).map(text) {
            Some(Ok(qr_text)) => PrecreateAnswer::Ready { qr_text },
            Some(Err(why)) => PrecreateAnswer::Unsure(Doubt { why }),
            None => PrecreateAnswer::Unsure(Doubt { why: "the answer has nothing to open".to_owned() }),
        },
        Some(Ruling::Declined(advice)) => PrecreateAnswer::Declined(decline(&spoken.fields, advice)),
        Some(Ruling::Closed) => PrecreateAnswer::Declined(decline(&spoken.fields, Advice::TellShop)),
        Some(Ruling::InProcess | Ruling::NotFound | Ruling::Retry | Ruling::Unknown) => {
            PrecreateAnswer::Unsure(unclear(spoken))
        }
    }
}

/// The answer to a reverse. The wallet does not say whether the order had been paid; what was paid goes back.
pub(super) fn reverse(spoken: &Spoken, asked: Asked<'_>) -> CancelAnswer {
    let Some(ruling) = refusal(Method::Reverse, spoken) else {
        if spoken.fields.recall.as_deref() == Some("Y") {
            return CancelAnswer::Retry;
        }
        // An answer without a body, as the older manual has it, names nothing.
        let naming = if spoken.status == 204 { Naming::Optional } else { Naming::Required };
        return match mismatch(&spoken.fields, asked, naming) {
            Some(doubt) => CancelAnswer::Unsure(doubt),
            None => CancelAnswer::Cancelled { action: CancelAction::Ended },
        };
    };
    ended(spoken, ruling, CancelAction::Ended)
}

/// The answer to closing an order that nobody has paid. The wallet says yes to numbers that it does not know.
pub(super) fn close(spoken: &Spoken) -> CancelAnswer {
    match refusal(Method::Close, spoken) {
        None => CancelAnswer::Cancelled { action: CancelAction::Closed },
        Some(ruling) => ended(spoken, ruling, CancelAction::Closed),
    }
}

fn ended(spoken: &Spoken, ruling: Ruling, already: CancelAction) -> CancelAnswer {
    match ruling {
        Ruling::NotFound => CancelAnswer::Cancelled { action: CancelAction::Nothing },
        Ruling::Closed => CancelAnswer::Cancelled { action: already },
        Ruling::Retry | Ruling::InProcess => CancelAnswer::Retry,
        Ruling::Declined(advice) => CancelAnswer::Declined(decline(&spoken.fields, advice)),
        Ruling::Unknown => CancelAnswer::Unsure(unclear(spoken)),
    }
}

/// The answer to a refund, or to a question about one: both say how far it is.
pub(super) fn refund(spoken: &Spoken, method: Method, request: &RefundRequest) -> RefundAnswer {
    match refusal(method, spoken) {
        None => about_refund(&spoken.fields, request),
        Some(Ruling::Declined(advice)) => RefundAnswer::Declined(decline(&spoken.fields, advice)),
        Some(Ruling::NotFound) => RefundAnswer::NotFound,
        Some(Ruling::InProcess | Ruling::Closed | Ruling::Retry | Ruling::Unknown) => {
            RefundAnswer::Unsure(unclear(spoken))
        }
    }
}

/// What a refund's fields say. An abnormal one stopped on its way to the customer's card; the merchant platform
/// has a form to send it elsewhere.
pub(super) fn about_refund(fields: &Fields, request: &RefundRequest) -> RefundAnswer {
    let doubt = |why: String| RefundAnswer::Unsure(Doubt { why });
    if fields.out_refund_no.as_deref() != Some(request.refund.as_str()) {
        return doubt("the answer is about another refund".to_owned());
    }
    if fields.out_trade_no.as_deref().is_some_and(|order| order != request.order.as_str()) {
        return doubt("the answer is about another order".to_owned());
    }
    if fields.amount.refund != Some(request.amount.minor) {
        return doubt(format!("the wallet speaks of another amount than the {} asked for", request.amount));
    }
    let refused = |words: &str, code: &str| {
        RefundAnswer::Declined(Decline {
            code: code.to_owned(),
            advice: Advice::TellShop,
            message: words.to_owned(),
            left: None,
        })
    };
    match fields.status.as_deref().or(fields.refund_status.as_deref()) {
        Some("SUCCESS") => RefundAnswer::Refunded,
        Some("PROCESSING") => RefundAnswer::Pending,
        Some("CLOSED") => refused("退款关闭", "CLOSED"),
        Some("ABNORMAL") => refused("退款异常，请到商户平台处理", "ABNORMAL"),
        Some(other) => doubt(format!("unknown refund status {}", clipped(other))),
        None => doubt("the answer has no status".to_owned()),
    }
}

/// Nothing for a success. A code in the body is a refusal, whatever the unsigned status says.
fn refusal(method: Method, spoken: &Spoken) -> Option<Ruling> {
    let code = spoken.fields.code.as_deref().unwrap_or("");
    let success = matches!(spoken.status, 200..=299) && code.is_empty();
    (!success).then(|| rule(method, spoken.status, code))
}

/// Whether an answer has to say what it is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Required,
    Optional,
}

fn mismatch(fields: &Fields, asked: Asked<'_>, naming: Naming) -> Option<Doubt> {
    let named = [
        (fields.out_trade_no.as_deref(), asked.order.as_str(), "order"),
        (fields.mchid.as_deref(), asked.merchant_id, "merchant"),
    ];
    named.into_iter().find_map(|(stated, expected, what)| match stated {
        Some(stated) if stated == expected => None,
        Some(_) => Some(Doubt { why: format!("the answer is about another {what}") }),
        None if naming == Naming::Required => Some(Doubt { why: format!("the answer names no {what}") }),
        None => None,
    })
}

fn unclear(spoken: &Spoken) -> Doubt {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let (code, message) = (text(&spoken.fields.code), text(&spoken.fields.message));
    Doubt { why: clipped(&format!("HTTP status {} {code} {message}", spoken.status)) }
}

fn decline(fields: &Fields, advice: Advice) -> Decline {
    Decline {
        code: clipped(fields.code.as_deref().unwrap_or("")),
        advice,
        message: clipped(fields.message.as_deref().unwrap_or("")),
        left: None,
    }
}

#[cfg(test)]
mod tests;
