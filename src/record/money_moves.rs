//! The parts of records that speak of money on its way: carriers, settlements, coupons, verdicts.

use crate::money::Money;
use crate::record::header::Epoch;
use crate::record::ids::{DeskId, SaleId};
use crate::record::settlement::{Fund, Voucher};
use serde::{Deserialize, Serialize};

/// Whoever moves the money.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderName {
    /// Alipay, face to face.
    Alipay,
    /// WeChat Pay.
    Wechat,
    /// The cloud's own stored value.
    House,
}

impl ProviderName {
    /// A stable word for pages and paper.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alipay => "alipay",
            Self::Wechat => "wechat",
            Self::House => "house",
        }
    }
}

/// What a phone may pay: the terms of an `O1`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OrderTerms {
    /// Random; with terminal and epoch it is the claim's unique key.
    pub nonce: u64,
    /// Unix seconds by the till's corrected clock.
    pub issued_at_s: u64,
    /// The desk it was asked for, if one.
    pub desk: Option<DeskId>,
    /// The bill's version that the phone saw: how many records the sale had.
    pub bill_version: u64,
}

/// How an intent reaches the provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// A code that the customer showed. Only a keyed hash of it is kept, so that the same code is
    /// known again; the code itself lives in the provider's memory.
    PayCode {
        /// HMAC-SHA256 under the till's own key, hexadecimal.
        keyed_hash: String,
    },
    /// An order that a phone pays at the cloud.
    Order(OrderTerms),
    /// A code that the wallet makes for this one payment and the till shows, for the customer's wallet to
    /// scan: a shop without a cloud. Since version 2 of the kind.
    WalletCode {},
}

/// What a provider is known to have settled, in the wallets' own vocabulary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settled {
    /// The provider's own number for it.
    pub trade: String,
    /// The amount asked for.
    pub total: Money,
    /// What the shop receives: the total less what the shop itself gave away at the wallet.
    pub received: Money,
    /// What the customer paid.
    pub buyer_paid: Money,
    /// What may be invoiced.
    pub invoice: Money,
    /// Discount that the shop pays for.
    pub merchant_funded: Money,
    /// Discount that the wallet pays for.
    pub platform_funded: Money,
    /// The buyer, masked by the provider.
    pub buyer: Option<String>,
    /// The paid proof it came with, where it came by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// What is left of the stored value it was paid from, where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Money>,
    /// The wallet that took it, where the phone chose after the intent was drawn: a code shown at the counter is for
    /// any wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<ProviderName>,
    /// Where the total came from, where the provider says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub funds: Vec<Fund>,
    /// The vouchers among the discounts, each with whoever bears it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<Voucher>,
    /// How the till came to know of it.
    #[serde(default, skip_serializing_if = "ProvenBy::is_notice")]
    pub proven_by: ProvenBy,
}

impl Settled {
    /// What the till knows of an order that its customer proved: the amount, and nothing of the wallet.
    pub fn proven(amount: Money, proven_by: ProvenBy, proof: Option<String>) -> Self {
        let nothing = Money::zero(amount.currency);
        Self {
            trade: String::new(),
            total: amount,
            received: amount,
            buyer_paid: amount,
            invoice: amount,
            merchant_funded: nothing,
            platform_funded: nothing,
            buyer: None,
            proof,
            balance: None,
            wallet: None,
            funds: vec![],
            vouchers: vec![],
            proven_by,
        }
    }
}

/// How a till came to know that money moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProvenBy {
    /// Whoever moved it said so, with all that it knows.
    #[default]
    Notice,
    /// The customer's phone showed a `P1` of the cloud: the amount is known, the wallet is not.
    PaidProof,
    /// The customer read out eight digits of the cloud: the same, and open to a lucky guess.
    TypedProof,
}

impl ProvenBy {
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
    fn is_notice(&self) -> bool {
        *self == Self::Notice
    }
}

/// Who had heard of an order when its code was shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// The cloud has it: the till hears of a payment by itself.
    #[default]
    ByTheCloud,
    /// Nobody has: a payment comes back as a proof.
    ByNobody,
}

impl Heard {
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
    pub(crate) fn is_by_the_cloud(&self) -> bool {
        *self == Self::ByTheCloud
    }
}

/// What the cashier can do after a no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Ask for a fresh code: a new intent.
    NewCode,
    /// Ask for other money.
    OtherMeans,
    /// Nothing a cashier can do: tell the manager.
    TellManager,
    /// It never left the till: once the line is back, try again.
    TryAgain,
}

/// What a coupon takes off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponTerms {
    /// A fixed amount.
    AmountOff(Money),
    /// Parts per ten thousand of what is left after other offers.
    BasisPointsOff(u32),
}

/// A coupon as a sale holds it, its signature already verified.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CouponTaken {
    /// Its serial, the key against using it twice.
    pub serial: String,
    /// The campaign that issued it.
    pub campaign: u32,
    /// What it is called on the bill.
    pub name: String,
    /// The same in Chinese, if known.
    pub name_zh: Option<String>,
    /// What it takes off.
    pub terms: CouponTerms,
    /// The least basket for it, if one.
    pub minimum: Option<Money>,
    /// The token as scanned: the cloud verifies it again.
    pub token: String,
}

/// A value voucher as a sale holds it, its signature already verified.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VoucherHeld {
    /// Its serial, the key against using it twice.
    pub serial: String,
    /// What it is worth.
    pub value: Money,
    /// What it pays here: its value, or less where less was due. The rest lapses.
    pub amount: Money,
    /// The token as scanned: the cloud verifies it again.
    pub token: String,
}

/// The cloud's business answer to a record that it has safely received.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// The cloud's number for it within this terminal: a till takes each once, in order.
    pub number: u64,
    /// Epoch of the record it is about.
    pub epoch: Epoch,
    /// That record's number.
    pub seq: u64,
    /// The sale it is about.
    pub sale: Option<SaleId>,
    /// Accepted or refused.
    pub ruling: Ruling,
    /// A stable word such as `coupon_already_used`.
    pub code: String,
    /// A sentence for the manager.
    pub words: String,
}

/// Accepted or refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It stands.
    Accepted,
    /// It does not: a task for the manager.
    Refused,
}
