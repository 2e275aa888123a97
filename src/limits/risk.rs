//! The one table of what is at risk: which ways to pay, and to pay less, may turn out to be worth nothing.
//!
//! What is at risk stays so until the cloud has ruled on its record. Not here: the limits (`limits`).

use serde::{Deserialize, Serialize};

/// What a sale can be paid with, or be made cheaper by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Notes and coins.
    Cash,
    /// A wallet that said yes itself, or through the cloud: a pay code, a shown code, stored value.
    Wallet,
    /// A paid proof that was scanned: the cloud signed it for this one order, and the money is there.
    PaidProof,
    /// A paid proof of eight typed digits.
    TypedProof,
    /// A signed coupon: the same one may have been spent at another till.
    Coupon,
    /// A signed voucher with a value: likewise.
    Voucher,
    /// A member's code: it says who somebody is and is worth nothing by itself.
    MemberCode,
}

/// Whether the shop may lose what something is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Risk {
    /// The money is in the drawer or at the wallet, or there is none in it. Never limited.
    Never,
    /// Until the cloud has ruled on its record.
    UntilRuled,
}

impl Means {
    /// The table.
    pub fn risk(self) -> Risk {
        match self {
            Self::Cash | Self::Wallet | Self::PaidProof | Self::MemberCode => Risk::Never,
            Self::TypedProof | Self::Coupon | Self::Voucher => Risk::UntilRuled,
        }
    }

    /// What the cashier calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Wallet => "wallet",
            Self::PaidProof => "paid proof",
            Self::TypedProof => "typed proof",
            Self::Coupon => "coupon",
            Self::Voucher => "voucher",
            Self::MemberCode => "member code",
        }
    }
}
