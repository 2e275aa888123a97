//! Payments that tills send through the cloud, and the ledger of stored value.
//!
//! Not here: calling wallets (`wallets`), and whose code a member shows (`house`).

use super::{NoticeBody, Reply};
use crate::money::{Currency, Money};
use crate::record::ids::{IntentId, RefundId, TerminalId};
use crate::record::money_moves::ProviderName;
use crate::token::MemberCode;

/// A payment that a till wants sent to a wallet.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NewRelay {
    pub(crate) intent: IntentId,
    pub(crate) terminal: TerminalId,
    pub(crate) provider: ProviderName,
    pub(crate) amount: Money,
    pub(crate) now_ms: i64,
}

/// Whether a payment may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relayed {
    /// Nobody has sent it before: send it now.
    First,
    /// It was sent before, or may have been: ask.
    Again,
    /// The till gave it up before it came: it is never sent.
    RuledOut,
    /// Its number belongs to another payment.
    Taken,
}

/// What is known of an intent before it is asked for, taken back or refunded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Known {
    /// It was sent to the wallet.
    Sent(Money),
    /// It never was and never will be.
    RuledOut,
    /// It never came here.
    Unheard,
    /// It is another till's.
    NotYours,
}

/// A payment that a till sent through here, as its wallet reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RelayedPayment {
    pub(crate) intent: IntentId,
    pub(crate) terminal: TerminalId,
    pub(crate) amount: Money,
    /// The till was told that it is paid.
    pub(crate) is_told: bool,
}

/// Money that a till wants back to a payer, of a payment that went through here.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NewRelayedRefund {
    pub(crate) refund: RefundId,
    pub(crate) intent: IntentId,
    pub(crate) amount: Money,
    pub(crate) now_ms: i64,
}

/// Whether a refund may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RefundLeave {
    /// It is on record, and all refunds together are within the payment.
    Given,
    /// More than was paid.
    TooMuch { left: Money },
    /// The number stands for another refund.
    Differs,
}

/// A member pays out of stored value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct HousePay {
    pub(crate) intent: IntentId,
    pub(crate) code: MemberCode,
    pub(crate) amount: Money,
    pub(crate) now_ms: i64,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HousePaid {
    /// Paid, now or before.
    Paid(HouseRow),
    /// The intent was ended before.
    Ended,
    /// The account does not hold enough.
    TooLittle { balance: Money },
    /// Nobody has this code.
    NoSuchMember,
    /// The number is old, wrong, or was spent.
    StaleCode,
    /// The number of the intent stands for another payment.
    Differs,
}

/// A payment out of stored value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HouseRow {
    pub(crate) amount: Money,
    pub(crate) refunded: Money,
    pub(crate) state: HouseState,
    pub(crate) made_ms: i64,
    /// What is on the payer's account now.
    pub(crate) balance: Option<Money>,
}

/// Where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HouseState {
    Paid,
    Ended,
}

/// What giving back found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HouseBack {
    /// The money is in the account again, now or since before.
    Done,
    /// There was nothing to give back; the intent will never be paid.
    Nothing,
    /// There is no such payment.
    NoSuchPayment,
    /// More than is left of it.
    TooMuch { left: Money },
}

/// One movement of an account, as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Movement {
    /// Its unique reference.
    pub reference: String,
    /// How much came in; below nothing, how much went out.
    pub amount: Money,
    /// Why.
    pub words: String,
    /// When, Unix milliseconds.
    pub made_ms: i64,
}

/// What a count of the whole ledger found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LedgerCount {
    /// Accounts.
    pub accounts: u64,
    /// Transfers.
    pub transfers: u64,
    /// Accounts whose balance is not the sum of their transfers.
    pub wrong: Vec<String>,
    /// What all accounts of each currency hold together, where that is not nothing.
    pub uneven: Vec<Money>,
}

/// The account of a member in the ledger.
pub(crate) fn member_account(member: &str) -> String {
    format!("member:{member}")
}

/// Where money comes from when value is loaded, and goes to when it is spent.
pub(crate) const LOADED: &str = "loaded";
pub(crate) const SPENT: &str = "spent";

pub(crate) trait Ledger {
    /// Writes down that a payment is sent; only the first caller may send it.
    fn relay(&self, payment: NewRelay) -> Reply<'_, Relayed>;
    /// What is known of a till's intent.
    fn relayed(&self, terminal: TerminalId, intent: IntentId) -> Reply<'_, Known>;
    /// Makes sure that an intent which never came is never sent. Says what is known of it now.
    fn rule_out(&self, payment: NewRelay) -> Reply<'_, Known>;
    /// The payment with that intent that was sent to this wallet.
    fn relayed_by(&self, provider: ProviderName, intent: IntentId) -> Reply<'_, Option<RelayedPayment>>;
    /// Tells the till that it is paid; false when it was told before.
    fn tell_paid(&self, payment: RelayedPayment, notice: NoticeBody, now_ms: i64) -> Reply<'_, bool>;
    fn relay_refund(&self, refund: NewRelayedRefund) -> Reply<'_, RefundLeave>;
    /// The wallet refused it: what it reserved is free again.
    fn refuse_refund(&self, refund: RefundId) -> Reply<'_, ()>;

    fn house_pay(&self, payment: HousePay) -> Reply<'_, HousePaid>;
    fn house_payment(&self, intent: IntentId) -> Reply<'_, Option<HouseRow>>;
    /// Ends an intent: gives back what it took, or makes sure that it never takes anything.
    fn house_end(&self, intent: IntentId, now_ms: i64) -> Reply<'_, HouseBack>;
    fn house_refund(
        &self,
        intent: IntentId,
        reference: String,
        amount: Money,
        now_ms: i64,
    ) -> Reply<'_, HouseBack>;
    /// Whether a refund of this reference is in the ledger.
    fn house_refunded(&self, reference: String) -> Reply<'_, bool>;
    /// Loads value for a member. False when nobody has the reference of the member; a repeated reference
    /// changes nothing.
    fn load(&self, member: String, amount: Money, reference: String, now_ms: i64) -> Reply<'_, bool>;
    /// What a member's account holds; none for nobody.
    fn balance(&self, member: String, currency: Currency) -> Reply<'_, Option<Money>>;
    /// The latest movements of a member's account.
    fn statement(&self, member: String, limit: u32) -> Reply<'_, Vec<Movement>>;
    /// Counts every account again.
    fn count_ledger(&self) -> Reply<'_, LedgerCount>;
}
