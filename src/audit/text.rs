//! The report as a page of text, for whoever looks after the shop's machines.

use super::report::{Counts, Finding, Report};
use std::fmt::Write as _;

/// Columns of the labels.
const LABEL: usize = 34;

impl Report {
    /// A table of what was gone through, and what does not agree.
    pub fn to_text(&self) -> String {
        let mut page = Page(String::new());
        match &self.terminal {
            Some(terminal) => page.say(&format!("Audit of {terminal}")),
            None => page.say("Audit of a journal without records"),
        }
        page.say("");
        page.counts(&self.counts);
        page.sums(&self.counts);
        page.say("");
        if self.agrees() {
            page.say("Everything agrees.");
            return page.0;
        }
        let kept = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        match kept.saturating_add(self.left_out) {
            1 => page.say("1 thing does not agree:"),
            all => page.say(&format!("{all} things do not agree:")),
        }
        for (number, finding) in (1_u64..).zip(&self.findings) {
            page.finding(number, finding);
        }
        if self.left_out > 0 {
            page.say(&format!("  and {} more of the same sorts.", self.left_out));
        }
        page.0
    }
}

struct Page(String);

impl Page {
    fn say(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn count(&mut self, label: &str, count: u64) {
        self.say(&format!("{label:LABEL$}{count:>12}"));
    }

    /// A count of a file that may not have been given.
    fn given(&mut self, label: &str, count: Option<u64>) {
        match count {
            Some(count) => self.count(label, count),
            None => self.say(&format!("{label:LABEL$}{:>12}", "not given")),
        }
    }

    fn counts(&mut self, counts: &Counts) {
        self.count("Records in the journal", counts.records);
        self.given("  the same at the cloud", counts.records_at_cloud);
        if counts.stops_to_send > 0 {
            self.count("  the last stop, sent at next start", counts.stops_to_send);
        }
        self.count("Receipts", counts.receipts);
        self.count("Payments begun", counts.intents);
        self.count("  approved", counts.approved);
        self.count("  refused by the wallet", counts.declined);
        self.count("  given up", counts.given_up);
        self.count("  paid late", counts.paid_late);
        self.count("  still open", counts.open);
        self.given("Payments taken at the wallet", counts.captured);
        self.given("  given back, in part or in full", counts.refunded);
        self.given("  buried before they were known", counts.tombstones);
        self.count("Payments that do not match", counts.unmatched);
        self.count("Coupons redeemed", counts.coupons);
        self.count("Vouchers that paid", counts.vouchers);
        self.count("Visits of members", counts.check_ins);
        self.given("Refusals by the cloud", counts.verdicts_refused);
        self.count("Papers ordered", counts.papers_ordered);
        self.count("  confirmed by the printer", counts.papers_confirmed);
        self.given("  cuts in the printed bytes", counts.papers_cut);
    }

    fn sums(&mut self, counts: &Counts) {
        for sum in &counts.sums {
            let code = sum.journal.currency.code();
            self.say("");
            self.say(&format!(
                "{:LABEL$}{:>12}",
                format!("{code} paid, by the journal"),
                sum.journal.decimal()
            ));
            if let (Some(captured), Some(refunded), Some(gateway)) = (sum.captured, sum.refunded, sum.gateway)
            {
                for (label, money) in [
                    ("taken by the wallet", captured),
                    ("given back by the wallet", refunded),
                    ("kept", gateway),
                ] {
                    self.say(&format!("{:LABEL$}{:>12}", format!("{code} {label}"), money.decimal()));
                }
            }
        }
    }

    fn finding(&mut self, number: u64, finding: &Finding) {
        self.say(&format!("{number:>4}. {} [{}]", finding.words, finding.code));
        let mut about = String::new();
        let mut put = |label: &str, value: Option<String>| {
            if let Some(value) = value {
                let comma = if about.is_empty() { "" } else { ", " };
                // Writing to a string does not fail.
                let _ = write!(about, "{comma}{label} {value}");
            }
        };
        put("payment", finding.intent.map(|intent| intent.to_string()));
        put("sale", finding.sale.map(|sale| sale.to_string()));
        put("record", finding.seq.map(|seq| seq.to_string()));
        put("epoch", finding.epoch.map(|epoch| epoch.to_string()));
        if !about.is_empty() {
            self.say(&format!("      {about}"));
        }
    }
}
