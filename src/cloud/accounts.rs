//! The merchant's accounts at wallets: what a cloud is given, and what it makes of it.
//!
//! Each account is called by its wallet and listened to by what verifies its notifications. Not here: reading a file
//! of accounts (`cli`), taking notifications in (`notify`).

use super::{Clock, Error};
use crate::record::money_moves::ProviderName;
use crate::wallet::Wallet;
use crate::wallet::alipay::{self, Alipay, Trust};
use crate::wallet::http::Timeouts;
use crate::wallet::signing::{SigningKey, VerifyingKey};
use crate::wallet::wechat::openid::OpenIds;
use crate::wallet::wechat::{self, ApiV3Key, PlatformKeys, WeChat};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a call to a wallet may take.
pub const WALLET_TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(10) };

/// A merchant's account at one wallet.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "two at most, moved once when a cloud starts")]
pub enum Account {
    /// At Alipay.
    Alipay {
        /// How it is called.
        wallet: Alipay,
        /// The merchant's own number: notifications for another one are not believed.
        seller_id: Option<String>,
    },
    /// At WeChat Pay.
    WeChat {
        /// How it is called.
        wallet: WeChat,
        /// What opens notifications. Without it none are taken, and payments are known by asking alone.
        api_v3_key: Option<ApiV3Key>,
        /// What its customers' phones may pay in.
        phones: WeChatPhones,
    },
}

/// Where phones can open a payment of WeChat Pay: each is a product that the merchant has or has not.
#[derive(Clone, Debug, Default)]
pub struct WeChatPhones {
    /// In WeChat (JSAPI): who asks WeChat who the customer is.
    pub inside: Option<OpenIds>,
    /// In any other browser of a phone (H5).
    pub elsewhere: Elsewhere,
}

/// Whether the merchant has H5 payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Elsewhere {
    /// It does.
    H5,
    /// It has not, or has not said so.
    #[default]
    No,
}

/// The files of an account at Alipay that goes by public keys.
#[derive(Clone, Debug)]
pub struct AlipayFiles {
    /// The gateway's address.
    pub gateway: String,
    /// The merchant's application.
    pub app_id: String,
    /// PEM file with the application's private key.
    pub merchant_key: PathBuf,
    /// PEM file with the gateway's public key.
    pub gateway_key: PathBuf,
}

impl AlipayFiles {
    /// Reads them; `clock` stamps requests.
    ///
    /// # Errors
    /// [`Error`] with the file that is missing or wrong.
    pub fn read(&self, clock: &Clock) -> Result<Account, Error> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|source| Error::ReadKey { path: path.to_owned(), source })
        };
        let bad = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::BadKey { path, source }
        };
        let app_key = SigningKey::read(&read(&self.merchant_key)?).map_err(bad(&self.merchant_key))?;
        let alipay_key = VerifyingKey::read(&read(&self.gateway_key)?).map_err(bad(&self.gateway_key))?;
        let wallet = Alipay::new(alipay::Config {
            gateway: self.gateway.clone(),
            app_id: self.app_id.clone(),
            app_key,
            alipay_key: alipay_key.into(),
            app_auth_token: None,
            notify_url: None,
            timeouts: WALLET_TIMEOUTS,
            now: Arc::clone(clock),
        })?;
        Ok(Account::Alipay { wallet, seller_id: None })
    }
}

/// Wallets by name, and what verifies their notifications.
#[derive(Default)]
pub(super) struct Accounts {
    pub(super) wallets: BTreeMap<ProviderName, Arc<dyn Wallet>>,
    pub(super) alipay: Option<(Trust, alipay::Account)>,
    pub(super) wechat: Option<(PlatformKeys, ApiV3Key, wechat::Account)>,
    /// Who asks WeChat who a customer is, for payments in WeChat.
    pub(super) openids: Option<OpenIds>,
    /// Whether WeChat Pay opens in browsers that are not WeChat's.
    pub(super) wechat_elsewhere: bool,
}

impl Accounts {
    /// Takes accounts, whose wallets report payments to `public_base`.
    ///
    /// # Errors
    /// [`Error::TwoAccounts`].
    pub(super) fn of(accounts: Vec<Account>, public_base: &str) -> Result<Self, Error> {
        let mut all = Self::default();
        for account in accounts {
            let (name, wallet): (_, Arc<dyn Wallet>) = match account {
                Account::Alipay { wallet, seller_id } => {
                    let account = alipay::Account { app_id: wallet.app_id().to_owned(), seller_id };
                    all.alipay = Some((wallet.trust().clone(), account));
                    let wallet = wallet.notifying(format!("{public_base}/v1/notify/alipay"));
                    (ProviderName::Alipay, Arc::new(wallet))
                }
                Account::WeChat { wallet, api_v3_key, phones } => {
                    all.openids = phones.inside;
                    all.wechat_elsewhere = phones.elsewhere == Elsewhere::H5;
                    all.wechat =
                        api_v3_key.map(|key| (wallet.platform_keys().clone(), key, wallet.account()));
                    let wallet = wallet.notifying(format!("{public_base}/v1/notify/wechat"));
                    (ProviderName::Wechat, Arc::new(wallet))
                }
            };
            if all.wallets.insert(name, wallet).is_some() {
                return Err(Error::TwoAccounts(name));
            }
        }
        Ok(all)
    }
}
