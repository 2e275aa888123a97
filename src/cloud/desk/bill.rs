//! The bill as a phone sees it: looked up, folded, and drawn.

use super::said::Said;
use super::words::Words;
use super::{Cloud, Phone};
use crate::bundle::Bundle;
use crate::cloud::problem::Problem;
use crate::cloud::store::{OrderRow, OrderState, StoreError};
use crate::money::Money;
use crate::record::Record;
use crate::record::ids::{DeskId, SaleId, TerminalId};
use crate::sale::Sale;
use crate::view::{LineState, Phase, SaleView};
use askama::Template;

/// What stands on a desk, or behind an order, at one moment.
pub(super) struct Look {
    pub(super) sale: Option<Sale>,
    pub(super) terminal: Option<TerminalId>,
    pub(super) order: Option<OrderRow>,
    /// Where the page is, for its forms: `/d/table-4` or `/O/O1.…`.
    base: String,
    /// An order that a phone pays as it is, rather than a desk's bill.
    by_order: bool,
}

impl Look {
    /// The desk's bill; or the sale that this very phone has paid for.
    pub(super) async fn at_desk(
        cloud: &Cloud,
        desk: &DeskId,
        own: Option<SaleId>,
        phone: &Phone,
    ) -> Result<Self, Problem> {
        let base = format!("/d/{desk}");
        if let Some(own) = own
            && let Some(order) = cloud.store.order_of_sale(own).await?
            && phone.is(order.phone.as_deref())
        {
            let sale = fold(cloud, own).await?;
            let terminal = Some(order.terminal.clone());
            return Ok(Self { sale, terminal, order: Some(order), base, by_order: false });
        }
        let Some(standing) = cloud.store.desk_sale(desk.clone()).await? else {
            return Ok(Self { sale: None, terminal: None, order: None, base, by_order: false });
        };
        let order = cloud.store.order_of_sale(standing.sale).await?;
        let sale = fold(cloud, standing.sale).await?;
        // A finished bill is nobody's business but the payer's.
        let over = sale.as_ref().is_some_and(|sale| matches!(sale.phase(), Phase::Paid | Phase::Void));
        let mine = order.as_ref().is_some_and(|order| phone.is(order.phone.as_deref()));
        let sale = sale.filter(|_| mine || !over);
        Ok(Self { sale, terminal: Some(standing.terminal), order, base, by_order: false })
    }

    /// The bill of an order.
    pub(super) async fn at_order(cloud: &Cloud, order: OrderRow) -> Result<Self, Problem> {
        let sale = fold(cloud, order.sale).await?;
        let terminal = Some(order.terminal.clone());
        let base = format!("/O/{}", order.order_text);
        Ok(Self { sale, terminal, order: Some(order), base, by_order: true })
    }

    /// Whether the till answers at this moment.
    pub(super) fn till_is_there(&self, cloud: &Cloud) -> bool {
        self.terminal.as_ref().is_some_and(|till| cloud.heard.is_there(till, cloud.now_ms()))
    }

    /// What the page shows, in one word: it changes when the page does.
    pub(super) fn mark(&self, cloud: &Cloud) -> String {
        let sale = self.sale.as_ref().map(|sale| format!("{}-{}", sale.id, sale.version));
        let order = self.order.as_ref().map(|order| format!("{}-{}", order.intent, order.state.word()));
        let there = if self.till_is_there(cloud) { "there" } else { "silent" };
        format!("{}/{}/{there}", sale.unwrap_or_default(), order.unwrap_or_default())
    }

    /// Draws it.
    pub(super) fn page(
        &self,
        cloud: &Cloud,
        bundle: &Bundle,
        words: &'static Words,
        phone: &Phone,
        place: &str,
        said: Option<Said>,
    ) -> BillPage {
        let now_s = u64::try_from(cloud.now_s()).unwrap_or(0);
        let view = self.sale.as_ref().map(|sale| sale.view(bundle, now_s));
        let mut page = BillPage {
            words,
            shop: bundle.content.shop.name.clone(),
            place: place.to_owned(),
            said: said.map(|said| said.words(words)),
            amount: None,
            headline: words.bill,
            note: None,
            wallet: None,
            pay: None,
            coupon: None,
            lines: vec![],
            less: vec![],
            coupons: vec![],
            subtotal: None,
            live: self.live(),
            mark: self.mark(cloud),
        };
        if let Some(view) = &view {
            fill(&mut page, view, words);
        } else if let Some(order) = self.order.as_ref().filter(|_| self.by_order) {
            page.amount = Some(amount(order.amount));
        }
        self.decide(cloud, &mut page, view.as_ref(), phone);
        page
    }

    fn live(&self) -> Option<String> {
        (!self.by_order).then(|| match &self.sale {
            Some(sale) => format!("{}/live?sale={}", self.base, sale.id),
            None => format!("{}/live", self.base),
        })
    }

