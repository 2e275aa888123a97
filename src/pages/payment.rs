//! A payment on the cashier's page: where it stands in words, and the one safe thing to do; and the notes
//! that a customer is likely to hand over.

use super::voice::Voice;
use crate::inbox::LinkState;
use crate::locales::{self, Lang, Msg};
use crate::money::Money;
use crate::paper;
use crate::record::ids::IntentId;
use crate::record::money_moves::Heard;
use crate::view::{PaymentView, Phase, SafeAct, SaleView};

/// Quick notes beside the exact amount.
const NOTES_MAX: usize = 3;

/// What the page says of the last payment.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Panel {
    pub(super) mark: &'static str,
    pub(super) heading: &'static str,
    pub(super) words: String,
    pub(super) safe: &'static str,
    /// Whether a clock runs.
    pub(super) running: bool,
    /// Whether giving it up can be asked for.
    pub(super) cancellable: bool,
    pub(super) since_ms: i64,
    pub(super) elapsed: String,
    pub(super) intent: IntentId,
    pub(super) amount: Money,
    /// Whether it is a code that the till shows.
    pub(super) is_code: bool,
    /// The code that a phone scans, drawn, and when it ends.
    pub(super) code: Option<String>,
    pub(super) until_ms: i64,
    pub(super) remaining: String,
    /// What can be taken of the payer's money, where it was too little for all.
    pub(super) left: Option<Money>,
    /// Whether the digits of a phone can be typed.
    pub(super) digits: bool,
    /// What to say of digits that were wrong.
    pub(super) mistyped: Option<String>,
}

/// The panel for a sale's last payment; none where there is nothing to say.
pub(super) fn panel(sale: &SaleView, v: &Voice, now_ms: i64, line: LinkState) -> Option<Panel> {
    if !matches!(sale.phase, Phase::Tender | Phase::Paying) {
        return None;
    }
    let payment = sale.payments.last()?;
    let scans = payment.lets_scan();
    let (mark, heading) = match (payment.state, payment.carrier) {
        ("drawn" | "pending", _) if scans => ("wait", Msg::LetScan),
        ("drawn" | "pending", _) => ("wait", Msg::Paying),
        ("unsure", _) => ("warn", Msg::PayingUnsure),
        ("cancelling" | "cancel_unsure", _) => ("warn", Msg::PayingBack),
        ("declined", _) => ("bad", Msg::PaymentDeclined),
        ("cancelled" | "tombstoned" | "abandoned" | "resolved", _) => ("calm", Msg::PaymentTakenBack),
        ("paid_late", _) => ("warn", Msg::PaymentTakenBack),
        ("approved", _) => ("good", Msg::PartPaid),
        _ => return None,
    };
    let left = payment.left.filter(|left| left.is_positive() && payment.state == "declined");
    // What there is was chosen as the next part: the member's code takes it.
    let chosen = left.filter(|left| sale.part == Some(*left));
    let running = matches!(payment.state, "drawn" | "pending" | "unsure" | "cancelling" | "cancel_unsure");
    let unheard = payment.heard == Heard::ByNobody || line == LinkState::Offline;
    let digits_taken = unheard && payment.tries_left.is_some_and(|left| left > 0);
    let mistyped = payment.tries_left.filter(|_| payment.mistyped > 0).map(|left| match left {
        0 => v.say(Msg::DigitsNoMore).to_owned(),
        left => v.with(Msg::DigitsWrong, left),
    });
    Some(Panel {
        mark,
        heading: v.say(heading),
        words: match chosen {
            Some(left) => v.with(Msg::ScanMemberNow, v.money(&left)),
            None => words(payment, v),
        },
        safe: v.say(safe(payment.safe)),
        running,
        cancellable: matches!(payment.state, "drawn" | "pending" | "unsure"),
        since_ms: payment.drawn_ms,
        elapsed: clock(now_ms.saturating_sub(payment.drawn_ms)),
        intent: payment.intent,
        amount: payment.amount,
        is_code: payment.carrier == "code",
        code: payment.code.as_deref().and_then(paper::svg),
        until_ms: payment.until_ms,
        remaining: clock(payment.until_ms.saturating_sub(now_ms)),
        left: left.filter(|_| chosen.is_none()),
        digits: digits_taken,
        mistyped,
    })
}

