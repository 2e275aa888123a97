//! The bill as a phone sees it: looked up, folded, and what can be done on it.
//!
//! Not here: the page's tables and template (`page`), the receipt (`receipt`).

use super::page::{BillPage, PayForm, ProofShown, amount};
use super::receipt::PaidBill;
use super::said::Said;
use super::words::Words;
use super::{Cloud, Phone};
use crate::bundle::Bundle;
use crate::cloud::problem::Problem;
use crate::cloud::store::{OrderRow, OrderState, StoreError};
use crate::record::Record;
use crate::record::ids::{DeskId, SaleId, TerminalId};
use crate::sale::{IntentState, Sale};
use crate::token::Token;
use crate::view::{Phase, SaleView};

/// How soon a page without scripts is fetched anew while something is under way, and while nothing is.
const WAITING_S: u32 = 3;
const EMPTY_S: u32 = 10;

/// How long a till that answers gets to say that it knows of a payment, before the phone shows the proof.
const TILL_TELLS_MS: i64 = 5_000;

/// What stands on a desk, or behind an order, at one moment.
pub(super) struct Look {
    pub(super) sale: Option<Sale>,
    pub(super) terminal: Option<TerminalId>,
    pub(super) order: Option<OrderRow>,
    /// Its till draws no orders for now, though it answers.
    cash_only: bool,
    /// Where the page is, for its forms: `/d/table-4` or `/O/O1.…`.
    base: String,
    /// An order that a phone pays as it is, rather than a desk's bill.
    by_order: bool,
    /// The digits that stand in for the order's proof.
    digits: Option<String>,
}

