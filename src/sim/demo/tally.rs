//! What a run came to: counted on the screens, on the paper and in the three databases.

use super::serve::End;
use super::stopwatch::Spread;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The figures of one run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// Customers served.
    pub customers: usize,
    /// Sales that were paid.
    pub sales_paid: usize,
    /// Sales that were given up.
    pub sales_abandoned: usize,
    /// Paid sales that a phone paid at a desk.
    pub desk_sales: usize,
    /// Paid sales while the network was pulled.
    pub offline_sales: usize,
    /// Receipts that the virtual printer cut.
    pub receipts_printed: usize,
    /// Records in the till's journal.
    pub records: u64,
    /// Records that the cloud holds.
    pub records_acknowledged: u64,
    /// Records that the till keeps for its next start: what it wrote when it stopped.
    pub stops_to_send: u64,
    /// Coupons that the cloud counts as spent.
    pub coupons_redeemed: u64,
    /// Value vouchers that the cloud counts as spent.
    pub vouchers_redeemed: u64,
    /// Check-ins that the cloud counts.
    pub check_ins: u64,
    /// Faults that the wallet played, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Times the till's power was cut.
    pub kills: usize,
    /// Sales that this run served to the end but that the journal does not have.
    pub sales_lost: usize,
    /// Intents that do not agree between journal, gateway and cloud.
    pub unmatched: u64,
    /// Intents whose end is not known.
    pub open: u64,
    /// Everything that the audit found.
    pub findings: Vec<String>,
    /// From a wallet's approval to "paid" on the cashier's screen.
    pub to_screen: Spread,
    /// From a wallet's approval to the receipt's cut, on a printer line of 19,200 baud.
    pub to_cut: Spread,
    /// How long it took.
    pub seconds: u64,
}

impl Tally {
    pub(super) fn count(&mut self, end: End, online: bool) {
        self.customers += 1;
        match end {
            End::Paid => self.sales_paid += 1,
            End::PaidAtDesk => {
                self.sales_paid += 1;
                self.desk_sales += 1;
            }
            End::Abandoned => self.sales_abandoned += 1,
        }
        if !online && end != End::Abandoned {
            self.offline_sales += 1;
        }
    }

    /// Takes in what the audit of the closed shop says.
    pub(super) fn take_audit(&mut self, audit: &Value) {
        let count = |name: &str| audit["counts"][name].as_u64().unwrap_or(0);
        self.records = count("records");
        self.records_acknowledged = count("records_at_cloud");
        self.stops_to_send = count("stops_to_send");
        self.coupons_redeemed = count("coupons");
        self.vouchers_redeemed = count("vouchers");
        self.check_ins = count("check_ins");
        self.unmatched = count("unmatched");
        self.open = count("open");
        let receipts = usize::try_from(count("receipts")).unwrap_or(usize::MAX);
        self.sales_lost = self.sales_paid.saturating_sub(receipts);
        let findings = audit["findings"].as_array().cloned().unwrap_or_default();
        self.findings.extend(findings.iter().map(|finding| {
            let code = finding["code"].as_str().unwrap_or("");
            format!("{code}: {}", finding["words"].as_str().unwrap_or(""))
        }));
    }

    /// Whether every sale is accounted for, everything is at the cloud, and nothing disagrees.
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
            && self.unmatched == 0
            && self.open == 0
            && self.sales_lost == 0
            && self.records == self.records_acknowledged + self.stops_to_send
            && self.customers == self.sales_paid + self.sales_abandoned
    }

    /// The figures as a table, a line each.
    pub fn table(&self) -> String {
        let mut rows: Vec<(String, String)> = vec![
            ("customers".into(), self.customers.to_string()),
            ("sales paid".into(), self.sales_paid.to_string()),
            ("  of them by phone at a desk".into(), self.desk_sales.to_string()),
            ("  of them with the network cut".into(), self.offline_sales.to_string()),
            ("sales given up".into(), self.sales_abandoned.to_string()),
            ("receipts on paper".into(), self.receipts_printed.to_string()),
            ("coupons redeemed".into(), self.coupons_redeemed.to_string()),
            ("vouchers redeemed".into(), self.vouchers_redeemed.to_string()),
            ("check-ins".into(), self.check_ins.to_string()),
            ("power cuts".into(), self.kills.to_string()),
            ("records in the journal".into(), self.records.to_string()),
            ("records at the cloud".into(), self.records_acknowledged.to_string()),
            ("  the last stop, sent at next start".into(), self.stops_to_send.to_string()),
        ];
        for (kind, times) in &self.faults {
            rows.push((format!("wallet fault: {}", kind.replace('_', " ")), times.to_string()));
        }
        rows.push(("sales lost".into(), self.sales_lost.to_string()));
        rows.push(("payments without an end".into(), self.open.to_string()));
        rows.push(("payments that do not agree".into(), self.unmatched.to_string()));
        for (name, spread) in
            [("approval to screen", &self.to_screen), ("approval to paper cut", &self.to_cut)]
        {
            if spread.count > 0 {
                rows.push((format!("{name}, p50 ms"), spread.p50_ms.to_string()));
                rows.push((format!("{name}, p95 ms"), spread.p95_ms.to_string()));
            }
        }
        rows.push(("seconds".into(), self.seconds.to_string()));
        let lines: Vec<String> = rows.iter().map(|(name, value)| format!("  {name:<38}{value:>8}")).collect();
        let mut table = lines.join("\n");
        for finding in &self.findings {
            table.push_str("\n  ! ");
            table.push_str(finding);
        }
        let verdict = if self.is_good() { "Everything agrees." } else { "Something does not agree." };
        format!("{table}\n\n{verdict}")
    }
}