/// The one safe thing to do, as a sentence.
fn safe(act: SafeAct) -> Msg {
    match act {
        SafeAct::Wait => Msg::SafeWait,
        SafeAct::WaitAndAsk => Msg::SafeAsk,
        SafeAct::WaitForPhone => Msg::SafePhone,
        SafeAct::LetScan => Msg::SafeScan,
        SafeAct::ScanProof => Msg::SafeProof,
        SafeAct::Split => Msg::SafeSplit,
        SafeAct::WaitTakenBack => Msg::SafeBack,
        SafeAct::CallManager => Msg::SafeCall,
        SafeAct::NewCode => Msg::SafeAgain,
        SafeAct::OtherMeans => Msg::SafeOther,
        SafeAct::TellManager => Msg::SafeTell,
        SafeAct::TryAgain => Msg::SafeRetry,
        SafeAct::AnyTender => Msg::SafeNothing,
        SafeAct::GoesBack => Msg::SafeGoesBack,
        SafeAct::Paid => Msg::SafeRest,
    }
}

/// The core's sentence in English; its translation where the state has a fixed one.
fn words(payment: &PaymentView, v: &Voice) -> String {
    if let Some(left) = payment.left {
        return v.with(Msg::TooLittleLeft, v.money(&left));
    }
    if v.lang == Lang::En {
        return payment.words.clone();
    }
    let fixed = match (payment.state, payment.carrier) {
        ("drawn", "code") if payment.code.is_none() => Msg::PayCodeReady,
        ("drawn" | "pending", "code") if payment.safe == SafeAct::ScanProof => Msg::PayUnheard,
        ("drawn" | "pending", "code") if payment.safe == SafeAct::LetScan => Msg::PayCodeShown,
        ("pending", "code" | "order") => Msg::PayPhone,
        ("drawn", "order") => Msg::PayPhone,
        ("drawn", _) => Msg::PayDrawn,
        ("pending", _) => Msg::PayPending,
        ("unsure", _) => Msg::PayUnsure,
        ("cancelling", _) => Msg::PayCancelling,
        ("cancel_unsure", _) => Msg::PayCancelUnsure,
        ("cancelled" | "tombstoned", _) => Msg::PayCancelled,
        ("abandoned", _) => Msg::PayAbandoned,
        ("paid_late", _) => Msg::PayLate,
        ("resolved", _) => Msg::PayResolved,
        ("approved", _) => Msg::PartPaid,
        // A wallet's no comes in the wallet's own words.
        _ => return locales::wallet(&payment.words, v.lang),
    };
    v.say(fixed).to_owned()
}

/// `0:07`, as the page's script goes on counting.
pub(super) fn clock(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// The exact amount, then the next round sums that notes make, smallest first.
pub(super) fn notes(due: Money) -> Vec<Money> {
    let mut notes = vec![due];
    if !due.is_positive() {
        return notes;
    }
    // Steps of 5, 10, 20, 50, 100 … major units from about a tenth of the amount on.
    let mut step = due.currency.minor_per_major();
    while step <= due.minor / 20 {
        step = step.saturating_mul(10);
    }
    for factor in [5, 10, 20, 50, 100] {
        let Some(step) = step.checked_mul(factor) else { break };
        let Some(round) = due.minor.checked_add(step - 1).map(|up| up / step * step) else { break };
        let note = Money::new(round, due.currency);
        if notes.last().is_some_and(|last| *last < note) && notes.len() <= NOTES_MAX {
            notes.push(note);
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn each_safe_act_is_a_sentence_of_its_own_in_both_languages() {
        let all = [
            SafeAct::Wait,
            SafeAct::WaitAndAsk,
            SafeAct::WaitForPhone,
            SafeAct::LetScan,
            SafeAct::ScanProof,
            SafeAct::Split,
            SafeAct::WaitTakenBack,
            SafeAct::CallManager,
            SafeAct::NewCode,
            SafeAct::OtherMeans,
            SafeAct::TellManager,
            SafeAct::TryAgain,
            SafeAct::AnyTender,
            SafeAct::GoesBack,
            SafeAct::Paid,
        ];
        for lang in [Lang::En, Lang::ZhHans] {
            let said: std::collections::BTreeSet<&str> = all.map(|act| safe(act).text(lang)).into();
            assert_eq!(said.len(), all.len(), "{lang:?}");
        }
    }

    #[test]
    fn quick_notes_are_the_next_round_sums() {
        let minor = |minor: i64, currency: Currency| -> Vec<i64> {
            notes(Money::new(minor, currency)).iter().map(|note| note.minor).collect()
        };
        assert_eq!(minor(1280, Currency::CNY), [1280, 1500, 2000, 5000]);
        assert_eq!(minor(350, Currency::CNY), [350, 500, 1000, 2000]);
        assert_eq!(minor(12_800, Currency::CNY), [12_800, 15_000, 20_000, 50_000]);
        assert_eq!(minor(1280, Currency::JPY), [1280, 1500, 2000, 5000]);
        assert_eq!(minor(10_000, Currency::CNY), [10_000, 20_000, 50_000, 100_000]);
        assert_eq!(minor(0, Currency::CNY), [0]);
        assert_eq!(minor(i64::MAX, Currency::CNY), [i64::MAX]);
    }
}
