//! From the configuration to what each edge is given.

use crate::bundle::Bundle;
use crate::clock::{self, Clock};
use crate::config::{self, Config, ConfigError};
use crate::devices::{Address, AimPrefix, DrawerPulse, FlowControl, SerialAddress, TcpAddress};
use crate::inbox::{Board, Inbox};
use crate::journal::Reader;
use crate::journal::edge::EdgeStore;
use crate::keys::{self, DeviceKey};
use crate::record::money_moves::ProviderName;
use crate::wallet::Wallet;
use crate::wallet::alipay::{self, Alipay};
use crate::wallet::http::Timeouts;
use crate::wallet::signing::{SigningKey, VerifyingKey};
use crate::{devices, pages, paper, provider, sync};
use anyhow::Context;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection to a wallet may take: beyond it the line is down, and nothing was sent.
const WALLET_CONNECT: Duration = Duration::from_secs(3);

/// The bundle before the first one from the cloud.
pub(super) fn own_bundle(config: &Config) -> Bundle {
    let shop = &config.shop;
    Bundle::empty(shop.currency, shop.time_zone.zone.clone(), &shop.time_zone.name, shop.day_cut.0)
}

/// The wallets that the till calls itself, their keys read and checked.
///
/// # Errors
/// [`ConfigError`] naming the key that cannot be read or is not one.
pub(super) fn wallets(config: &Config) -> Result<Wallets, ConfigError> {
    let mut wallets: Wallets = BTreeMap::new();
    if let Some(settings) = &config.wallet.alipay {
        let wrong = |what: &str, why: String| config.error(format!("[wallet.alipay] {what}: {why}"));
        let app_key = SigningKey::read(&secret(config, "app_key", &settings.app_key)?)
            .map_err(|error| wrong("app_key", error.to_string()))?;
        let alipay_key = VerifyingKey::read(&secret(config, "alipay_key", &settings.alipay_key)?)
            .map_err(|error| wrong("alipay_key", error.to_string()))?;
        let clock = Clock::new();
        let adapter = Alipay::new(alipay::Config {
            gateway: settings.gateway.0.clone(),
            app_id: settings.app_id.clone(),
            app_key,
            alipay_key,
            app_auth_token: None,
            notify_url: None,
            timeouts: Timeouts {
                connect: WALLET_CONNECT,
                total: Duration::from_millis(config.timing.wallet_answer_ms),
            },
            now: Arc::new(move || clock.unix_ms()),
        })
        .map_err(|error| config.error(format!("[wallet.alipay]: {error}")))?;
        wallets.insert(ProviderName::Alipay, Arc::new(adapter) as Arc<dyn Wallet>);
    }
    Ok(wallets)
}

/// Wallets by name.
pub(super) type Wallets = BTreeMap<ProviderName, Arc<dyn Wallet>>;

/// What the payments' edge is given.
pub(super) fn provider(config: &Config, wallets: Wallets, board: &Board) -> provider::Config {
    let timing = &config.timing;
    let shop = board.view.borrow().shop.clone();
    provider::Config {
        wallets,
        terminal: config.terminal.clone(),
        subject: if shop.is_empty() { config.terminal.to_string() } else { shop },
        rules: [ProviderName::Alipay, ProviderName::Wechat, ProviderName::House]
            .map(|name| (name, rules(name, timing)))
            .into(),
    }
}

/// A provider's own rules, at the pace of the configuration.
fn rules(name: ProviderName, timing: &crate::config::Timing) -> provider::ProviderRules {
    provider::ProviderRules {
        query_first: Duration::from_millis(timing.query_first_ms),
        query_fast: Duration::from_millis(timing.query_fast_ms),
        query_slow: Duration::from_millis(timing.query_slow_ms),
        watch_after: Duration::from_millis(timing.watch_after_ms),
        ..provider::ProviderRules::of(name)
    }
}

/// A secret by the name of a systemd credential, or by its file beside the configuration.
fn secret(config: &Config, what: &str, path: &Path) -> Result<String, ConfigError> {
    let credential = keys::credentials_directory().map(|folder| folder.join(path));
    let file = credential.filter(|file| file.is_file()).unwrap_or_else(|| config.beside(path));
    std::fs::read_to_string(&file).map_err(|error| {
        config.error(format!("[wallet.alipay] {what}: the key {} cannot be read: {error}", file.display()))
    })
}

