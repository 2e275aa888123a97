//! Merchant accounts at wallets: `[wallet.alipay]` and `[wallet.wechat]`, of a till that calls them itself or of the
//! cloud, which has a file of these two tables only.
//!
//! Files are named here and read by the daemon, each under its file or the name of a systemd credential.
//! Not here: what is in the files (`wallet`).

use super::{Config, ConfigError, Source, WebAddress, in_toml, parsed, text_of};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// A file with nothing but wallets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletsFile {
    /// The file itself.
    #[serde(skip)]
    pub source: Source,
    /// The merchant's accounts.
    pub wallet: Wallets,
}

impl WalletsFile {
    /// Reads and checks such a file.
    ///
    /// # Errors
    /// [`ConfigError`] with the first thing that is wrong.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = text_of(file)?;
        let source = Source::new(file, &text);
        let mut read: Self = toml::from_str(&text).map_err(|error| source.wrong(in_toml(&error)))?;
        read.wallet.check().map_err(|found| source.wrong(found))?;
        if read.wallet.alipay.is_none() && read.wallet.wechat.is_none() {
            return Err(source.error("there is no [wallet.alipay] and no [wallet.wechat]".to_owned()));
        }
        read.source = source;
        Ok(read)
    }
}

impl Config {
    /// What may be meant so and mostly is not: sentences with file and line, for whoever checks the file.
    pub fn cautions(&self) -> Vec<ConfigError> {
        let alipay = self.wallet.alipay.as_ref().map(|table| ("alipay", table.span().start));
        let wechat = self.wallet.wechat.as_ref().map(|table| ("wechat", table.span().start));
        let caution = |(name, at): (&str, usize)| {
            let reason = match self.cloud {
                Some(_) => format!(
                    "warning: [wallet.{name}] beside [cloud] puts the merchant's key on this counter, and pay codes go \
                     past head office: in a chain the key belongs to the cloud alone. Take the table out"
                ),
                None => format!(
                    "note: [wallet.{name}] puts the merchant's key on this counter. That suits a single shop, not a \
                     chain"
                ),
            };
            self.source.error_at(at, reason)
        };
        alipay.into_iter().chain(wechat).map(caution).collect()
    }
}

/// Merchant accounts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallets {
    /// Alipay.
    pub alipay: Option<Section<Alipay>>,
    /// WeChat Pay.
    pub wechat: Option<Section<WeChat>>,
}

impl Wallets {
    pub(super) fn check(&self) -> Result<(), (Option<usize>, String)> {
        if let Some(alipay) = &self.alipay
            && let Err(reason) = alipay.get_ref().trust()
        {
            return Err((Some(alipay.span().start), reason));
        }
        if let Some(wechat) = &self.wechat
            && let Some(reason) = wechat.get_ref().wrong()
        {
            return Err((Some(wechat.span().start), reason));
        }
        Ok(())
    }
}

/// A table of the configuration, with the place where it begins.
pub type Section<T> = Spanned<T>;

/// A file of the configuration, with the place that names it.
pub type Named = Spanned<PathBuf>;

/// Alipay, by public keys or by certificates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alipay {
    /// The gateway.
    #[serde(deserialize_with = "parsed")]
    pub gateway: WebAddress,
    /// The app's number.
    pub app_id: String,
    /// The app's private key.
    pub app_key: Named,
    /// Alipay's public key, without certificates.
    pub alipay_key: Option<Named>,
    /// The app's certificate.
    pub app_cert: Option<Named>,
    /// The roots that it was issued under.
    pub alipay_root_cert: Option<Named>,
    /// Alipay's certificate.
    pub alipay_cert: Option<Named>,
    /// The merchant's own number at Alipay (`2088...`): notifications for another one are not believed.
    pub seller_id: Option<String>,
}

/// WeChat Pay.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeChat {
    /// The gateway.
    #[serde(deserialize_with = "parsed")]
    pub gateway: WebAddress,
    /// The app that the merchant account is bound to.
    pub app_id: String,
    /// The merchant's number.
    pub merchant_id: String,
    /// The private key of the merchant's API certificate.
    pub merchant_key: Named,
    /// The serial number of that certificate; or the certificate itself.
    pub merchant_serial: Option<String>,
    /// The certificate.
    pub merchant_cert: Option<Named>,
    /// WeChat Pay's public key.
    pub wechat_key: Option<Named>,
    /// Its id, `PUB_KEY_ID_...`.
    pub wechat_key_id: Option<String>,
    /// WeChat Pay's platform certificates, instead of its public key or besides it.
    pub wechat_certs: Option<Named>,
    /// The file with the APIv3 key, which opens notifications; only the cloud is sent any.
    pub api_v3_key: Option<Named>,
    /// The file with the official account's secret: with it phones can pay in WeChat (JSAPI). Only the cloud has use
    /// for this and what follows.
    pub app_secret: Option<Named>,
    /// Whether the merchant has H5 payment: with it phones can pay by WeChat in other browsers.
    #[serde(default)]
    pub h5: bool,
    /// Where a customer's browser asks WeChat for a code.
    #[serde(default = "authorize_at", deserialize_with = "parsed")]
    pub authorize_at: WebAddress,
    /// Where the cloud exchanges it.
    #[serde(default = "exchange_at", deserialize_with = "parsed")]
    pub exchange_at: WebAddress,
    /// The till's address in its own network, for WeChat Pay's records.
    #[serde(default = "this_machine")]
    pub device_ip: String,
}

/// As WeChat documents it for official accounts ("Web page authorization").
fn authorize_at() -> WebAddress {
    WebAddress("https://open.weixin.qq.com".to_owned())
}

/// Likewise.
fn exchange_at() -> WebAddress {
    WebAddress("https://api.weixin.qq.com".to_owned())
}

fn this_machine() -> String {
    "127.0.0.1".to_owned()
}

/// The files of Alipay's certificate mode, or its public key.
#[derive(Clone, Copy, Debug)]
pub enum AlipayTrust<'a> {
    /// `alipay_key`.
    PublicKey(&'a Named),
    /// `app_cert`, `alipay_root_cert` and `alipay_cert`.
    Certificates(&'a Named, &'a Named, &'a Named),
}

impl Alipay {
    /// Which of the two is configured.
    ///
    /// # Errors
    /// A sentence, when it is neither or a mixture.
    pub fn trust(&self) -> Result<AlipayTrust<'_>, String> {
        match (&self.alipay_key, &self.app_cert, &self.alipay_root_cert, &self.alipay_cert) {
            (Some(key), None, None, None) => Ok(AlipayTrust::PublicKey(key)),
            (None, Some(app), Some(roots), Some(alipay)) => Ok(AlipayTrust::Certificates(app, roots, alipay)),
            _ => Err("[wallet.alipay] needs either alipay_key, or all of app_cert, alipay_root_cert and \
                      alipay_cert"
                .to_owned()),
        }
    }
}

impl WeChat {
    /// What is missing or doubled among the keys.
    pub(super) fn wrong(&self) -> Option<String> {
        if self.merchant_serial.is_some() == self.merchant_cert.is_some() {
            return Some("[wallet.wechat] needs either merchant_serial or merchant_cert".to_owned());
        }
        if self.wechat_key.is_some() != self.wechat_key_id.is_some() {
            return Some("[wallet.wechat] wechat_key and wechat_key_id belong together".to_owned());
        }
        if self.wechat_key.is_none() && self.wechat_certs.is_none() {
            return Some(
                "[wallet.wechat] needs wechat_key with wechat_key_id, or wechat_certs, to verify answers with"
                    .to_owned(),
            );
        }
        None
    }
}
