//! Orders that a phone pays at the cloud: what the cloud thinks became of each, and what the till thinks.
//!
//! An order that nobody has paid may stand differently at both for a while; where money is, they must agree.

use super::Side;
use super::payments::provider_word;
use crate::audit::books::{Attempt, Standing};
use crate::audit::report::{Finding, Findings};
use crate::audit::{Error, code};
use crate::record::ids::IntentId;
use std::collections::BTreeSet;

impl Side<'_> {
    pub(super) fn orders(&self, findings: &mut Findings) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let sql = "SELECT intent, sale, amount_minor, currency, state, provider FROM order_claim WHERE terminal = ?1
            ORDER BY intent";
        self.cloud.each(sql, [self.terminal], |row| {
            let (name, sale, amount): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (currency, state, provider): (String, String, String) =
                (row.get(3)?, row.get(4)?, row.get(5)?);
            let intent = name.parse::<IntentId>().ok();
            let known = intent.and_then(|intent| Some((intent, self.books.attempts.by_id.get(&intent)?)));
            let Some((intent, attempt)) = known else {
                let words = format!("The cloud has an order {name} that the journal did not draw.");
                let finding = Finding::new(code::ORDER_AT_CLOUD, words).sale(Self::sale_named(&sale));
                findings.unmatched(&name, finding);
                return Ok(());
            };
            seen.insert(intent);
            let money = attempt.amount;
            let same = money.minor == amount
                && money.currency.code() == currency
                && attempt.sale.map(|sale| sale.to_string()) == Some(sale)
                && (provider == provider_word(attempt.provider) || !attempt.knows_wallet())
                && attempt.carrier == "order";
            if !same {
                let words = format!("The order of {money} has another amount, wallet or sale at the cloud.");
                findings.unmatched(&name, attempt.finding(code::ORDER_AT_CLOUD, words, intent));
            }
            if !agree(attempt, &state) {
                let word = attempt.standing.word();
                let words =
                    format!("The order of {money} is {word} in the journal and {state} at the cloud.");
                findings.unmatched(&name, attempt.finding(code::ORDER_AT_CLOUD, words, intent));
            }
            Ok(())
        })?;
        for (intent, attempt) in &self.books.attempts.by_id {
            let paid = attempt.carrier == "order" && attempt.standing == Standing::Approved;
            if paid && !seen.contains(intent) {
                let words =
                    format!("A phone paid {}, and the cloud does not know the order.", attempt.amount);
                findings
                    .unmatched(&intent.to_string(), attempt.finding(code::ORDER_AT_CLOUD, words, *intent));
            }
        }
        Ok(())
    }
}

/// Whether both have the money in the same place.
fn agree(attempt: &Attempt, state: &str) -> bool {
    match attempt.standing {
        Standing::Approved => state == "paid",
        Standing::PaidLate => matches!(state, "paid" | "paid_late" | "refunded"),
        Standing::Drawn
        | Standing::Pending
        | Standing::Unsure
        | Standing::Cancelling
        | Standing::CancelUnsure
        | Standing::Cancelled
        | Standing::Tombstoned
        | Standing::Abandoned
        | Standing::Declined => !matches!(state, "paid" | "paid_late"),
    }
}
