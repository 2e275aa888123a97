//! What a wallet's answers are in the till's words.
//!
//! Not here: calling, and when to call again.

use crate::counter::event::ProviderReport;
use crate::money::Money;
use crate::record::money_moves::Advice;
use crate::wallet;
use crate::wallet::{Answer, Approval, Decline, PrecreateAnswer};

/// Nothing left the till.
pub(super) const NOT_SENT: &str = "The wallet cannot be reached: nothing was sent. Try again, or take cash.";
/// The till ended while the code was in its memory.
pub(super) const RESTARTED: &str =
    "The till restarted while the payment was on its way. It is asked for; hand over nothing yet.";

/// What the answer to a question settles; none while the question stands.
pub(super) fn conclusive(answer: Answer, asked: Money) -> Option<ProviderReport> {
    match answer {
        Answer::Approved(approval) if approval.total == asked => {
            Some(ProviderReport::Approved(approval.settled(None)))
        }
        Answer::Declined(decline) => Some(declined(decline)),
        Answer::Closed => Some(closed()),
        Answer::Approved(_)
        | Answer::Pending
        | Answer::NotFound
        | Answer::NotSent { .. }
        | Answer::Unsure(_) => None,
    }
}

/// What the answer to the one payment request means.
pub(super) fn of_payment(answer: Answer, asked: Money) -> ProviderReport {
    match answer {
        Answer::Approved(approval) if approval.total == asked => {
            ProviderReport::Approved(approval.settled(None))
        }
        Answer::Approved(approval) => ProviderReport::Unsure(other_amount(&approval, asked)),
        Answer::Pending => ProviderReport::Pending,
        Answer::Declined(decline) => declined(decline),
        Answer::Closed => closed(),
        Answer::NotFound => {
            ProviderReport::Unsure("The wallet does not know the payment yet; it is asked again.".to_owned())
        }
        Answer::NotSent { .. } => ProviderReport::Declined {
            code: "TILL.NOT_SENT".to_owned(),
            words: NOT_SENT.to_owned(),
            advice: Advice::TryAgain,
            left: None,
        },
        Answer::Unsure(doubt) => ProviderReport::Unsure(format!(
            "The wallet gave no clear answer; it is asked again. ({})",
            doubt.why
        )),
    }
}

/// What a wallet says that was to make a code for the till to show.
pub(super) fn of_code(answer: PrecreateAnswer) -> ProviderReport {
    match answer {
        PrecreateAnswer::Ready { qr_text } => ProviderReport::Shown(qr_text),
        PrecreateAnswer::Declined(decline) => declined(decline),
        PrecreateAnswer::NotSent { .. } => refused("TILL.NOT_SENT", NOT_SENT.to_owned(), Advice::TryAgain),
        PrecreateAnswer::Unsure(doubt) => {
            ProviderReport::Unsure(format!("The wallet gave no code. ({})", doubt.why))
        }
    }
}

/// A definite no of the till's own, before anything was sent.
pub(super) fn refused(code: &str, words: String, advice: Advice) -> ProviderReport {
    ProviderReport::Declined { code: code.to_owned(), words, advice, left: None }
}

/// The wallet's own words, or its code where it says nothing.
pub(super) fn words(decline: &Decline) -> String {
    if decline.message.is_empty() { decline.code.clone() } else { decline.message.clone() }
}

/// An approval for another amount than was asked for is no approval.
pub(super) fn other_amount(approval: &Approval, asked: Money) -> String {
    format!(
        "The wallet speaks of {} where {asked} was asked for: look the payment up at the wallet before \
         handing anything over.",
        approval.total
    )
}

fn declined(decline: Decline) -> ProviderReport {
    let advice = match decline.advice {
        wallet::Advice::NewCode => Advice::NewCode,
        wallet::Advice::OtherMeans => Advice::OtherMeans,
        wallet::Advice::TellShop => Advice::TellManager,
    };
    ProviderReport::Declined { words: words(&decline), code: decline.code, advice, left: decline.left }
}

fn closed() -> ProviderReport {
    refused(
        "TILL.CLOSED",
        "The wallet has closed this payment and kept no money. Ask for a fresh code.".to_owned(),
        Advice::NewCode,
    )
}
