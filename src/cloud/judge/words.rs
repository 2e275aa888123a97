//! The cloud's sentences for managers: what happened, and what to look at.

use crate::money::Money;
use crate::record::ids::TerminalId;
use crate::record::money_moves::ProviderName;

pub(crate) const SUMS: &str =
    "The total is not the sum of its lines, discounts and taxes: compare the receipt with the sale.";
pub(crate) const NO_NUMBER: &str = "A receipt came without its number: look at the till's version.";
pub(crate) const NOT_A_COUPON: &str = "What was redeemed as a coupon is another kind of code.";
pub(crate) const NO_PAYMENT_BEHIND_PROOF: &str = "A till took a proof of a payment that no wallet has made: eight digits were guessed, or this cloud was put back to an earlier day.";
pub(crate) const PROOF_GIVEN_BACK: &str = "The money was given back before the till took the proof, and the goods went out: a manager decides what becomes of the sale.";
pub(crate) const OTHER_SERIAL: &str = "The coupon's code and its serial or campaign do not agree.";

pub(crate) const NOT_A_VOUCHER: &str = "What was redeemed as a voucher is another kind of code.";
pub(crate) const OTHER_VOUCHER: &str =
    "The voucher's code does not agree with its serial, its value or what it paid.";

/// The second of two uses.
pub(crate) fn voucher_used(terminal: &str, at: &str) -> String {
    format!("Voucher already used at {terminal}, {at}.")
}

/// Somebody else's serial, or one that was taken out of the books.
pub(crate) fn voucher_unknown(serial: &str) -> String {
    format!("The voucher {serial} was never handed out: look who holds the key for vouchers.")
}

/// A part of a return that was paid with a voucher.
pub(crate) fn vouchers_owed(owed: &[(&str, Money)]) -> Option<String> {
    match owed {
        [] => None,
        [(serial, amount)] => Some(format!(
            "{amount} of a return was paid with the voucher {serial}: give the customer a new one."
        )),
        all => {
            let each: Vec<String> =
                all.iter().map(|(serial, amount)| format!("{amount} with {serial}")).collect();
            let (count, each) = (all.len(), each.join(", "));
            Some(format!(
                "A part of a return was paid with {count} vouchers ({each}): give the customer a new one for each."
            ))
        }
    }
}

/// The code of that task: a debt to a customer, which stays one whatever is ruled on its record.
pub(crate) const VOUCHERS_OWED: &str = "voucher_owed";

pub(crate) const HELD_TOO_LATE: &str =
    "The record cannot be held any more: head office ruled on it before it heard of the hold.";
pub(crate) const NOT_HELD: &str = "The record is not held at head office, so there is nothing to release.";
pub(crate) const STILL_HELD: &str = "The record is held or settled: release it, and head office rules on it.";
pub(crate) const NEVER_CAME: &str = "Head office has never received the record that this is about.";
pub(crate) const NOTHING_AGAINST_IT: &str = "Head office looked at it again and has nothing against it.";

/// A manager holds a record back.
pub(crate) fn held(terminal: &TerminalId, seq: u64) -> String {
    format!("Record {seq} of {terminal} is held by a manager and has no effect until it is released.")
}

/// A till began its journal anew by itself. `lacks` is the number that the till knew of, and the one held here.
pub(crate) fn provisional(terminal: &TerminalId, lacks: Option<(u64, u64)>) -> String {
    let lost = match lacks {
        Some((claims, here)) if claims > here => {
            format!(
                " The till claims record {claims} and head office holds {here}: {} records died with the disk.",
                claims - here
            )
        }
        Some((_, here)) => {
            format!(" Head office holds all of it that the till knew of, up to record {here}.")
        }
        None => " What was in it beyond what head office holds is not known.".to_owned(),
    };
    format!(
        "{terminal} lost its journal and began anew, for cash only.{lost} Look at the till, and adopt it there."
    )
}

/// The record is safe, and this build cannot read it.
pub(crate) fn unreadable(kind: &str) -> String {
    format!("A record of the kind {kind:?} cannot be read here. It is kept as it came: update the cloud.")
}

/// The second of two redemptions.
pub(crate) fn coupon_used(terminal: &str, at: &str) -> String {
    format!("Coupon already used at {terminal}, {at}.")
}

/// A till gave an offer more often than it was allowed to.
pub(crate) fn over_quota(campaign: u32) -> String {
    format!(
        "Campaign {campaign} was given without a lease for it: two machines may share this till's disk or key."
    )
}

/// A number of the stream came with another content.
pub(crate) fn fork(terminal: &TerminalId, seq: u64) -> String {
    format!(
        "{terminal} sent record {seq} twice with different contents. Both sides are kept and ruled on. Two machines \
         share this till's disk or key, or its disk was put back to an earlier day: stop one of them, start the other \
         again, and adopt the journal that it begins."
    )
}

/// Booking failed.
pub(crate) fn parked(terminal: &TerminalId, seq: u64) -> String {
    format!("Record {seq} of {terminal} is kept and could not be booked: look at the cloud's log.")
}

/// A number of a receipt came a second time.
pub(crate) fn receipt_twice(terminal: &TerminalId, number: u64) -> String {
    format!("{terminal} issued receipt {number} twice: compare both sales.")
}

/// A number of a receipt was left out.
pub(crate) fn receipt_gap(terminal: &TerminalId, expected: u64, found: u64) -> String {
    format!("{terminal} issued receipt {found} where {expected} was due: look for the sales in between.")
}

/// A provider's name in tables.
pub(crate) fn provider(name: ProviderName) -> &'static str {
    match name {
        ProviderName::Alipay => "alipay",
        ProviderName::Wechat => "wechat",
        ProviderName::House => "house",
    }
}

/// The provider of such a name.
pub(crate) fn provider_of(word: &str) -> Option<ProviderName> {
    [ProviderName::Alipay, ProviderName::Wechat, ProviderName::House]
        .into_iter()
        .find(|name| provider(*name) == word)
}
