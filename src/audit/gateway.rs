//! Joins the journal with the wallet gateway's ledger by intent, which is the wallet's order number.
//!
//! What was taken is what the ledger's entries say; that the ledger agrees with itself is checked beside it.
//! Orders that a phone pays are taken by the cloud under the same number, so they are joined alike.

use super::books::{Attempt, Books, GoingBack, Standing};
use super::file::File;
use super::report::{Counts, Finding, Findings};
use super::{Error, code};
use crate::money::{Currency, Money};
use crate::record::ids::IntentId;
use crate::record::money_moves::ProviderName;
use std::collections::{BTreeMap, BTreeSet};

const TRADES: &str = "
    WITH entry AS (
        SELECT wallet, merchant, out_trade_no,
            count(*) FILTER (WHERE kind = 'capture') AS captures,
            coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS captured,
            coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded
        FROM event GROUP BY wallet, merchant, out_trade_no
    ), given AS (
        SELECT wallet, merchant, out_trade_no, sum(amount) AS refunded
        FROM refund GROUP BY wallet, merchant, out_trade_no
    )
    SELECT trade.out_trade_no, trade_no, total, currency, trade.captures, trade.refunded,
        coalesce(entry.captures, 0), coalesce(entry.captured, 0), coalesce(entry.refunded, 0),
        coalesce(given.refunded, 0), tombstone.out_trade_no IS NOT NULL
    FROM trade LEFT JOIN entry USING (wallet, merchant, out_trade_no)
        LEFT JOIN given USING (wallet, merchant, out_trade_no)
        LEFT JOIN tombstone USING (wallet, merchant, out_trade_no)
    ORDER BY trade.out_trade_no";

const ENTRIES_WITHOUT_TRADE: &str = "SELECT DISTINCT out_trade_no FROM event
    WHERE kind IN ('capture', 'refund') AND (wallet, merchant, out_trade_no) NOT IN
        (SELECT wallet, merchant, out_trade_no FROM trade)
    ORDER BY out_trade_no";

/// One trade, with the sums of its entries.
struct Trade {
    number: String,
    trade_no: String,
    total: i64,
    currency: String,
    captures: i64,
    refunded: i64,
    entry_captures: i64,
    entry_captured: i64,
    entry_refunded: i64,
    given_back: i64,
    buried: bool,
}

/// Holds every trade against its intent, and every intent against its trade.
pub(super) fn join(
    gateway: &File,
    books: &Books,
    findings: &mut Findings,
    counts: &mut Counts,
) -> Result<(), Error> {
    let refunded = books.attempts.refunded_minor();
    let mut seen = BTreeSet::new();
    let (mut captured, mut given_back) = (0, 0);
    gateway.each(TRADES, [], |row| {
        let trade = Trade::read(row)?;
        captured += u64::try_from(trade.entry_captures).unwrap_or(0);
        given_back += u64::from(trade.entry_refunded > 0);
        trade.check(findings);
        let intent = trade.number.parse::<IntentId>().ok();
        let known = intent.and_then(|intent| Some((intent, books.attempts.by_id.get(&intent)?)));
        match known {
            Some((intent, attempt)) => {
                seen.insert(intent);
                let refunded = refunded.get(&intent).copied().unwrap_or(0);
                Pair { intent, attempt, trade: &trade, refunded }.check(books, findings);
            }
            None if trade.entry_captures > 0 => {
                let words = format!(
                    "The wallet took {} as {}, and the journal knows no such payment.",
                    trade.money(trade.entry_captured),
                    trade.number
                );
                findings.unmatched(&trade.number, Finding::new(code::CAPTURE_WITHOUT_INTENT, words));
            }
            None => {}
        }
        Ok(())
    })?;
    gateway.each(ENTRIES_WITHOUT_TRADE, [], |row| {
        let number: String = row.get(0)?;
        let words = format!("The wallet's entries move money of {number}, for which it has no trade.");
        findings.unmatched(&number, Finding::new(code::LEDGER, words));
        Ok(())
    })?;
    unknown_to_the_wallet(books, &seen, findings);
    counts.captured = Some(captured);
    counts.refunded = Some(given_back);
    gateway.each("SELECT count(*) FROM tombstone", [], |row| {
        counts.tombstones = u64::try_from(row.get::<_, i64>(0)?).ok();
        Ok(())
    })
}

/// Payments that the journal has money for and the wallet has never heard of.
fn unknown_to_the_wallet(books: &Books, seen: &BTreeSet<IntentId>, findings: &mut Findings) {
    for (intent, attempt) in &books.attempts.by_id {
        let paid = matches!(attempt.standing, Standing::Approved | Standing::PaidLate);
        let is_here = matches!(attempt.provider, ProviderName::Alipay | ProviderName::Wechat);
        if !paid || seen.contains(intent) || !is_here {
            continue;
        }
        let words = format!("The journal has {} as paid, and the wallet has no such trade.", attempt.amount);
        findings.unmatched(&intent.to_string(), attempt.finding(code::APPROVED_NOT_CAPTURED, words, *intent));
    }
}

impl Attempt {
    /// A finding about this attempt.
    pub(super) fn finding(&self, code: &'static str, words: String, intent: IntentId) -> Finding {
        Finding::new(code, words).intent(intent).sale(self.sale).at(self.last)
    }
}