/// Ports and printers.
pub(super) fn devices(config: &Config) -> devices::Config {
    let stations = config.stations().map(|station| {
        let scanner = station.scanner.as_ref().map(|scanner| devices::ScannerConfig {
            address: address(&scanner.port, &scanner.tcp, scanner.baud, config::Flow::None),
            aim: match scanner.aim {
                config::Switch::On => AimPrefix::Sent,
                config::Switch::Off => AimPrefix::NotSent,
            },
        });
        let printer = station.printer.as_ref().and_then(|printer| {
            Some(devices::PrinterConfig {
                address: address(&printer.port, &printer.tcp, printer.baud, printer.flow),
                profile: devices::Profile::by_name(&printer.profile.0)?,
                lang: match printer.language {
                    config::Language::English => paper::Lang::En,
                    config::Language::Chinese => paper::Lang::ZhHans,
                    config::Language::Both => paper::Lang::Both,
                },
                drawer: DrawerPulse::default(),
            })
        });
        (station.id.clone(), devices::StationConfig { scanner, printer })
    });
    devices::Config {
        reopen: Duration::from_millis(config.timing.reopen_ms),
        printer_poll: Duration::from_millis(config.timing.printer_poll_ms),
        ..devices::Config::new(stations.collect())
    }
}

/// The address of a device whose configuration was checked: it has a port or a network address.
fn address(port: &Option<PathBuf>, tcp: &Option<String>, baud: u32, flow: config::Flow) -> Address {
    if let Some(path) = port {
        let flow = match flow {
            config::Flow::None => FlowControl::None,
            config::Flow::RtsCts => FlowControl::RtsCts,
            config::Flow::XonXoff => FlowControl::XonXoff,
        };
        return Address::Serial(SerialAddress { path: path.clone(), baud, flow });
    }
    let tcp = tcp.as_deref().unwrap_or_default();
    let (host, port) = tcp.rsplit_once(':').unwrap_or((tcp, ""));
    Address::Tcp(TcpAddress { host: host.to_owned(), port: port.parse().unwrap_or(9100) })
}

/// The way to the cloud, if one is configured.
pub(super) fn sync(config: &Config, device_key: Arc<DeviceKey>) -> Option<sync::Config> {
    let cloud = config.cloud.as_ref()?;
    let most = Duration::from_millis(config.timing.cloud_retry_max_ms);
    let timing = sync::Timing::default();
    Some(sync::Config {
        url: cloud.url.0.clone(),
        terminal: config.terminal.clone(),
        name: cloud.name.clone().unwrap_or_else(|| config.terminal.to_string()),
        device_key,
        timing: sync::Timing {
            retry_first: timing.retry_first.min(most),
            order_retry_most: timing.order_retry_most.min(most),
            pairing: timing.pairing.min(most),
            retry_most: most,
            ..timing
        },
    })
}

pub(super) fn doors(
    inbox: &Inbox,
    board: &Board,
    reader: &Reader,
    edge: &EdgeStore,
    clock: &Clock,
) -> sync::Doors {
    let clock = clock.clone();
    sync::Doors {
        inbox: inbox.clone(),
        board: board.clone(),
        reader: reader.clone(),
        edge: edge.clone(),
        now: Arc::new(move || clock.unix_ms()),
        chance: Arc::new(clock::draw),
    }
}

/// How the pages are served.
pub(super) fn pages(config: &Config, bootstrap_code: Option<String>) -> pages::Config {
    pages::Config {
        listen: config.pages.listen,
        allowed_hosts: config.pages.allowed_hosts.clone(),
        frame_ancestors: config.pages.frame_ancestors.clone(),
        bootstrap_code,
        zone: config.shop.time_zone.zone.clone(),
    }
}

pub(super) fn screen_parts(
    inbox: &Inbox,
    board: &Board,
    reader: &Reader,
    edge: &EdgeStore,
    clock: &Clock,
) -> pages::Parts {
    let (clock, link) = (clock.clone(), Arc::clone(&board.link));
    pages::Parts {
        inbox: inbox.clone(),
        board: board.clone(),
        edge: edge.clone(),
        journal: reader.clone(),
        clock: Arc::new(move || clock.moment(link.borrow().cloud_offset_ms)),
        chance: Arc::new(clock::draw),
    }
}

/// While nobody works here yet: the code that makes the first manager, kept in a file that only the till's
/// own user can read. None, and no file, once there is one.
pub(super) fn first_manager_code(config: &Config, board: &Board) -> anyhow::Result<Option<String>> {
    let file = first_manager_file(config);
    if !board.view.borrow().staff.is_empty() {
        // It may be gone already.
        let _ = std::fs::remove_file(&file);
        return Ok(None);
    }
    if let Ok(code) = std::fs::read_to_string(&file)
        && !code.trim().is_empty()
    {
        return Ok(Some(code.trim().to_owned()));
    }
    let digits = |byte: &u8| char::from(b'0' + byte % 10);
    let code: String = clock::draw().iter().take(8).map(digits).collect();
    write_secret(&file, &code).with_context(|| format!("{} cannot be written", file.display()))?;
    tracing::info!(file = %file.display(), "Nobody works here yet. The file has the code for the first manager.");
    Ok(Some(code))
}

/// Where the code for the first manager is.
pub(super) fn first_manager_file(config: &Config) -> PathBuf {
    config.state_dir.join("first-manager-code")
}

fn write_secret(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut out =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}
