//! From the configuration to what each edge is given.

use super::nightly::Nightly;
use super::wallets::Wallets;
use crate::bundle::Bundle;
use crate::clock::{self, Clock};
use crate::config::{self, Config};
use crate::counter::PhonesPay;
use crate::devices::{Address, DrawerPulse, FlowControl, LineSettings, SerialAddress, TcpAddress};
use crate::inbox::{Board, Inbox};
use crate::journal::edge::EdgeStore;
use crate::journal::{Reader, Room};
use crate::keys::DeviceKey;
use crate::paper::Stock;
use crate::receipt::Stamp;
use crate::record::ids::StationId;
use crate::record::money_moves::ProviderName;
use crate::{devices, pages, paper, provider, sync};
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The bundle before the first one from the cloud.
pub(super) fn own_bundle(config: &Config) -> Bundle {
    let shop = &config.shop;
    Bundle::empty(shop.currency, shop.time_zone.zone.clone(), &shop.time_zone.name, shop.day_cut.0)
}

/// The wallets whose codes are taken: the till's own, and those of a cloud, which says itself which it has.
pub(super) fn taken(config: &Config, own: &Wallets) -> BTreeSet<ProviderName> {
    let cloud = config.cloud.iter().flat_map(|_| provider::ALL);
    own.keys().copied().chain(cloud).collect()
}

/// Through the cloud is the rule; a single shop's till asks the wallet itself.
pub(super) fn phones(config: &Config) -> PhonesPay {
    match config.cloud {
        Some(_) => PhonesPay::AtTheCloud,
        None => PhonesPay::AtTheWallet,
    }
}

/// The room that the journal needs on its disk.
pub(super) fn room(config: &Config) -> Room {
    /// One mebibyte.
    const MIB: u64 = 1024 * 1024;
    let room = &config.journal;
    Room {
        warn_bytes: room.warn_mib.saturating_mul(MIB),
        stop_bytes: room.floor_mib.saturating_mul(MIB),
        ballast_bytes: room.ballast_mib.saturating_mul(MIB),
        ..Room::default()
    }
}

/// What is done to the journal each night.
pub(super) fn nightly(
    config: &Config,
    inbox: &Inbox,
    board: &Board,
    reader: &Reader,
    edge: &EdgeStore,
    clock: &Clock,
) -> Nightly {
    Nightly {
        reader: reader.clone(),
        state_dir: config.state_dir.clone(),
        zone: config.shop.time_zone.zone.clone(),
        day_cut: config.shop.day_cut,
        clock: clock.clone(),
        room: room(config),
        keep_days: config.journal.keep_days,
        edge: edge.clone(),
        board: board.clone(),
        inbox: inbox.clone(),
        owes_check: false,
        copied_on: Mutex::default(),
        let_go_on: Mutex::default(),
    }
}

/// What makes the codes on receipts: the device's key signs, and stays where it is.
pub(super) fn stamp(key: &Arc<DeviceKey>) -> Stamp {
    let signing = Arc::clone(key);
    Stamp::new(key.public(), move |message| signing.sign(message))
}

