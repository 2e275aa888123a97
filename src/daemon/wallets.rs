//! The wallets that a till calls itself: their files read, checked against each other, and put together.
//!
//! Not here: which files there are (`config`), what a wallet is asked (`provider`).

use crate::clock::{self, Clock};
use crate::config::{self, AlipayTrust, Config, ConfigError, Named, Section};
use crate::keys;
use crate::record::money_moves::ProviderName;
use crate::wallet::Wallet;
use crate::wallet::alipay::{self, Alipay, Certificates, Trust};
use crate::wallet::certificate::Certificate;
use crate::wallet::http::Timeouts;
use crate::wallet::signing::{SigningKey, VerifyingKey};
use crate::wallet::wechat::{self, PlatformKeys, WeChat};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection to a wallet may take: beyond it the line is down, and nothing was sent.
const WALLET_CONNECT: Duration = Duration::from_secs(3);

/// Wallets by name.
pub(super) type Wallets = BTreeMap<ProviderName, Arc<dyn Wallet>>;

/// The wallets that the till calls itself, their keys read and checked.
///
/// # Errors
/// [`ConfigError`] with the line that names the key that cannot be read, is not one or belongs to another.
pub(super) fn read(config: &Config) -> Result<Wallets, ConfigError> {
    let mut wallets: Wallets = BTreeMap::new();
    if let Some(settings) = &config.wallet.alipay {
        wallets.insert(ProviderName::Alipay, Arc::new(alipay(config, settings)?));
    }
    if let Some(settings) = &config.wallet.wechat {
        wallets.insert(ProviderName::Wechat, Arc::new(wechat(config, settings)?));
    }
    Ok(wallets)
}

fn timeouts(config: &Config) -> Timeouts {
    Timeouts { connect: WALLET_CONNECT, total: Duration::from_millis(config.timing.wallet_answer_ms) }
}

fn alipay(config: &Config, settings: &Section<config::Alipay>) -> Result<Alipay, ConfigError> {
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
    let clock = Clock::new();
    Alipay::new(alipay::Config {
        gateway: settings.gateway.0.clone(),
        app_id: settings.app_id.clone(),
        app_key,
        alipay_key: trust,
        app_auth_token: None,
        notify_url: None,
        timeouts: timeouts(config),
        now: Arc::new(move || clock.unix_ms()),
    })
    .map_err(|error| config.error_at(at, format!("[wallet.alipay]: {error}")))
}

fn wechat(config: &Config, settings: &Section<config::WeChat>) -> Result<WeChat, ConfigError> {
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
    let clock = Clock::new();
    WeChat::new(wechat::Config {
        gateway: settings.gateway.0.clone(),
        app_id: settings.app_id.clone(),
        merchant_id: settings.merchant_id.clone(),
        merchant_serial,
        merchant_key,
        platform_keys,
        notify_url: None,
        device_ip: settings.device_ip.clone(),
        timeouts: timeouts(config),
        now: Arc::new(move || clock.unix_ms()),
        chance: Arc::new(clock::draw),
    })
    .map_err(|error| config.error_at(at, format!("[wallet.wechat]: {error}")))
}

/// Reads a named file as a key or a certificate.
fn read_as<T, E: std::fmt::Display>(
    config: &Config,
    named: &Named,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<T, ConfigError> {
    let text = secret(config, named)?;
    read(&text).map_err(|error| {
        config.error_at(named.span().start, format!("{}: {error}", named.get_ref().display()))
    })
}

/// A secret by the name of a systemd credential, or by its file beside the configuration.
fn secret(config: &Config, named: &Named) -> Result<String, ConfigError> {
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