impl Trade {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            trade_no: row.get(1)?,
            total: row.get(2)?,
            currency: row.get(3)?,
            captures: row.get(4)?,
            refunded: row.get(5)?,
            entry_captures: row.get(6)?,
            entry_captured: row.get(7)?,
            entry_refunded: row.get(8)?,
            given_back: row.get(9)?,
            buried: row.get(10)?,
        })
    }

    /// An amount in the trade's currency, for people.
    fn money(&self, minor: i64) -> String {
        match Currency::by_code(&self.currency) {
            Ok(currency) => Money::new(minor, currency).to_string(),
            Err(_) => format!("{minor} minor units of {}", self.currency),
        }
    }

    /// Whether the ledger agrees with itself about this trade.
    fn check(&self, findings: &mut Findings) {
        let number = &self.number;
        if self.entry_captures > 1 {
            let words = format!("The wallet took the money of {number} {} times.", self.entry_captures);
            findings.unmatched(number, Finding::new(code::CAPTURED_TWICE, words));
        }
        let contradiction = if self.captures != self.entry_captures.min(1) {
            "whether its money was taken"
        } else if self.refunded != self.entry_refunded || self.refunded != self.given_back {
            "how much of it was given back"
        } else if self.entry_refunded > self.entry_captured {
            "what was taken, less than was given back"
        } else if self.buried && self.entry_captures > 0 {
            "whether it was cancelled before it was known"
        } else {
            return;
        };
        let words = format!("The wallet's own books differ about {number}: {contradiction}.");
        findings.unmatched(number, Finding::new(code::LEDGER, words));
    }
}

/// An intent and its trade.
struct Pair<'a> {
    intent: IntentId,
    attempt: &'a Attempt,
    trade: &'a Trade,
    /// What the journal says went back.
    refunded: i64,
}

impl Pair<'_> {
    fn check(&self, books: &Books, findings: &mut Findings) {
        let mut add = |code, words: String| {
            findings.unmatched(&self.trade.number, self.attempt.finding(code, words, self.intent));
        };
        let (attempt, trade) = (self.attempt, self.trade);
        if attempt.amount.minor != trade.total || attempt.amount.currency.code() != trade.currency {
            let words = format!(
                "{} was asked for, and the wallet's trade is {}.",
                attempt.amount,
                trade.money(trade.total)
            );
            add(code::AMOUNT_DIFFERS, words);
        }
        if let Some((number, _)) =
            attempt.settled.as_ref().filter(|(number, _)| attempt.knows_wallet() && *number != trade.trade_no)
        {
            let words = format!(
                "The journal names the wallet's trade {number}, the wallet calls it {}.",
                trade.trade_no
            );
            add(code::TRADE_DIFFERS, words);
        }
        let kept = trade.entry_captured.saturating_sub(trade.entry_refunded);
        match attempt.standing {
            Standing::Approved => self.check_approved(&mut add),
            Standing::PaidLate if trade.entry_captures == 0 => self.check_approved(&mut add),
            Standing::PaidLate if kept != 0 => {
                let why = if self.is_refused(books) {
                    "the wallet refuses to give it back"
                } else {
                    "it was not given back"
                };
                let words = format!("{} came after the payment was given up, and {why}.", trade.money(kept));
                add(code::LATE_MONEY_KEPT, words);
            }
            Standing::PaidLate => self.check_refunded(&mut add),
            Standing::Declined | Standing::Cancelled | Standing::Tombstoned | Standing::Abandoned => {
                if kept != 0 {
                    let words = format!(
                        "The wallet keeps {} of a payment that the journal has as {}.",
                        trade.money(kept),
                        attempt.standing.word()
                    );
                    add(code::GIVEN_UP_BUT_KEPT, words);
                }
            }
            Standing::Drawn
            | Standing::Pending
            | Standing::Unsure
            | Standing::Cancelling
            | Standing::CancelUnsure => {
                if kept != 0 {
                    let words = format!(
                        "The wallet has taken {}, and the till does not know yet: the payment is {}.",
                        trade.money(kept),
                        attempt.standing.word()
                    );
                    add(code::OPEN_BUT_CAPTURED, words);
                }
            }
        }
    }

    fn check_approved(&self, add: &mut impl FnMut(&'static str, String)) {
        let trade = self.trade;
        if trade.entry_captures == 0 {
            let words =
                format!("The journal has {} as paid, and the wallet took nothing.", self.attempt.amount);
            return add(code::APPROVED_NOT_CAPTURED, words);
        }
        // A second capture is said already; its amount is not a second matter.
        if trade.entry_captures == 1 && trade.entry_captured != trade.total {
            let words = format!(
                "The wallet took {} of {}.",
                trade.money(trade.entry_captured),
                trade.money(trade.total)
            );
            add(code::AMOUNT_DIFFERS, words);
        }
        self.check_refunded(add);
    }

    fn check_refunded(&self, add: &mut impl FnMut(&'static str, String)) {
        let trade = self.trade;
        if trade.entry_refunded != self.refunded {
            let (wallet, journal) = (trade.money(trade.entry_refunded), trade.money(self.refunded));
            add(code::REFUND_DIFFERS, format!("The wallet gave {wallet} back, the journal says {journal}."));
        }
    }

    fn is_refused(&self, books: &Books) -> bool {
        let mut of_this = books.attempts.refunds.values().filter(|refund| refund.intent == self.intent);
        of_this.any(|refund| refund.state == GoingBack::Refused)
    }
}

/// What the gateway's entries sum to by currency: taken, and given back.
pub(super) fn sums(gateway: &File) -> Result<BTreeMap<String, (i64, i64)>, Error> {
    let sql = "SELECT trade.currency,
            coalesce(sum(event.amount) FILTER (WHERE event.kind = 'capture'), 0),
            coalesce(sum(event.amount) FILTER (WHERE event.kind = 'refund'), 0)
        FROM event JOIN trade USING (wallet, merchant, out_trade_no) WHERE event.kind IN ('capture', 'refund')
        GROUP BY trade.currency";
    let mut sums = BTreeMap::new();
    gateway.each(sql, [], |row| {
        sums.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
        Ok(())
    })?;
    Ok(sums)
}
