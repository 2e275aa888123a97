//! What an audit says: findings, and the counts and sums that it went through to find them.

use crate::money::Money;
use crate::record::Epoch;
use crate::record::ids::{IntentId, SaleId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Findings of one code that are written out; of a file that is broken all through, the rest is counted.
const EACH_CODE_MAX: u64 = 200;

/// One thing that does not agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// A stable word for programs, such as `captured_twice`.
    pub code: &'static str,
    /// A sentence for people.
    pub words: String,
    /// The intent it is about, if one.
    pub intent: Option<IntentId>,
    /// The sale it is about, if one.
    pub sale: Option<SaleId>,
    /// The life of the journal in which its record stands.
    pub epoch: Option<Epoch>,
    /// That record's number.
    pub seq: Option<u64>,
}

/// Where a record stands in the stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
}

impl Finding {
    pub(super) fn new(code: &'static str, words: impl Into<String>) -> Self {
        Self { code, words: words.into(), intent: None, sale: None, epoch: None, seq: None }
    }

    pub(super) fn intent(self, intent: IntentId) -> Self {
        Self { intent: Some(intent), ..self }
    }

    pub(super) fn sale(self, sale: Option<SaleId>) -> Self {
        Self { sale, ..self }
    }

    pub(super) fn at(self, place: Place) -> Self {
        Self { epoch: Some(place.epoch), seq: Some(place.seq), ..self }
    }
}

/// What was gone through. Practice is verified and counted among the records, and nowhere else.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// Lives of the journal.
    pub epochs: u64,
    /// Records in the journal.
    pub records: u64,
    /// Records that the journal keeps no longer, read from the cloud.
    pub records_pruned: u64,
    /// Those of the journal that the cloud holds byte for byte; none if the cloud was not given.
    pub records_at_cloud: Option<u64>,
    /// Marks of a clean stop that are to be sent at the next start, and are no finding.
    pub stops_to_send: u64,
    /// Receipts issued.
    pub receipts: u64,
    /// Attempts to move money.
    pub intents: u64,
    /// Ended with the money being the shop's.
    pub approved: u64,
    /// Refused by the wallet.
    pub declined: u64,
    /// Given up: cancelled, buried or abandoned.
    pub given_up: u64,
    /// Paid after they were given up.
    pub paid_late: u64,
    /// Without an end yet.
    pub open: u64,
    /// Captures in the gateway's ledger; none if it was not given.
    pub captured: Option<u64>,
    /// Trades of the gateway of which money went back.
    pub refunded: Option<u64>,
    /// Order numbers that the gateway buried before it knew them.
    pub tombstones: Option<u64>,
    /// Coupons redeemed.
    pub coupons: u64,
    /// Value vouchers that paid.
    pub vouchers: u64,
    /// Members' visits: each member once a day.
    pub check_ins: u64,
    /// Refusals among the cloud's verdicts on this till's records.
    pub verdicts_refused: Option<u64>,
    /// Papers ordered.
    pub papers_ordered: u64,
    /// Papers that the printer confirmed.
    pub papers_confirmed: u64,
    /// Cuts in the bytes that the printer received.
    pub papers_cut: Option<u64>,
    /// Intents, and order numbers of the gateway, that do not agree between journal, gateway and cloud.
    pub unmatched: u64,
    /// Money by currency, summed a second way.
    pub sums: Vec<Sum>,
}

/// Money of one currency, summed over all payments.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sum {
    /// Approved or paid late, less what was given back, by the journal.
    pub journal: Money,
    /// Captured by the gateway's entries, if they were given.
    pub captured: Option<Money>,
    /// Given back by the gateway's entries.
    pub refunded: Option<Money>,
    /// Captured less given back.
    pub gateway: Option<Money>,
}

/// What an audit found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// The till whose journal it is; none for an empty journal.
    pub terminal: Option<String>,
    /// What does not agree, in the order of the checks.
    pub findings: Vec<Finding>,
    /// More of the same codes, not written out.
    pub left_out: u64,
    /// What was gone through.
    pub counts: Counts,
}

impl Report {
    /// Whether nothing was found.
    pub fn agrees(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Collects findings, so many of each code.
#[derive(Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    by_code: BTreeMap<&'static str, u64>,
    unmatched: BTreeSet<String>,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        let found = self.by_code.entry(finding.code).or_default();
        *found += 1;
        if *found <= EACH_CODE_MAX {
            self.kept.push(finding);
        }
    }

    /// Adds what does not agree about an order number between two of the files.
    pub(super) fn unmatched(&mut self, number: &str, finding: Finding) {
        self.unmatched.insert(number.to_owned());
        self.add(finding);
    }

    pub(super) fn report(self, terminal: Option<String>, mut counts: Counts) -> Report {
        let all: u64 = self.by_code.values().sum();
        let kept = u64::try_from(self.kept.len()).unwrap_or(u64::MAX);
        counts.unmatched = u64::try_from(self.unmatched.len()).unwrap_or(u64::MAX);
        Report { terminal, findings: self.kept, left_out: all.saturating_sub(kept), counts }
    }
}
