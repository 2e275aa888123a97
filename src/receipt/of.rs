//! Taking a receipt's facts from a folded sale.

use super::{OriginalReceipt, Receipt, ReceiptAbout, ReceiptLine, ReceiptTender, Stamp, numbered};
use crate::bundle::Bundle;
use crate::money::{Currency, Money};
use crate::record::Moment;
use crate::record::body::Paper;
use crate::record::giving_back::{CashBack, Means, Original, TenderShare};
use crate::record::ids::{IntentId, TerminalId};
use crate::record::money_moves::ProviderName;
use crate::sale::{Intent, IntentState, Refund, RefundState, Sale};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Characters of a member's reference that are printed.
const MEMBER_SHOWN: usize = 4;

/// Who issues receipts: one till, its shop, and its stamp.
#[derive(Clone, Copy, Debug)]
pub struct Issuer<'a> {
    /// Which till.
    pub terminal: &'a TerminalId,
    /// The shop.
    pub bundle: &'a Bundle,
    /// What signs the codes.
    pub stamp: &'a Stamp,
}

impl Issuer<'_> {
    /// The receipt of a paid sale as it is printed and shown. `original` is the sale that a return is of, where it
    /// can be read. None as for [`Receipt::of`].
    pub fn receipt(
        &self,
        sale: &Sale,
        original: Option<&Sale>,
        cashier: Option<String>,
        paper: Paper,
    ) -> Option<Receipt> {
        let of = sale.back.opened.as_ref().and_then(|back| back.of.as_ref());
        let about = ReceiptAbout {
            terminal: self.terminal.clone(),
            cashier: cashier.unwrap_or_default(),
            paper,
            code: self.stamp.code(sale, self.terminal),
            original: of.map(|of| OriginalReceipt::of(of, original, &self.bundle.zone)),
        };
        Receipt::of(sale, self.bundle, about)
    }
}

impl OriginalReceipt {
    fn of(of: &Original, sale: Option<&Sale>, zone: &TimeZone) -> Self {
        let sale = sale.filter(|sale| sale.id == of.sale);
        let issued = sale.and_then(|sale| sale.receipt.as_ref());
        Self {
            number: of.receipt.map(|number| numbered(of.epoch, number)),
            at: issued.map(|issued| local(issued.at, zone)),
            tenders: sale.map(tenders).unwrap_or_default(),
        }
    }
}

impl Receipt {
    /// The receipt of a paid sale. None before its number is given, and when a sum does not fit, which
    /// a sale that was fixed cannot have.
    pub fn of(sale: &Sale, bundle: &Bundle, about: ReceiptAbout) -> Option<Self> {
        let issued = sale.receipt.as_ref()?;
        let fixed = sale.fixed.as_ref()?;
        let currency = fixed.total.currency;
        let lines = sale.sold().into_iter().map(|line| {
            Some(ReceiptLine {
                name: line.name.clone(),
                name_zh: line.name_zh.clone(),
                quantity: line.quantity.to_string(),
                unit: line.quantity.unit,
                net: line.net,
                price: line.price,
                amount: line.gross().ok()?,
                modifiers: line
                    .modifiers
                    .iter()
                    .map(|modifier| (modifier.name.clone(), modifier.name_zh.clone()))
                    .collect(),
                tax_code: line.tax.code.clone(),
            })
        });
        let receipt = Self {
            shop: bundle.content.shop.clone(),
            terminal: about.terminal,
            station: Some(sale.station.clone()),
            kind: sale.kind,
            epoch: issued.epoch,
            number: issued.number,
            at: local(issued.at, &bundle.zone),
            cashier: about.cashier,
            lines: lines.collect::<Option<_>>()?,
            subtotal: sale.subtotal(currency).ok()?,
            discounts: fixed
                .discounts
                .iter()
                .map(|discount| (discount.name.clone(), discount.name_zh.clone(), discount.amount))
                .collect(),
            total: fixed.total,
            taxes: fixed.taxes.clone(),
            tenders: tenders(sale),
            change: change(sale, currency)?,
            given_back: given_back(sale),
            member: sale.member.as_deref().map(masked),
            paper: about.paper,
            mode: sale.mode,
            code: about.code,
            original: about.original,
        };
        if sale.back.opened.is_some() { receipt.turned().ok() } else { Some(receipt) }
    }
}

