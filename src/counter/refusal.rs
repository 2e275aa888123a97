//! A no, with words for the cashier that say what to do next.

use super::proofs::NotProven;
use super::vouchers::NoVoucher;
use crate::limits::Limited;
use crate::money::Money;
use crate::receipt::NotOurs;
use crate::token::TokenError;
use serde::{Deserialize, Serialize};

/// Why an event changes nothing. Nothing of it was done.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody is signed in here.
    #[error("Sign in first.")]
    SignInFirst,
    /// The act is a manager's.
    #[error("A manager has to approve this with a PIN.")]
    NeedsManager,
    /// There are people already.
    #[error("There is a manager already. A manager can add people.")]
    NotTheFirst,
    /// That slug is taken or unknown.
    #[error("{0}")]
    Staff(&'static str),
    /// The shift is not in the state for it.
    #[error("{0}")]
    Shift(&'static str),
    /// No sale in front.
    #[error("There is no sale here yet. Scan an item or press a menu key.")]
    NoSale,
    /// The person saw another sale or another state of it.
    #[error("The sale has changed since this screen was drawn. Look at it again.")]
    SaleMoved,
    /// The basket is fixed for payment.
    #[error("The total is fixed. Press Back to change the basket.")]
    TotalIsFixed,
    /// The basket is not yet fixed.
    #[error("Press Pay first, then scan the customer's code.")]
    PressPayFirst,
    /// A phone may be paying it right now.
    #[error("A phone is paying this bill. Wait for it, or take the bill back first.")]
    PhoneIsPaying,
    /// Nothing is set up that a phone could scan.
    #[error("Nothing is set up here that a phone pays by scanning. Scan the customer's code, or take cash.")]
    NoCodeHere,
    /// Two wallets, and no word which.
    #[error("Choose Alipay or WeChat Pay: its own app scans the code.")]
    ChooseWallet,
    /// The time is not known well enough to sign an order.
    #[error(
        "The till is not sure of the time and shows no code. Head office sets its clock: try again, or scan the customer's code."
    )]
    ClockUnsure,
    /// The clock is not believed, and this has an expiry date.
    #[error(
        "The till's clock cannot be believed, and this has an expiry date. Take another means of payment; it can be taken again once head office has told the time."
    )]
    ClockDistrusted,
    /// The till has no use left of the campaign that a coupon is of.
    #[error(
        "This till's share of the coupon's campaign is used up. Sell without it; it can be taken again once head office has sent more."
    )]
    QuotaSpent,
    /// A limit keeps it out while the cloud cannot be reached.
    #[error("{0}")]
    Limit(Limited),
    /// Head office has yet to say that the last order is off.
    #[error("Head office has not confirmed yet that the old code is off. Wait a moment, or take cash.")]
    CodeUnsettled,
    /// No member's code is at hand.
    #[error("Scan the member's code: a fresh one from the phone.")]
    NoMemberCode,
    /// A payment is under way.
    #[error("A payment is under way. Wait for it, or cancel it first.")]
    PaymentUnderWay,
    /// The same code again.
    #[error("This code was used already. Ask the customer to refresh the code.")]
    CodeUsed,
    /// A part of it is paid.
    #[error("A part of it is paid. Take the rest, or give the sale up: what was paid goes back.")]
    PaidInPart,
    /// That cannot be given back.
    #[error("{0}")]
    Back(String),
    /// Nothing to pay.
    #[error("There is nothing to pay.")]
    NothingToPay,
    /// Too little cash.
    #[error("{missing} are missing.")]
    NotEnough {
        /// How much.
        missing: Money,
    },
    /// More cash than anyone hands over.
    #[error("{received} is more than anyone hands over for {due}. Type the amount again.")]
    TooMuch {
        /// What was typed.
        received: Money,
        /// What is due.
        due: Money,
    },
    /// The bar code is on no item.
    #[error("No item has the code {0}. Press a menu key, or ask the manager to add it.")]
    UnknownItem(String),
    /// The date on the pack has passed.
    #[error("{0}")]
    Expired(String),
    /// The menu key sells nothing, or not so.
    #[error("{0}")]
    Key(String),
    /// An open price is missing.
    #[error("{0} has no fixed price. Type the price.")]
    PriceMissing(String),
    /// The scan makes no sense here.
    #[error("{0}")]
    Scan(String),
    /// One of our codes does not hold.
    #[error("This code cannot be taken: {0}.")]
    Token(#[from] TokenError),
    /// A receipt opens no sale here.
    #[error(transparent)]
    Receipt(#[from] NotOurs),
    /// A customer's proof closes nothing here.
    #[error(transparent)]
    Proof(#[from] NotProven),
    /// A voucher cannot be taken here.
    #[error(transparent)]
    Voucher(#[from] NoVoucher),
    /// A coupon cannot be taken here.
    #[error("{0}")]
    Coupon(String),
    /// There is no such line, or it is void.
    #[error("That line is not in the sale.")]
    NoSuchLine,
    /// A number that no line can have.
    #[error("The quantity is from 1 to 999.")]
    Quantity,
    /// The sale is full.
    #[error("The sale has {0} lines, more do not fit. Take payment and open another.")]
    SaleFull(usize),
    /// Lines times discounts are more than one record carries.
    #[error("This bill is too long to be written down. Void some lines and sell them on a second bill.")]
    BillTooLong,
    /// An amount that cannot be.
    #[error("{0}")]
    Amount(String),
    /// The desk is not known, or not free, or empty.
    #[error("{0}")]
    Desk(String),
    /// That cannot be done with a record on its way to head office, or not in its state.
    #[error("{0}")]
    Queue(&'static str),
    /// What the act is about is not there, or not in the state for it.
    #[error("{0}")]
    NotNow(&'static str),
    /// The sale holds a record that this build cannot read.
    #[error("This sale was written by another version of Till and is frozen. A manager decides about it.")]
    Frozen,
    /// The till began anew after its books were lost, and no manager has looked yet.
    #[error(
        "This till lost its books and began new ones: it takes cash only, until a manager has adopted them on the manager's page."
    )]
    CashOnly,
    /// The books that say whether this code was taken here are lost, and head office cannot be asked.
    #[error(
        "This till lost its earlier books: only head office knows whether this code was used here. Sell without it, or scan it when the line is back."
    )]
    BooksLost,
    /// The disk is nearly full: what is under way is finished, nothing new is begun.
    #[error(
        "The till's disk is full: nothing new can be sold. What was begun can be paid. Call the manager."
    )]
    DiskFull,
    /// The journal cannot be written: selling stopped.
    #[error("The till cannot save to its disk and has stopped selling. Call the manager.")]
    ReadOnly,
    /// The door into the till is full or shut.
    #[error("The till is busy. Try again.")]
    Busy,
}

