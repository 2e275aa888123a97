//! What screens show: the latest state in values that a page or a stream of events can carry.
//!
//! A view is made after each commit, from the till's state and the bundle; screens read the latest one
//! and nobody pushes. Not here: the state of ports and of the way to the cloud, which are not the
//! till's to know (`inbox::Board`).

mod blank;
mod disk;
mod exposure;
mod payment;

use crate::counter::refusal::Told;
use crate::money::{Currency, Money};
use crate::queue::Cases;
use crate::record::Epoch;
use crate::record::body::TypeSize;
use crate::record::chain::Tip;
use crate::record::epochs::Standing;
use crate::record::ids::{DeskId, IntentId, JobId, RefundId, SaleId, StaffId, StationId, TerminalId};
use crate::record::line::{LineId, Modifier, Unit};
use crate::staff::Role;
pub use disk::{Disk, DiskState};
pub use exposure::{ClockView, Demand, Exposure, LeaseView};
pub use payment::{PaymentView, SafeAct};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that the till's screens show.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct View {
    /// Which till.
    pub terminal: TerminalId,
    /// Which life of its journal.
    pub epoch: Epoch,
    /// Whether a manager has to look at how it began; until then the till takes cash only.
    pub standing: Standing,
    /// The journal's end.
    pub tip: Tip,
    /// Whether it sells.
    pub selling: Selling,
    /// The room on its disk; none where the system does not say.
    pub disk: Option<Disk>,
    /// The shop's name; empty before the first bundle.
    pub shop: String,
    /// Its currency.
    pub currency: Currency,
    /// The bundle in force.
    pub bundle_version: u64,
    /// People who can sign in. Nobody means that the first manager is missing.
    pub staff: Vec<StaffView>,
    /// What stands where.
    pub stations: BTreeMap<StationId, StationView>,
    /// Sales put aside.
    pub held: Vec<SaleView>,
    /// Desks, in the bundle's order.
    pub desks: Vec<DeskView>,
    /// Keys on the cashier's screen.
    pub menu: Vec<KeyView>,
    /// Ways to pay besides the customer's pay code and cash.
    pub ways: Ways,
    /// What is at risk until the cloud has ruled on it.
    pub exposure: Exposure,
    /// Whether the clock is believed.
    pub clock: ClockView,
    /// What is at hand of campaigns with a quota.
    pub leases: Vec<LeaseView>,
    /// What needs a person.
    pub attention: Vec<Attention>,
    /// What goes on or went on elsewhere than in front, to be known.
    pub notices: Vec<Notice>,
    /// The shift under way.
    pub shift: Option<ShiftView>,
    /// What was counted while no shift was open, since the last.
    pub between_shifts: Option<ShiftView>,
    /// What a closing shift would leave to the next: sales, payments and refunds that are not finished.
    pub carried: usize,
    /// The last receipts, newest first.
    pub recent: Vec<PaidView>,
    /// Records that are not simply on their way to head office: for the manager's page, which says more of each.
    #[serde(skip)]
    pub cases: Arc<Cases>,
}

/// Ways to pay besides the customer's pay code and cash.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Ways {
    /// A code that the till shows.
    pub code: CodeWay,
    /// Stored value, with the member's code.
    pub stored_value: bool,
}

/// What the till can show for a phone to scan.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeWay {
    /// Nothing.
    #[default]
    None,
    /// An order, whose page lets the phone choose its wallet.
    Order,
    /// Codes of these wallets: `alipay`, `wechat`.
    Wallets(Vec<&'static str>),
}

/// Whether the till sells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Selling {
    /// It does.
    Open,
    /// It cannot write its journal.
    ReadOnly(String),
}

/// A person who can sign in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StaffView {
    /// Slug.
    pub id: StaffId,
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
}

/// One station.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StationView {
    /// Who is signed in.
    pub staff: Option<StaffId>,
    /// The sale in front.
    pub sale: Option<SaleView>,
    /// The last sale that was paid here, until the next begins.
    pub paid: Option<PaidView>,
    /// What the till last said to the cashier here.
    pub told: Option<Told>,
    /// The receipt that was scanned here last, until something else happens: its return can be opened.
    pub shown: Option<ReceiptShown>,
}

/// A receipt of this till that a customer shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReceiptShown {
    /// Of which sale.
    pub sale: SaleId,
    /// Its number as people write it, `9f3c-004217`.
    pub number: String,
    /// Grows with each receipt that is shown at this till: shown again is another time.
    pub times: u64,
}

/// A sale that is not finished.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SaleView {
    /// Which.
    pub id: SaleId,
    /// How many records it has: an act names the version it was aimed at.
    pub version: u64,
    /// Whose.
    pub station: StationId,
    /// The desk it stands on.
    pub desk: Option<DeskId>,
    /// Its lines, voided ones too.
    pub lines: Vec<LineView>,
    /// Coupons on it.
    pub coupons: Vec<CouponView>,
    /// The end of the member's reference: no screen has all of it.
    pub member: Option<String>,
    /// How large its customer wants the paper.
    pub size: TypeSize,
    /// Sum of lines before offers.
    pub subtotal: Money,
    /// What offers take off, by name.
    pub discounts: Vec<DiscountView>,
    /// Offers and coupons that the basket deserves and that are not given: this till has no use of their campaign left.
    pub without: Vec<WithoutView>,
    /// Tax in or on it.
    pub tax: Money,
    /// What is to pay.
    pub total: Money,
    /// What is paid of it.
    pub paid: Money,
    /// What is still to pay, once it is fixed.
    pub due: Option<Money>,
    /// What the next tender takes of that, where it is not all.
    pub part: Option<Money>,
    /// What is paid, by means, oldest wallet first, then cash.
    pub tenders: Vec<TenderView>,
    /// Where it is on its way.
    pub phase: Phase,
    /// Its attempts to move money, oldest first.
    pub payments: Vec<PaymentView>,
}