/// What the payments' edge is given.
pub(super) fn provider(config: &Config, wallets: Wallets, board: &Board) -> provider::Config {
    let timing = &config.timing;
    let shop = board.view.borrow().shop.clone();
    provider::Config {
        wallets,
        terminal: config.terminal.clone(),
        subject: if shop.is_empty() { config.terminal.to_string() } else { shop },
        rules: provider::ALL.map(|name| (name, rules(name, timing))).into(),
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

/// Ports and printers.
pub(super) fn devices(config: &Config, stocks: &BTreeMap<StationId, Stock>) -> devices::Config {
    let stations = config.stations().map(|station| {
        let scanner = station.scanner.as_ref().map(|scanner| devices::ScannerConfig {
            address: scanner_address(scanner),
            profile: scanner.known.clone(),
            acknowledge: match scanner.acknowledge {
                config::Switch::On => devices::Acknowledging::On,
                config::Switch::Off => devices::Acknowledging::Off,
            },
            repeat_window: Duration::from_millis(scanner.repeat_ms),
        });
        let stock = stocks.get(&station.id);
        let printer = station.printer.as_ref().zip(stock).map(|(printer, stock)| devices::PrinterConfig {
            address: address(&printer.port, &printer.tcp, printer.baud, printer.flow),
            stock: stock.clone(),
            drawer: DrawerPulse::default(),
        });
        let (display, drawer) = (display(station), drawer(station));
        (station.id.clone(), devices::StationConfig { scanner, printer, display, drawer })
    });
    devices::Config {
        reopen: Duration::from_millis(config.timing.reopen_ms),
        printer_poll: Duration::from_millis(config.timing.printer_poll_ms),
        ..devices::Config::new(stations.collect())
    }
}

fn display(station: &config::Station) -> Option<devices::DisplayConfig> {
    let display = station.display.as_ref()?;
    Some(devices::DisplayConfig {
        address: match display.through {
            Some(config::Through::Printer) => None,
            None => Some(on_line(&display.port, &display.tcp, display.profile.0.line, display.baud)),
        },
        profile: display.profile.0,
        lang: lang(display.language),
        idle: display.idle.clone(),
        paid: devices::DISPLAY_PAID,
    })
}

fn drawer(station: &config::Station) -> Option<devices::DrawerConfig> {
    let drawer = station.drawer.as_ref()?;
    let profile = drawer.profile.0;
    Some(devices::DrawerConfig {
        address: on_line(&drawer.port, &drawer.tcp, profile.line, drawer.baud),
        profile: profile.clone(),
    })
}

pub(super) fn lang(language: config::Language) -> paper::Lang {
    match language {
        config::Language::English => paper::Lang::En,
        config::Language::Chinese => paper::Lang::ZhHans,
        config::Language::Both => paper::Lang::Both,
    }
}

/// The address of a scanner, its line set up as its profile says.
fn scanner_address(scanner: &config::Scanner) -> Address {
    on_line(&scanner.port, &scanner.tcp, scanner.known.line, None)
}

/// The address of a device whose profile says how its line is set up; `baud` is the shop's own.
fn on_line(port: &Option<PathBuf>, tcp: &Option<String>, line: LineSettings, baud: Option<u32>) -> Address {
    match address(port, tcp, baud.unwrap_or(line.baud), config::Flow::None) {
        Address::Serial(serial) => Address::Serial(SerialAddress {
            flow: line.flow,
            data_bits: line.data_bits,
            parity: line.parity,
            stop_bits: line.stop_bits,
            ..serial
        }),
        other @ (Address::Tcp(_) | Address::Usb(_) | Address::Memory(_)) => other,
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
        return Address::Serial(SerialAddress { baud, flow, ..SerialAddress::new(path) });
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
pub(super) fn pages(
    config: &Config,
    bootstrap_code: Option<String>,
    stocks: BTreeMap<StationId, Stock>,
) -> pages::Config {
    pages::Config {
        listen: config.pages.listen,
        allowed_hosts: config.pages.allowed_hosts.clone(),
        frame_ancestors: config.pages.frame_ancestors.clone(),
        bootstrap_code,
        zone: config.shop.time_zone.zone.clone(),
        stocks,
    }
}

pub(super) fn screen_parts(
    inbox: &Inbox,
    board: &Board,
    reader: &Reader,
    edge: &EdgeStore,
    clock: &Clock,
    stamp: Stamp,
) -> pages::Parts {
    let (clock, link) = (clock.clone(), Arc::clone(&board.link));
    pages::Parts {
        inbox: inbox.clone(),
        board: board.clone(),
        edge: edge.clone(),
        journal: reader.clone(),
        clock: Arc::new(move || clock.moment(link.borrow().cloud_offset_ms)),
        chance: Arc::new(clock::draw),
        stamp,
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
