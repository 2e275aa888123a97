//! Money by currency, summed a second way: over the journal's columns and the gateway's entries, both by SQL
//! and without a look at single payments.

use super::books::{Attempts, Books, GoingBack, Standing};
use super::chain::Streams;
use super::file::File;
use super::report::{Counts, Finding, Findings, Sum};
use super::{Error, code, gateway};
use crate::money::{Currency, Money};
use crate::record::money_moves::ProviderName;
use std::collections::{BTreeMap, BTreeSet};

const JOURNAL: &str = "SELECT currency,
        sum(CASE kind WHEN 'refunded' THEN -amount_minor ELSE amount_minor END)
    FROM record WHERE epoch = ?1 AND seq >= ?2 AND kind IN ('approved', 'paid_late', 'refunded') AND training = 0
        AND currency IS NOT NULL
    GROUP BY currency";

/// Sums both sides and says where they differ. What the journal keeps no longer was summed
/// while it was read. What balances is reported, too.
pub(super) fn compare(
    journal: &File,
    streams: &Streams,
    ledger: Option<&File>,
    books: &Books,
    findings: &mut Findings,
    counts: &mut Counts,
) -> Result<(), Error> {
    let mut ours = streams.pruned.clone();
    for (epoch, first) in &streams.read_from {
        journal.each(JOURNAL, (epoch.to_string(), first), |row| {
            let sum = ours.entry(row.get(0)?).or_default();
            *sum = sum.saturating_add(row.get(1)?);
            Ok(())
        })?;
    }
    let theirs = ledger.map(gateway::sums).transpose()?;
    let elsewhere = at_other_providers(&books.attempts);
    let mut currencies: BTreeSet<&String> = ours.keys().collect();
    currencies.extend(theirs.iter().flat_map(BTreeMap::keys));
    for code in currencies {
        let Ok(currency) = Currency::by_code(code) else {
            let words = format!("Money of the currency {code:?} was moved, which no till takes.");
            findings.add(Finding::new(code::SUMS, words));
            continue;
        };
        let money = |minor| Money::new(minor, currency);
        let elsewhere = elsewhere.get(&currency).copied().unwrap_or(0);
        let journal = money(ours.get(code).copied().unwrap_or(0).saturating_sub(elsewhere));
        let theirs = theirs.as_ref().map(|theirs| theirs.get(code).copied().unwrap_or((0, 0)));
        let sum = Sum {
            journal,
            captured: theirs.map(|(captured, _)| money(captured)),
            refunded: theirs.map(|(_, refunded)| money(refunded)),
            gateway: theirs.map(|(captured, refunded)| money(captured.saturating_sub(refunded))),
        };
        if let Some(gateway) = sum.gateway.filter(|gateway| *gateway != journal) {
            let words = format!("All in all the wallet keeps {gateway}, and the journal comes to {journal}.");
            findings.add(Finding::new(code::SUMS, words));
        }
        counts.sums.push(sum);
    }
    Ok(())
}

/// What the journal has of providers that this gateway is not.
fn at_other_providers(attempts: &Attempts) -> BTreeMap<Currency, i64> {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    let others = |provider: ProviderName| provider == ProviderName::House;
    for attempt in attempts.by_id.values().filter(|attempt| others(attempt.provider)) {
        if matches!(attempt.standing, Standing::Approved | Standing::PaidLate) {
            let sum = sums.entry(attempt.amount.currency).or_default();
            *sum = sum.saturating_add(attempt.amount.minor);
        }
    }
    for refund in attempts.refunds.values().filter(|refund| refund.state == GoingBack::Refunded) {
        if attempts.by_id.get(&refund.intent).is_some_and(|attempt| others(attempt.provider)) {
            let sum = sums.entry(refund.amount.currency).or_default();
            *sum = sum.saturating_sub(refund.amount.minor);
        }
    }
    sums
}