impl Look {
    /// The desk's bill; or the sale that this very phone pays or has paid for.
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
            && (order.state == OrderState::Paid || under_way(&order))
        {
            let sale = fold(cloud, own).await?;
            let terminal = Some(order.terminal.clone());
            return Ok(Self { sale, terminal, order: Some(order), ..Self::nothing(base) });
        }
        let Some(standing) = cloud.store.desk_sale(desk.clone()).await? else {
            return Ok(Self::nothing(base));
        };
        let order = cloud.store.order_of_sale(standing.sale).await?;
        let sale = fold(cloud, standing.sale).await?;
        // A finished bill is nobody's business but the payer's.
        let over = sale.as_ref().is_some_and(|sale| matches!(sale.phase(), Phase::Paid | Phase::Void));
        let mine = order.as_ref().is_some_and(|order| phone.is(order.phone.as_deref()));
        let sale = sale.filter(|_| mine || !over);
        let (terminal, cash_only) = (Some(standing.terminal), standing.cash_only);
        Ok(Self { sale, terminal, order, cash_only, ..Self::nothing(base) })
    }

    fn nothing(base: String) -> Self {
        Self {
            sale: None,
            terminal: None,
            order: None,
            cash_only: false,
            base,
            by_order: false,
            digits: None,
        }
    }

    /// The bill of an order.
    pub(super) async fn at_order(cloud: &Cloud, order: OrderRow) -> Result<Self, Problem> {
        let sale = match order.sale {
            Some(sale) => fold(cloud, sale).await?,
            None => None,
        };
        let terminal = Some(order.terminal.clone());
        let base = format!("/O/{}", order.order_text);
        let digits = digits(cloud, &order).await?;
        Ok(Self { sale, terminal, order: Some(order), by_order: true, digits, ..Self::nothing(base) })
    }

    /// Whether the till answers at this moment.
    fn till_is_there(&self, cloud: &Cloud) -> bool {
        self.terminal.as_ref().is_some_and(|till| cloud.heard.is_there(till, cloud.now_ms()))
    }

    /// Whether the till would draw an order for a phone at this moment.
    pub(super) fn till_draws(&self, cloud: &Cloud) -> bool {
        !self.cash_only && self.till_is_there(cloud)
    }

    /// Whether the till will hear of a payment by itself: it answers, and it was the till that brought the order.
    fn will_hear(&self, cloud: &Cloud) -> bool {
        let brought = self.order.as_ref().is_some_and(|order| order.sale.is_some());
        brought && self.till_is_there(cloud)
    }

    /// What the page shows, in one word: it changes when the page does.
    pub(super) fn mark(&self, cloud: &Cloud) -> String {
        let sale = self.sale.as_ref().map(|sale| format!("{}-{}", sale.id, sale.version));
        let order = self.order.as_ref().map(|order| format!("{}-{}", order.intent, order.state.word()));
        let there = if self.till_draws(cloud) { "there" } else { "silent" };
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
        let view = self.sale.as_ref().map(|sale| sale.view(bundle, &bundle.quotas(), now_s));
        let mut page = BillPage {
            shop: bundle.content.shop.name.clone(),
            place: place.to_owned(),
            base: self.base.clone(),
            said: said.map(|said| said.words(words)),
            live: self.live(),
            mark: self.mark(cloud),
            ..BillPage::blank(words)
        };
        if let Some(view) = &view {
            page.fill(view);
        } else if let Some(order) = self.order.as_ref().filter(|_| self.by_order) {
            page.amount = Some(amount(order.amount));
        }
        self.decide(cloud, &mut page, view.as_ref(), phone);
        if let (Some(sale), Some(terminal)) = (self.sale.as_ref().filter(|_| page.is_paid()), &self.terminal)
        {
            page.receipt = PaidBill::of(sale, terminal, bundle, words);
        }
        if page.is_paid() && page.receipt.is_none() {
            page.again_s = Some(WAITING_S);
            page.proof = self.proof(cloud, bundle);
            let note = if page.proof.is_some() { words.show_cashier } else { words.receipt_coming };
            page.note = Some(note.to_owned());
        }
        page
    }

    /// What the phone that paid shows at the counter, where the till has not said by itself that it knows.
    fn proof(&self, cloud: &Cloud, bundle: &Bundle) -> Option<ProofShown> {
        let order = self.order.as_ref().filter(|order| self.by_order && order.state == OrderState::Paid)?;
        let soon = cloud.now_ms().saturating_sub(order.changed_ms) < TILL_TELLS_MS;
        if soon && self.will_hear(cloud) {
            return None;
        }
        let text = order.proof.clone()?;
        let limit = bundle.content.limits.typed_proof_minor;
        let digits = self.digits.clone().filter(|_| order.amount.minor <= limit);
        Some(ProofShown { symbol: crate::paper::svg(&text)?, text, digits })
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
        let state = self.order.as_ref().map(|order| order.state);
        let mine = self.order.as_ref().is_some_and(|order| phone.is(order.phone.as_deref()));
        let nothing = view.is_none() && page.amount.is_none();
        let paid_late = |order: &OrderRow| {
            let intent = self.sale.as_ref().and_then(|sale| sale.intent(order.intent));
            matches!(order.state, OrderState::PaidLate | OrderState::Refunded)
                || intent.is_some_and(|intent| intent.state == IntentState::PaidLate)
        };
        let is_paid = view.is_some_and(|view| view.phase == Phase::Paid);
        if mine && !is_paid && self.order.as_ref().is_some_and(paid_late) {
            // A desk's bill may be paid again below.
            page.note = Some(words.goes_back.to_owned());
            if self.by_order {
                return;
            }
        } else if view.is_some_and(|view| view.phase == Phase::Paid)
            || (state == Some(OrderState::Paid) && mine)
        {
            page.headline = words.paid;
            return;
        }
        if nothing || view.is_some_and(|view| view.phase == Phase::Void || view.lines.is_empty()) {
            page.note = Some(words.empty.to_owned());
            page.amount = None;
            page.again_s = Some(EMPTY_S);
            return;
        }
        match state {
            Some(
                OrderState::Claimed | OrderState::Starting | OrderState::Started | OrderState::Withdrawing,
            ) => {
                page.again_s = Some(WAITING_S);
                if mine {
                    page.note = Some(words.waiting.to_owned());
                    self.lead_to_wallet(page);
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
        self.offer(cloud, page, view, phone);
    }

    /// An address is gone to; anything else is for WeChat's own window, which the page opens by itself.
    fn lead_to_wallet(&self, page: &mut BillPage) {
        let order = self.order.as_ref().filter(|order| order.state == OrderState::Started);
        let Some(opens) = order.and_then(|order| order.qr_text.clone()) else { return };
        if is_window(&opens) {
            page.window = Some(opens);
        } else {
            page.wallet = Some(opens);
        }
    }

    /// Offers a button for each wallet, where no phone pays yet and the till is there to answer.
    fn offer(&self, cloud: &Cloud, page: &mut BillPage, view: Option<&SaleView>, phone: &Phone) {
        let words = page.words;
        // The till has drawn an order, which is not here yet.
        if !self.by_order && view.is_some_and(|view| view.phase == Phase::Paying) {
            page.note = Some(words.other_phone.to_owned());
            page.again_s = Some(WAITING_S);
            return;
        }
        let payable = view.is_none_or(|view| {
            view.total.is_positive() && (self.by_order || matches!(view.phase, Phase::Basket | Phase::Tender))
        });
        let wallets = phone.wallets(cloud);
        // What a till has signed can be paid while it is silent: the phone brings the proof back. A desk's bill cannot:
        // the till has yet to sign it.
        let draws = self.till_draws(cloud);
        if !payable || !(self.by_order || draws) || cloud.accounts.wallets.is_empty() {
            page.note = Some(words.counter.to_owned());
            page.again_s = Some(EMPTY_S);
            return;
        }
        if wallets.is_empty() {
            page.note = Some(words.no_wallet_here.to_owned());
            return;
        }
        if self.by_order && !self.will_hear(cloud) {
            page.note = Some(words.will_show.to_owned());
        }
        let action = format!("{}/pay", self.base);
        page.pay = Some(PayForm::of(action, view, cloud.now_ms(), &wallets, words));
        page.coupon = (!self.by_order).then(|| format!("{}/coupon", self.base));
    }
}

/// The eight digits for an order, once it is paid.
async fn digits(cloud: &Cloud, order: &OrderRow) -> Result<Option<String>, StoreError> {
    if order.state != OrderState::Paid {
        return Ok(None);
    }
    let till = cloud.store.terminal(order.terminal.clone()).await?;
    let signed = crate::token::parse(&order.order_text).ok();
    let (Some(till), Some(Token::Order(signed))) = (till, signed) else { return Ok(None) };
    let key = cloud.keys.proof_key(&till.id, &till.public_key);
    let order = signed.verify_with(&till.public_key).ok();
    Ok(order.and_then(|order| order.typed_proof(&key).ok()))
}

/// Whether a phone is paying it, as far as the cloud knows.
pub(super) fn under_way(order: &OrderRow) -> bool {
    match order.state {
        OrderState::Claimed | OrderState::Starting | OrderState::Started | OrderState::Withdrawing => true,
        OrderState::Open
        | OrderState::Paid
        | OrderState::Withdrawn
        | OrderState::Ended
        | OrderState::PaidLate
        | OrderState::Refunded => false,
    }
}

/// Whether a started order opens in WeChat's window (a JSON object) rather than at an address.
pub(super) fn is_window(opens: &str) -> bool {
    opens.starts_with('{')
}

/// Folds the records of a sale that have arrived.
pub(super) async fn fold(cloud: &Cloud, sale: SaleId) -> Result<Option<Sale>, StoreError> {
    let stored = cloud.store.sale_records(sale).await?;
    // They were opened before they were kept: one that does not open now is the disk's error.
    let records: Result<Vec<Record>, _> =
        stored.into_iter().map(|record| Record::kept(record.head, record.salt, record.body)).collect();
    let records = records.map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(Sale::fold(&records))
}
