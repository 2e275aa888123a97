//! Which wallet, and what is asked of it: the words that both wallets, the fault rules and the ledger share.
//!
//! Deliberately not here: how either wallet writes a request.

use serde::{Deserialize, Serialize};

/// Whose money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wallet {
    /// Alipay's open gateway, `/gateway.do`.
    Alipay,
    /// WeChat Pay API v3, `/v3/...`.
    Wechat,
}

impl Wallet {
    /// As the ledger and the rules write it.
    pub fn name(self) -> &'static str {
        match self {
            Wallet::Alipay => "alipay",
            Wallet::Wechat => "wechat",
        }
    }

    /// The wallet of that name.
    pub fn named(name: &str) -> Option<Wallet> {
        [Wallet::Alipay, Wallet::Wechat].into_iter().find(|wallet| wallet.name() == name)
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Pay,
    Precreate,
    Query,
    Cancel,
    Close,
    Refund,
    RefundQuery,
    Certificate,
    Notify,
}

impl Verb {
    pub(super) const ALL: [Verb; 9] = [
        Verb::Pay,
        Verb::Precreate,
        Verb::Query,
        Verb::Cancel,
        Verb::Close,
        Verb::Refund,
        Verb::RefundQuery,
        Verb::Certificate,
        Verb::Notify,
    ];

    /// The name that either wallet's requests can be meant by.
    pub(super) fn word(self) -> &'static str {
        match self {
            Verb::Pay => "pay",
            Verb::Precreate => "precreate",
            Verb::Query => "query",
            Verb::Cancel => "cancel",
            Verb::Close => "close",
            Verb::Refund => "refund",
            Verb::RefundQuery => "refund_query",
            Verb::Certificate => "certificate",
            Verb::Notify => "notify",
        }
    }

    /// The name at one wallet. Alipay's are the wallet's own; WeChat Pay has addresses, so these are ours.
    pub(super) fn name(self, wallet: Wallet) -> &'static str {
        match (wallet, self) {
            (Wallet::Alipay, Verb::Pay) => "alipay.trade.pay",
            (Wallet::Alipay, Verb::Precreate) => "alipay.trade.precreate",
            (Wallet::Alipay, Verb::Query) => "alipay.trade.query",
            (Wallet::Alipay, Verb::Cancel) => "alipay.trade.cancel",
            (Wallet::Alipay, Verb::Close) => "alipay.trade.close",
            (Wallet::Alipay, Verb::Refund) => "alipay.trade.refund",
            (Wallet::Alipay, Verb::RefundQuery) => "alipay.trade.fastpay.refund.query",
            (Wallet::Alipay, Verb::Certificate) => "alipay.open.app.alipaycert.download",
            (Wallet::Alipay, Verb::Notify) => "alipay.notify",
            (Wallet::Wechat, Verb::Pay) => "wechat.codepay",
            (Wallet::Wechat, Verb::Precreate) => "wechat.native",
            (Wallet::Wechat, Verb::Query) => "wechat.query",
            (Wallet::Wechat, Verb::Cancel) => "wechat.reverse",
            (Wallet::Wechat, Verb::Close) => "wechat.close",
            (Wallet::Wechat, Verb::Refund) => "wechat.refund",
            (Wallet::Wechat, Verb::RefundQuery) => "wechat.refund_query",
            (Wallet::Wechat, Verb::Certificate) => "wechat.certificates",
            (Wallet::Wechat, Verb::Notify) => "wechat.notify",
        }
    }

    /// Whether the name of a rule means this verb at this wallet.
    pub(super) fn is_meant_by(self, wallet: Wallet, name: &str) -> bool {
        name == self.word() || name == self.name(wallet)
    }

    /// Whether any verb is meant by this name.
    pub(super) fn is_known(name: &str) -> bool {
        let meant = |wallet| Verb::ALL.into_iter().any(|verb| verb.is_meant_by(wallet, name));
        meant(Wallet::Alipay) || meant(Wallet::Wechat)
    }
}
