//! The receipt on the phone: the facts that stand on the paper, in the customer's language.
//!
//! Who bears each discount is said beside it: the shop, the wallet, a bank, a brand. Not here: the paper (`paper`),
//! and what counts as paid (`sale`).

use super::page::{Row, amount};
use super::words::Words;
use crate::bundle::Bundle;
use crate::money::Money;
use crate::offer::Funder;
use crate::receipt::{Receipt, ReceiptAbout};
use crate::record::body::Paper;
use crate::record::ids::TerminalId;
use crate::sale::{IntentState, Sale};

/// A receipt as the page shows it.
pub(super) struct PaidBill {
    pub(super) number: String,
    pub(super) at: String,
    /// What came off, each with who bears it; discounts of the wallet's own among them.
    pub(super) less: Vec<Row>,
    /// How it was paid.
    pub(super) tenders: Vec<Row>,
    /// What the customer's wallet was charged, where the wallet took something off.
    pub(super) charged: Option<String>,
}

impl PaidBill {
    /// None while the till has not issued it, or its records are not here yet.
    pub(super) fn of(sale: &Sale, terminal: &TerminalId, bundle: &Bundle, words: &Words) -> Option<Self> {
        let about = ReceiptAbout {
            terminal: terminal.clone(),
            cashier: String::new(),
            paper: Paper::Receipt,
            code: None,
            original: None,
        };
        let receipt = Receipt::of(sale, bundle, about)?;
        let discounts = sale.fixed.iter().flat_map(|fixed| &fixed.discounts).map(|discount| {
            let name = words.name(&discount.name, discount.name_zh.as_deref());
            off(&name, discount.funder, discount.amount, words)
        });
        let mut less: Vec<Row> = discounts.collect();
        let settled = sale.intents.iter().filter(|intent| intent.state == IntentState::Approved);
        let settled: Vec<_> = settled.filter_map(|intent| intent.settled.as_ref()).collect();
        let all = Money::sum(settled.iter().map(|settled| settled.buyer_paid), bundle.content.currency).ok();
        let mut charged: Option<Money> = None;
        for settled in settled {
            for (funder, taken) in
                [(Funder::Merchant, settled.merchant_funded), (Funder::Platform, settled.platform_funded)]
            {
                if taken.is_positive() {
                    less.push(off(words.wallet_discount, funder, taken, words));
                    charged = all;
                }
            }
        }
        let tenders = receipt.tenders.iter().map(|tender| Row {
            quantity: String::new(),
            name: words.means(&tender.means).to_owned(),
            amount: amount(tender.amount),
        });
        Some(Self {
            number: receipt.numbered(),
            at: receipt.at.clone(),
            less,
            tenders: tenders.collect(),
            charged: charged.map(amount),
        })
    }
}

fn off(name: &str, funder: Funder, taken: Money, words: &Words) -> Row {
    let name = format!("{name} · {}", words.funder(funder));
    Row { quantity: String::new(), name, amount: format!("−{}", amount(taken)) }
}