/// A part of a sale that is paid.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TenderView {
    /// `cash`, `voucher`, `alipay`, `wechat`, `house`.
    pub means: &'static str,
    /// How much, change taken off.
    pub amount: Money,
}

/// Where a sale is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The basket is open.
    Basket,
    /// The total is fixed; money is awaited.
    Tender,
    /// A payment is under way.
    Paying,
    /// Paid.
    Paid,
    /// Given up.
    Void,
    /// Holds a record that this build cannot read.
    Frozen,
}

/// A line.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LineView {
    /// Its number.
    pub id: LineId,
    /// Name as sold.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
    /// Quantity as people write it.
    pub quantity: String,
    /// What it counts.
    pub unit: Unit,
    /// What is in a pack that is charged by the piece or by the price on its label, with its unit.
    pub net: Option<String>,
    /// Price of one.
    pub price: Money,
    /// Quantity times price.
    pub amount: Money,
    /// Choices.
    pub modifiers: Vec<Modifier>,
    /// Whether it counts.
    pub state: LineState,
}

/// Whether a line counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// It does.
    Sold,
    /// It was voided.
    Void,
}

/// A coupon on a sale.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CouponView {
    /// Its serial.
    pub serial: String,
    /// What it is called.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
    /// What is missing to its least basket.
    pub missing: Option<Money>,
}

/// A discount.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DiscountView {
    /// What it is called.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
    /// What came off.
    pub amount: Money,
}

/// Something that is not given because its campaign's share of this till is used up.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct WithoutView {
    /// What it is called.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
}

/// A sale that was paid.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PaidView {
    /// Which.
    pub sale: SaleId,
    /// Its receipt.
    pub receipt: u64,
    /// What it came to.
    pub total: Money,
    /// Change to give.
    pub change: Option<Money>,
    /// The wallet that paid, if one.
    pub wallet: Option<String>,
    /// How its paper stands.
    pub paper: &'static str,
    /// When, Unix milliseconds by the till's wall clock.
    pub at_ms: i64,
}

/// A desk.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DeskView {
    /// Its slug.
    pub id: DeskId,
    /// What people call it.
    pub name: String,
    /// The bill on it.
    pub sale: Option<SaleView>,
}

/// A menu key.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct KeyView {
    /// Page.
    pub page: String,
    /// Row, from 1.
    pub row: u8,
    /// Column, from 1.
    pub column: u8,
    /// The item.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
    /// Its price; none where it is typed.
    pub price: Option<Money>,
    /// Choices.
    pub modifiers: Vec<Modifier>,
}

/// Something that needs a person.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Attention {
    /// Stable word: `paper_unconfirmed`, `paper_failed`, `drawer_unconfirmed`, `payment_unsure`,
    /// `refund_refused`, `sale_frozen`, `verdict_refused`, `clock_distrusted`, `new_books`,
    /// `forgetting_waits`.
    pub code: &'static str,
    /// What it is about, a sentence.
    pub words: String,
    /// The sale.
    pub sale: Option<SaleId>,
    /// The job or kick to settle.
    pub job: Option<JobId>,
    /// The payment.
    pub intent: Option<IntentId>,
    /// The refund.
    pub refund: Option<RefundId>,
}

/// Something to be known, that needs nobody.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Notice {
    /// Stable word: `parked_paid`, `parked_in_part`, `parked_unpaid`, `late_money`, `refund_waiting`.
    pub code: &'static str,
    /// Whose.
    pub station: StationId,
    /// The sale.
    pub sale: SaleId,
    /// How much it is about.
    pub amount: Money,
    /// Its receipt, where it has one.
    pub receipt: Option<u64>,
    /// When, Unix milliseconds by the till's wall clock.
    pub at_ms: i64,
    /// Whether it stays until a person has seen it; else it goes by itself.
    pub seen: Seen,
}

/// How a notice goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Once a person has seen it.
    ByAPerson,
    /// By itself, when what it tells of has ended.
    ByItself,
}

/// A shift under way: its totals are a fold over the records.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ShiftView {
    /// Its number.
    pub number: u32,
    /// Sales paid.
    pub sales: u64,
    /// What they came to.
    pub total: Money,
    /// Tax in it.
    pub tax: Money,
    /// What offers took off.
    pub discounts: Money,
    /// Cash taken less change.
    pub cash: Money,
    /// Cash given back.
    pub cash_back: Money,
    /// Wallets.
    pub wallets: Money,
    /// Vouchers.
    pub vouchers: Money,
    /// Given back.
    pub refunds: Money,
    /// Cash that should be in the drawer.
    pub expected: Money,
}
