//! The phone's page as values for its template: what stands on it, in one language.
//!
//! Not here: what may be done on it at this moment (`bill`).

use super::receipt::PaidBill;
use super::words::Words;
use crate::cloud::judge::words::provider;
use crate::money::Money;
use crate::record::money_moves::ProviderName;
use crate::view::{LineState, SaleView};
use askama::Template;

/// The page.
#[derive(Template)]
#[template(path = "bill.html")]
pub(super) struct BillPage {
    pub(super) words: &'static Words,
    pub(super) shop: String,
    pub(super) place: String,
    /// Its own address, for what is linked to it.
    pub(super) base: String,
    pub(super) said: Option<&'static str>,
    pub(super) amount: Option<String>,
    pub(super) headline: &'static str,
    pub(super) note: Option<String>,
    /// The wallet's own address, for a phone that came back without paying.
    pub(super) wallet: Option<String>,
    /// What WeChat's script takes to open its window, and that a phone may open it again.
    pub(super) window: Option<String>,
    pub(super) pay: Option<PayForm>,
    pub(super) coupon: Option<String>,
    pub(super) lines: Vec<Row>,
    pub(super) less: Vec<Row>,
    /// Coupons that take nothing off, each with its reason.
    pub(super) coupons: Vec<String>,
    pub(super) subtotal: Option<String>,
    pub(super) receipt: Option<PaidBill>,
    pub(super) proof: Option<ProofShown>,
    pub(super) live: Option<String>,
    pub(super) mark: String,
    /// After so many seconds a page without scripts is fetched anew.
    pub(super) again_s: Option<u32>,
}

/// A row of a table.
pub(super) struct Row {
    pub(super) quantity: String,
    pub(super) name: String,
    pub(super) amount: String,
}

/// What a phone that paid shows to the cashier of a till that did not hear of it.
pub(super) struct ProofShown {
    /// The `P1`, drawn.
    pub(super) symbol: String,
    /// Its text.
    pub(super) text: String,
    /// The eight digits, where the shop takes them for so much.
    pub(super) digits: Option<String>,
}

impl ProofShown {
    /// The digits in two groups, as they are read out.
    pub(super) fn spoken(&self) -> Option<String> {
        let (first, last) = self.digits.as_ref()?.split_at_checked(4)?;
        Some(format!("{first} {last}"))
    }
}

/// The one tap: a form with a button for each wallet that opens for this phone.
pub(super) struct PayForm {
    pub(super) action: String,
    pub(super) sale: String,
    pub(super) version: u64,
    pub(super) total: i64,
    pub(super) shown: i64,
    /// The wallet's word for the form and the button's text.
    pub(super) wallets: Vec<(&'static str, &'static str)>,
}

impl BillPage {
    /// A page with a headline and nothing else yet.
    pub(super) fn blank(words: &'static Words) -> Self {
        Self {
            words,
            shop: String::new(),
            place: String::new(),
            base: String::new(),
            said: None,
            amount: None,
            headline: words.bill,
            note: None,
            wallet: None,
            window: None,
            pay: None,
            coupon: None,
            lines: vec![],
            less: vec![],
            coupons: vec![],
            subtotal: None,
            receipt: None,
            proof: None,
            live: None,
            mark: String::new(),
            again_s: None,
        }
    }

    /// Lines, discounts and coupons.
    pub(super) fn fill(&mut self, view: &SaleView) {
        let words = self.words;
        self.amount = Some(amount(view.total));
        self.subtotal = (!view.discounts.is_empty()).then(|| amount(view.subtotal));
        for line in view.lines.iter().filter(|line| line.state == LineState::Sold) {
            let mut name = words.name(&line.name, line.name_zh.as_deref());
            for modifier in &line.modifiers {
                name.push_str(" · ");
                name.push_str(&words.name(&modifier.name, modifier.name_zh.as_deref()));
            }
            self.lines.push(Row { quantity: line.quantity.clone(), name, amount: amount(line.amount) });
        }
        for discount in &view.discounts {
            let name = words.name(&discount.name, discount.name_zh.as_deref());
            let amount = format!("−{}", amount(discount.amount));
            self.less.push(Row { quantity: String::new(), name, amount });
        }
        for coupon in view.coupons.iter().filter(|coupon| coupon.missing.is_some_and(Money::is_positive)) {
            let name = words.name(&coupon.name, coupon.name_zh.as_deref());
            let missing = coupon.missing.map(amount).unwrap_or_default();
            self.coupons.push(format!("{name}: {}", words.missing(&missing)));
        }
    }

    /// Whether it thanks for the money.
    pub(super) fn is_paid(&self) -> bool {
        self.headline == self.words.paid
    }

    /// The address that shows this page in the other language.
    pub(super) fn other_language(&self) -> String {
        format!("{}?lang={}", self.base, self.words.other_lang)
    }
}

impl PayForm {
    /// The hidden fields say what this phone saw: a sale, its version and total, and when.
    pub(super) fn of(
        action: String,
        view: Option<&SaleView>,
        shown: i64,
        wallets: &[ProviderName],
        words: &Words,
    ) -> Self {
        Self {
            action,
            sale: view.map(|view| view.id.to_string()).unwrap_or_default(),
            version: view.map_or(0, |view| view.version),
            total: view.map_or(0, |view| view.total.minor),
            shown,
            wallets: wallets.iter().map(|wallet| (provider(*wallet), words.pay_with(*wallet))).collect(),
        }
    }
}

/// An amount as it stands on the page.
pub(super) fn amount(money: Money) -> String {
    format!("{}{}", money.currency.sign(), money.decimal())
}

/// The page for a code that leads nowhere.
pub(super) fn unknown(words: &'static Words) -> String {
    let page = BillPage { note: Some(words.unknown.to_owned()), ..BillPage::blank(words) };
    page.render().unwrap_or_default()
}