/// The shop's own date and minute. The machine's clock counts, as it does for the business date.
pub(super) fn local(at: Moment, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(at.wall_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Wallets first, in the order they paid, then vouchers, then cash as it was handed over.
fn tenders(sale: &Sale) -> Vec<ReceiptTender> {
    if let Some(back) = &sale.back.opened {
        return back.shares.iter().map(|share| went_back(sale, share)).collect();
    }
    let approved = sale.intents.iter().filter(|intent| intent.state == IntentState::Approved);
    let cash = sale.cash.iter().map(|cash| ReceiptTender {
        means: "cash".to_owned(),
        amount: cash.received,
        trade: None,
        wallet_discount: None,
        balance: None,
    });
    let vouchers = sale.vouchers.iter().map(|voucher| ReceiptTender {
        means: "voucher".to_owned(),
        amount: voucher.amount,
        trade: Some(voucher.serial.clone()),
        wallet_discount: None,
        balance: None,
    });
    approved.map(by_wallet).chain(vouchers).chain(cash).collect()
}

/// Money of this sale that went back. What never counted as paid is no part of the receipt, and so its
/// return is not either.
fn given_back(sale: &Sale) -> Vec<ReceiptTender> {
    let counted = |id| {
        let mut approved = sale.intents.iter().filter(|intent| intent.state == IntentState::Approved);
        approved.find(|intent| intent.id == id)
    };
    let done = sale.refunds.iter().filter(|refund| refund.state == RefundState::Done);
    done.filter_map(|refund| {
        let intent = counted(refund.intent)?;
        let (means, amount) = (intent.means().to_owned(), refund.amount);
        Some(ReceiptTender { means, amount, trade: None, wallet_discount: None, balance: None })
    })
    .collect()
}

fn by_wallet(intent: &Intent) -> ReceiptTender {
    let settled = intent.settled.as_ref();
    ReceiptTender {
        means: intent.means().to_owned(),
        amount: intent.amount,
        trade: settled.map(|settled| settled.trade.clone()).filter(|trade| !trade.is_empty()),
        wallet_discount: settled
            .map(|settled| settled.platform_funded)
            .filter(|discount| discount.is_positive()),
        balance: settled.and_then(|settled| settled.balance),
    }
}

/// How a part of a return went back: as it was paid, or in cash where the wallet refused it.
fn went_back(sale: &Sale, share: &TenderShare) -> ReceiptTender {
    let in_cash = |of: &IntentId| {
        let of = |refund: &&Refund| refund.intent == *of;
        let instead =
            |refund: &Refund| sale.back.cash.iter().any(|(_, why)| *why == CashBack::Instead(refund.id));
        sale.refunds.iter().find(of).is_some_and(instead)
    };
    let means = match &share.means {
        Means::Wallet { intent, provider, .. } if !in_cash(intent) => means(*provider),
        Means::Wallet { .. } | Means::Cash => "cash".to_owned(),
        Means::Voucher { .. } => "voucher".to_owned(),
    };
    ReceiptTender { means, amount: share.amount, trade: None, wallet_discount: None, balance: None }
}

fn means(provider: ProviderName) -> String {
    let means = match provider {
        ProviderName::Alipay => "alipay",
        ProviderName::Wechat => "wechat",
        ProviderName::House => "house",
    };
    means.to_owned()
}

/// All cash handed back; `Some(None)` when there was none.
fn change(sale: &Sale, currency: Currency) -> Option<Option<Money>> {
    let change = Money::sum(sale.cash.iter().map(|cash| cash.change), currency).ok()?;
    Some(Some(change).filter(|change| !change.is_zero()))
}

/// The last characters of a member's reference. A receipt is left on tables: the rest stays private.
fn masked(member: &str) -> String {
    let hidden = member.chars().count().saturating_sub(MEMBER_SHOWN);
    let shown: String = member.chars().skip(hidden).collect();
    format!("****{shown}")
}

#[cfg(test)]
mod tests;