impl Refusal {
    /// A stable word for pages and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignInFirst => "sign_in_first",
            Self::NeedsManager => "needs_manager",
            Self::NotTheFirst => "not_the_first",
            Self::Staff(_) => "staff",
            Self::Shift(_) => "shift",
            Self::NoSale => "no_sale",
            Self::SaleMoved => "sale_moved",
            Self::TotalIsFixed => "total_is_fixed",
            Self::PressPayFirst => "press_pay_first",
            Self::PhoneIsPaying => "phone_is_paying",
            Self::NoCodeHere => "no_code_here",
            Self::ChooseWallet => "choose_wallet",
            Self::ClockUnsure => "clock_unsure",
            Self::ClockDistrusted => "clock_distrusted",
            Self::QuotaSpent => "quota_spent",
            Self::Limit(limited) => limited.code(),
            Self::CodeUnsettled => "code_unsettled",
            Self::NoMemberCode => "no_member_code",
            Self::PaymentUnderWay => "payment_under_way",
            Self::CodeUsed => "code_used",
            Self::PaidInPart => "paid_in_part",
            Self::Back(_) => "back",
            Self::NothingToPay => "nothing_to_pay",
            Self::NotEnough { .. } => "not_enough",
            Self::TooMuch { .. } => "too_much",
            Self::UnknownItem(_) => "unknown_item",
            Self::Expired(_) => "expired",
            Self::Key(_) => "key",
            Self::PriceMissing(_) => "price_missing",
            Self::Scan(_) => "scan",
            Self::Token(_) => "token",
            Self::Receipt(_) => "receipt",
            Self::Proof(_) => "proof",
            Self::Voucher(_) => "voucher",
            Self::Coupon(_) => "coupon",
            Self::NoSuchLine => "no_such_line",
            Self::Quantity => "quantity",
            Self::SaleFull(_) => "sale_full",
            Self::BillTooLong => "bill_too_long",
            Self::Amount(_) => "amount",
            Self::Desk(_) => "desk",
            Self::Queue(_) => "queue",
            Self::NotNow(_) => "not_now",
            Self::Frozen => "frozen",
            Self::CashOnly => "cash_only",
            Self::BooksLost => "books_lost",
            Self::DiskFull => "disk_full",
            Self::ReadOnly => "read_only",
            Self::Busy => "busy",
        }
    }
}

/// What a page is told of a refusal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The stable word.
    pub code: String,
    /// The sentence.
    pub words: String,
}

impl From<&Refusal> for Told {
    fn from(refusal: &Refusal) -> Self {
        Self { code: refusal.code().to_owned(), words: refusal.to_string() }
    }
}

impl From<crate::money::MoneyError> for Refusal {
    fn from(error: crate::money::MoneyError) -> Self {
        Self::Amount(format!("That amount cannot be: {error}."))
    }
}
