//! Payments and refunds: each where the journal left it.

use super::Side;
use crate::audit::books::GoingBack;
use crate::audit::report::{Finding, Findings};
use crate::audit::{Error, code};
use crate::record::ids::{IntentId, RefundId};
use crate::record::money_moves::ProviderName;
use std::collections::BTreeSet;

/// A payment as the cloud keeps it.
struct Payment {
    intent: String,
    provider: String,
    carrier: String,
    amount: i64,
    currency: String,
    state: String,
    trade: Option<String>,
    sale: Option<String>,
}

impl Side<'_> {
    pub(super) fn payments(&self, findings: &mut Findings) -> Result<(), Error> {
        let sql = "SELECT intent, provider, carrier, amount_minor, currency, state, trade, sale FROM payment
            WHERE terminal = ?1 ORDER BY intent";
        let mut seen = BTreeSet::new();
        self.cloud.each(sql, [self.terminal], |row| {
            let payment = Payment {
                intent: row.get(0)?,
                provider: row.get(1)?,
                carrier: row.get(2)?,
                amount: row.get(3)?,
                currency: row.get(4)?,
                state: row.get(5)?,
                trade: row.get(6)?,
                sale: row.get(7)?,
            };
            match payment.intent.parse::<IntentId>() {
                Ok(intent) if self.books.attempts.by_id.contains_key(&intent) => {
                    seen.insert(intent);
                    self.payment(intent, &payment, findings);
                }
                Ok(_) | Err(_) => {
                    let words =
                        format!("The cloud has a payment {} that the journal does not know.", payment.intent);
                    findings.unmatched(&payment.intent, Finding::new(code::PAYMENT_AT_CLOUD, words));
                }
            }
            Ok(())
        })?;
        for (intent, attempt) in &self.books.attempts.by_id {
            if self.has_booked(attempt.drawn) && !seen.contains(intent) {
                let words = format!("The cloud does not know the payment of {}.", attempt.amount);
                findings
                    .unmatched(&intent.to_string(), attempt.finding(code::PAYMENT_AT_CLOUD, words, *intent));
            }
        }
        Ok(())
    }

    fn payment(&self, intent: IntentId, payment: &Payment, findings: &mut Findings) {
        let Some(attempt) = self.books.attempts.by_id.get(&intent) else { return };
        let mut add = |words: String| {
            findings.unmatched(&payment.intent, attempt.finding(code::PAYMENT_AT_CLOUD, words, intent));
        };
        let provider = provider_word(attempt.provider);
        let money = attempt.amount;
        let same = payment.amount == money.minor
            && payment.currency == money.currency.code()
            && (payment.provider == provider || !attempt.knows_wallet() || attempt.is_erased())
            && payment.carrier == attempt.carrier
            && payment.sale == attempt.sale.map(|sale| sale.to_string());
        if !same {
            add(format!(
                "The cloud has the payment of {money} with another amount, sale, wallet or carrier."
            ));
        }
        if !self.has_booked(attempt.last) {
            return;
        }
        let word = attempt.standing.word();
        if payment.state != word {
            add(format!(
                "The payment of {money} is {word} in the journal and {} at the cloud.",
                payment.state
            ));
        } else if attempt.knows_wallet()
            && !attempt.is_erased()
            && payment.trade.as_ref() != attempt.settled.as_ref().map(|(trade, _)| trade)
        {
            add(format!("The cloud has another trade number of the wallet for the payment of {money}."));
        }
    }

    pub(super) fn refunds(&self, findings: &mut Findings) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let sql =
            "SELECT refund, intent, amount_minor, currency, state FROM payment_refund WHERE terminal = ?1
            ORDER BY refund";
        self.cloud.each(sql, [self.terminal], |row| {
            let (name, intent, amount): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (currency, state): (String, String) = (row.get(3)?, row.get(4)?);
            let refund = name.parse::<RefundId>().ok();
            let known = refund.and_then(|refund| Some((refund, self.books.attempts.refunds.get(&refund)?)));
            let Some((refund, known)) = known else {
                let words = format!("The cloud has a refund {name} that the journal does not know.");
                findings.unmatched(&intent, Finding::new(code::REFUND_AT_CLOUD, words));
                return Ok(());
            };
            seen.insert(refund);
            let same = known.intent.to_string() == intent
                && known.amount.minor == amount
                && known.amount.currency.code() == currency;
            let word = known.state.word();
            if !same || (self.has_booked(known.last) && word != state) {
                let words = format!(
                    "The refund of {} is {word} in the journal and {state}, with {amount} {currency}, at the cloud.",
                    known.amount
                );
                let finding = Finding::new(code::REFUND_AT_CLOUD, words).intent(known.intent).at(known.last);
                findings.unmatched(&intent, finding);
            }
            Ok(())
        })?;
        for (refund, known) in &self.books.attempts.refunds {
            if self.has_booked(known.last) && !seen.contains(refund) {
                let words = format!("The cloud does not know the refund of {}.", known.amount);
                let finding = Finding::new(code::REFUND_AT_CLOUD, words).intent(known.intent).at(known.last);
                findings.unmatched(&known.intent.to_string(), finding);
            }
        }
        self.refunds_asked_for(findings)
    }

    /// Refunds that the till asked the cloud for: both know how they ended.
    fn refunds_asked_for(&self, findings: &mut Findings) -> Result<(), Error> {
        let sql = "SELECT refund, intent, state FROM refund WHERE terminal = ?1 ORDER BY refund";
        self.cloud.each(sql, [self.terminal], |row| {
            let (name, intent, state): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let known =
                name.parse().ok().and_then(|refund: RefundId| self.books.attempts.refunds.get(&refund));
            let word = known.map_or("unknown", |known| match known.state {
                GoingBack::Drawn => "pending",
                GoingBack::Refunded => "refunded",
                GoingBack::Refused => "refused",
            });
            if word != state {
                let words =
                    format!("The cloud has the refund {name} as {state}, in the journal it is {word}.");
                findings.unmatched(&intent, Finding::new(code::REFUND_AT_CLOUD, words));
            }
            Ok(())
        })
    }
}

/// A wallet as the cloud's tables name it.
pub(super) fn provider_word(provider: ProviderName) -> &'static str {
    match provider {
        ProviderName::Alipay => "alipay",
        ProviderName::Wechat => "wechat",
        ProviderName::House => "house",
    }
}
