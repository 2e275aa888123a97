//! Merchant accounts: their files read, checked against each other, and put together as wallets to call.
//!
//! Not here: which files there are (`config`), what a wallet is asked (`provider`).

use crate::clock::{self, Clock};
use crate::config::{self, AlipayTrust, Config, ConfigError, Named, Section, Source};
use crate::keys;
use crate::record::money_moves::ProviderName;
use crate::wallet::Wallet;
use crate::wallet::alipay::{self, Alipay, Certificates, Trust};
use crate::wallet::certificate::Certificate;
use crate::wallet::http::Timeouts;
use crate::wallet::signing::{SigningKey, VerifyingKey};
use crate::wallet::wechat::openid::{AppSecret, OpenIds};
use crate::wallet::wechat::{self, ApiV3Key, PlatformKeys, WeChat};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection to a wallet may take: beyond it the line is down, and nothing was sent.
const WALLET_CONNECT: Duration = Duration::from_secs(3);

/// Wallets by name.
pub(super) type Wallets = BTreeMap<ProviderName, Arc<dyn Wallet>>;

/// What every wallet of a file is built with.
pub(crate) struct Around {
    pub(crate) timeouts: Timeouts,
    /// The wall clock: Unix milliseconds.
    pub(crate) now: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// The wallets that the till calls itself, their keys read and checked.
///
/// # Errors
/// [`ConfigError`] with the line that names the key that cannot be read, is not one or belongs to another.
pub(super) fn read(config: &Config) -> Result<Wallets, ConfigError> {
    let clock = Clock::new();
    let total = Duration::from_millis(config.timing.wallet_answer_ms);
    let around = Around {
        timeouts: Timeouts { connect: WALLET_CONNECT, total },
        now: Arc::new(move || clock.unix_ms()),
    };
    let mut wallets: Wallets = BTreeMap::new();
    if let Some(settings) = &config.wallet.alipay {
        wallets.insert(ProviderName::Alipay, Arc::new(alipay(&config.source, settings, &around)?));
    }
    if let Some(settings) = &config.wallet.wechat {
        wallets.insert(ProviderName::Wechat, Arc::new(wechat(&config.source, settings, &around)?));
    }
    Ok(wallets)
}

/// An account at Alipay.
///
/// # Errors
/// [`ConfigError`] with the line of the key that is wrong.
pub(crate) fn alipay(
    config: &Source,
    settings: &Section<config::Alipay>,
    around: &Around,
) -> Result<Alipay, ConfigError> {
    let at = settings.span().start;
    let settings = settings.get_ref();
    let app_key = read_as(config, &settings.app_key, SigningKey::read)?;
    let trust = match settings.trust().map_err(|why| config.error_at(at, why))? {
        AlipayTrust::PublicKey(key) => Trust::from(read_as(config, key, VerifyingKey::read)?),
        AlipayTrust::Certificates(app, roots, alipay) => {
            let text = |named| secret(config, named);
            let read = Certificates::read(&text(app)?, &text(roots)?, &text(alipay)?);
            Trust::from(read.map_err(|error| config.error_at(app.span().start, error.to_string()))?)
        }
    };
    Alipay::new(alipay::Config {
        gateway: settings.gateway.0.clone(),
        app_id: settings.app_id.clone(),
        app_key,
        alipay_key: trust,
        app_auth_token: None,
        notify_url: None,
        timeouts: around.timeouts,
        now: Arc::clone(&around.now),
    })
    .map_err(|error| config.error_at(at, format!("[wallet.alipay]: {error}")))
}

/// An account at WeChat Pay.
///
/// # Errors
/// [`ConfigError`] with the line of the key that is wrong.
pub(crate) fn wechat(
    config: &Source,
    settings: &Section<config::WeChat>,
    around: &Around,
) -> Result<WeChat, ConfigError> {
    let at = settings.span().start;
    let settings = settings.get_ref();
    let merchant_key = read_as(config, &settings.merchant_key, SigningKey::read)?;
    let merchant_serial = match &settings.merchant_cert {
        None => settings.merchant_serial.clone().unwrap_or_default(),
        Some(named) => {
            let certificate = read_as(config, named, Certificate::read)?;
            if certificate.verifying_key() != Ok(merchant_key.verifying_key()) {
                let why = "the merchant's certificate is not that of merchant_key: download the pair again";
                return Err(config.error_at(named.span().start, why.to_owned()));
            }
            certificate.serial_hex().to_owned()
        }
    };
    let mut platform_keys = PlatformKeys::new();
    if let (Some(named), Some(id)) = (&settings.wechat_key, &settings.wechat_key_id) {
        let key = read_as(config, named, VerifyingKey::read)?;
        let with = platform_keys.with_public_key(id, key);
        platform_keys = with.map_err(|error| config.error_at(named.span().start, error.to_string()))?;
    }
    if let Some(named) = &settings.wechat_certs {
        let certificates = read_as(config, named, Certificate::read_all)?;
        let with = platform_keys.with_certificates(&certificates);
        platform_keys = with.map_err(|error| config.error_at(named.span().start, error.to_string()))?;
    }
    WeChat::new(wechat::Config {
        gateway: settings.gateway.0.clone(),
        app_id: settings.app_id.clone(),
        merchant_id: settings.merchant_id.clone(),
        merchant_serial,
        merchant_key,
        platform_keys,
        notify_url: None,
        device_ip: settings.device_ip.clone(),
        timeouts: around.timeouts,
        now: Arc::clone(&around.now),
        chance: Arc::new(clock::draw),
    })
    .map_err(|error| config.error_at(at, format!("[wallet.wechat]: {error}")))
}

/// The key that opens WeChat Pay's notifications, where one is named.
///
/// # Errors
/// [`ConfigError`] with its line.
pub(crate) fn api_v3_key(
    config: &Source,
    settings: &Section<config::WeChat>,
) -> Result<Option<ApiV3Key>, ConfigError> {
    let named = settings.get_ref().api_v3_key.as_ref();
    named.map(|named| read_as(config, named, ApiV3Key::read)).transpose()
}

/// Who asks WeChat who a customer is, where the official account's secret is named.
///
/// # Errors
/// [`ConfigError`] with its line.
pub(crate) fn openids(
    config: &Source,
    settings: &Section<config::WeChat>,
    around: &Around,
) -> Result<Option<OpenIds>, ConfigError> {
    let settings = settings.get_ref();
    let Some(named) = &settings.app_secret else { return Ok(None) };
    let secret = read_as(config, named, AppSecret::read)?;
    let (authorize_at, exchange_at) = (&settings.authorize_at.0, &settings.exchange_at.0);
    OpenIds::new(&settings.app_id, secret, authorize_at, exchange_at, around.timeouts)
        .map(Some)
        .map_err(|error| config.error_at(named.span().start, format!("[wallet.wechat]: {error}")))
}

/// Reads a named file as a key or a certificate.
fn read_as<T, E: std::fmt::Display>(
    config: &Source,
    named: &Named,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<T, ConfigError> {
    let text = secret(config, named)?;
    read(&text).map_err(|error| {
        config.error_at(named.span().start, format!("{}: {error}", named.get_ref().display()))
    })
}

/// A secret by the name of a systemd credential, or by its file beside the configuration.
fn secret(config: &Source, named: &Named) -> Result<String, ConfigError> {
    let path: &Path = named.get_ref();
    let credential = keys::credentials_directory().map(|folder| folder.join(path));
    let file = credential.filter(|file| file.is_file()).unwrap_or_else(|| config.beside(path));
    std::fs::read_to_string(&file).map_err(|error| {
        let why = format!("the key {} cannot be read: {error}", file.display());
        config.error_at(named.span().start, why)
    })
}

#[cfg(test)]
mod tests;