    /// What can be done on it.
    fn decide(&self, cloud: &Cloud, page: &mut BillPage, view: Option<&SaleView>, phone: &Phone) {
        let words = page.words;
        let receipt = self.sale.as_ref().and_then(|sale| sale.receipt.as_ref()).map(|receipt| receipt.number);
        let state = self.order.as_ref().map(|order| order.state);
        let mine = self.order.as_ref().is_some_and(|order| phone.is(order.phone.as_deref()));
        let nothing = view.is_none() && page.amount.is_none();
        if view.is_some_and(|view| view.phase == Phase::Paid) || (state == Some(OrderState::Paid) && mine) {
            page.headline = words.paid;
            page.note = Some(match receipt {
                Some(number) => format!("{} {number}", words.receipt),
                None => words.receipt_coming.to_owned(),
            });
            return;
        }
        if nothing || view.is_some_and(|view| view.phase == Phase::Void || view.lines.is_empty()) {
            page.note = Some(words.empty.to_owned());
            page.amount = None;
            return;
        }
        match state {
            Some(
                OrderState::Claimed | OrderState::Starting | OrderState::Started | OrderState::Withdrawing,
            ) => {
                if mine {
                    page.note = Some(words.waiting.to_owned());
                    page.wallet = self.order.as_ref().and_then(|order| order.qr_text.clone());
                } else {
                    page.note = Some(words.other_phone.to_owned());
                }
                return;
            }
            Some(OrderState::Paid) => {
                page.note = Some(words.other_phone.to_owned());
                return;
            }
            Some(OrderState::Open) if self.by_order => {}
            Some(
                OrderState::Open
                | OrderState::Withdrawn
                | OrderState::Ended
                | OrderState::PaidLate
                | OrderState::Refunded,
            ) if self.by_order => {
                page.note = Some(words.counter.to_owned());
                return;
            }
            Some(
                OrderState::Open
                | OrderState::Withdrawn
                | OrderState::Ended
                | OrderState::PaidLate
                | OrderState::Refunded,
            )
            | None => {}
        }
        self.offer(cloud, page, view);
    }

    /// Offers a button to pay, where no phone pays yet and the till is there to answer.
    fn offer(&self, cloud: &Cloud, page: &mut BillPage, view: Option<&SaleView>) {
        let words = page.words;
        // The till has drawn an order, which is not here yet.
        if !self.by_order && view.is_some_and(|view| view.phase == Phase::Paying) {
            page.note = Some(words.other_phone.to_owned());
            return;
        }
        let payable = view.is_none_or(|view| {
            view.total.is_positive() && (self.by_order || matches!(view.phase, Phase::Basket | Phase::Tender))
        });
        if !payable || cloud.accounts.wallets.is_empty() || !self.till_is_there(cloud) {
            page.note = Some(words.counter.to_owned());
            return;
        }
        page.pay = Some(PayForm {
            action: format!("{}/pay", self.base),
            sale: view.map(|view| view.id.to_string()).unwrap_or_default(),
            version: view.map_or(0, |view| view.version),
            total: view.map_or(0, |view| view.total.minor),
            shown: cloud.now_ms(),
        });
        page.coupon = (!self.by_order).then(|| format!("{}/coupon", self.base));
    }
}

fn fill(page: &mut BillPage, view: &SaleView, words: &Words) {
    page.amount = Some(amount(view.total));
    page.subtotal = (!view.discounts.is_empty()).then(|| amount(view.subtotal));
    for line in view.lines.iter().filter(|line| line.state == LineState::Sold) {
        let mut name = words.name(&line.name, line.name_zh.as_deref());
        for modifier in &line.modifiers {
            name.push_str(" · ");
            name.push_str(&words.name(&modifier.name, modifier.name_zh.as_deref()));
        }
        page.lines.push(Row { quantity: line.quantity.clone(), name, amount: amount(line.amount) });
    }
    for discount in &view.discounts {
        let name = words.name(&discount.name, discount.name_zh.as_deref());
        page.less.push(Row {
            quantity: String::new(),
            name,
            amount: format!("−{}", amount(discount.amount)),
        });
    }
    for coupon in view.coupons.iter().filter(|coupon| coupon.missing.is_some_and(Money::is_positive)) {
        let name = words.name(&coupon.name, coupon.name_zh.as_deref());
        let missing = coupon.missing.map(amount).unwrap_or_default();
        page.coupons.push(format!("{name}: {missing} {}", words.coupon_missing));
    }
}

/// Folds the records of a sale that have arrived.
pub(super) async fn fold(cloud: &Cloud, sale: SaleId) -> Result<Option<Sale>, StoreError> {
    let stored = cloud.store.sale_records(sale).await?;
    // They were opened before they were kept: one that does not open now is the disk's error.
    let records: Result<Vec<Record>, _> =
        stored.into_iter().map(|record| Record::open(record.head, record.salt, record.body)).collect();
    let records = records.map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(Sale::fold(&records))
}

fn amount(money: Money) -> String {
    format!("{}{}", money.currency.sign(), money.decimal())
}

/// The page.
#[derive(Template)]
#[template(path = "bill.html")]
pub(super) struct BillPage {
    words: &'static Words,
    shop: String,
    place: String,
    said: Option<&'static str>,
    amount: Option<String>,
    headline: &'static str,
    note: Option<String>,
    wallet: Option<String>,
    pay: Option<PayForm>,
    coupon: Option<String>,
    lines: Vec<Row>,
    less: Vec<Row>,
    coupons: Vec<String>,
    subtotal: Option<String>,
    live: Option<String>,
    mark: String,
}

struct Row {
    quantity: String,
    name: String,
    amount: String,
}

struct PayForm {
    action: String,
    sale: String,
    version: u64,
    total: i64,
    shown: i64,
}

/// The page for a code that leads nowhere.
pub(super) fn unknown(words: &'static Words) -> String {
    let page = BillPage {
        words,
        shop: String::new(),
        place: String::new(),
        said: None,
        amount: None,
        headline: words.bill,
        note: Some(words.unknown.to_owned()),
        wallet: None,
        pay: None,
        coupon: None,
        lines: vec![],
        less: vec![],
        coupons: vec![],
        subtotal: None,
        live: None,
        mark: String::new(),
    };
    page.render().unwrap_or_default()
}
