//! The demonstration, and the parts of the world that can be played alone.

use super::{asked_to_stop, folder, log, runtime, say};
use crate::clock::Clock;
use crate::sim::{demo as shop, gateway};
use clap::{Args, Subcommand, ValueEnum};
use hardware::scanner::ScannerProfile;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lines that wait to be printed; a reader that is this far behind has gone away.
const MAX_UNPRINTED: usize = 4_096;

#[derive(Args)]
pub(super) struct Demo {
    /// Play so many scripted customers, then stop and print a table
    #[arg(long, value_name = "N")]
    customers: Option<NonZeroUsize>,
    /// The seed of the script: the same seed plays the same customers
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Cut the till's power so often at random moments of the script (kill -9 and restart)
    #[arg(long, value_name = "N", default_value_t = 0, requires = "customers")]
    kills: usize,
    /// Write the figures there as one JSON object
    #[arg(long, value_name = "FILE", requires = "customers")]
    json: Option<PathBuf>,
    /// Leave databases and paper in this folder, which must be new or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Where the counter page listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[derive(Subcommand)]
pub(super) enum Sim {
    /// Alipay's and WeChat Pay's gateways: verify and sign, keep a ledger, notify, play customers and faults
    #[command(after_help = WALLETS_HELP, after_long_help = format!("{WALLETS_HELP}\n\n{}", gateway::HELP))]
    Wallets(Wallets),
    /// A scanner on a pseudo-terminal; each line of standard input is a pull of its trigger or a mishap
    Scanner(Box<Scanner>),
    /// A receipt printer on a pseudo-terminal; what happens to it comes as lines on standard input
    #[command(
        after_help = "Examples:\n  till sim printer /tmp/printer paper\n  till sim printer --link /tmp/printer --spool paper --profile chinese-58mm --baud 9600\n\nThen say help. When its lines end, its paper is left in the spool folder: paper.txt and paper.png."
    )]
    Printer(Printer),
    /// A customer display on a pseudo-terminal; commands on standard input
    #[command(after_help = "Example:\n  till sim display --link /tmp/display --commands cd5220")]
    Display {
        /// Where the port appears
        #[arg(long, value_name = "PATH", default_value = "till-display")]
        link: PathBuf,
        /// The family of commands that its switches are set to
        #[arg(long, value_enum, default_value_t = Family::Cd5220)]
        commands: Family,
    },
    /// A cash drawer on a pseudo-terminal; commands on standard input
    #[command(
        after_help = "Examples:\n  till sim drawer --link /tmp/drawer\n  till devices test drawer --port /tmp/drawer --profile bell      in another window"
    )]
    Drawer {
        /// Where the port appears
        #[arg(long, value_name = "PATH", default_value = "till-drawer")]
        link: PathBuf,
        /// It says whether it is open, and opens on ESC 4 (glancetron-8005) in place of BEL
        #[arg(long)]
        switch: bool,
    },
}

/// Commands of a display.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Family {
    /// Epson's ESC/POS
    DmD,
    /// CD5220
    Cd5220,
}

#[derive(Args)]
pub(super) struct Printer {
    /// Where the port appears
    #[arg(default_value = "till-printer", value_name = "LINK")]
    place: PathBuf,
    /// Where the printed bytes are kept
    #[arg(default_value = "till-paper", value_name = "SPOOL")]
    folder: PathBuf,
    /// Where the port appears, said by name
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Where the printed bytes are kept, said by name
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    /// The printer that it is like: its paper's width
    #[arg(long, value_name = "NAME", value_parser = super::receipt::profile)]
    profile: Option<&'static hardware::Profile>,
    /// Bits a second at which it takes bytes; 0 for as fast as they come
    #[arg(long, value_name = "N", default_value_t = 19_200)]
    baud: u32,
    /// Bytes that it can hold
    #[arg(long, value_name = "N", default_value = "4096")]
    buffer: NonZeroUsize,
    /// How it makes its host wait
    #[arg(long, value_enum, default_value_t = Handshake::Line)]
    handshake: Handshake,
    /// A customer display on the way to it, on the same line
    #[arg(long, value_enum, value_name = "FAMILY")]
    display: Option<Family>,
}

/// How a virtual printer makes its host wait.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Handshake {
    /// It takes no more bytes
    Line,
    /// It sends XOFF and XON
    XonXoff,
    /// Not at all: what it cannot hold is lost
    None,
}

fn family(family: Family) -> hardware::sim::DisplayFamily {
    match family {
        Family::DmD => hardware::sim::DisplayFamily::EscPos,
        Family::Cd5220 => hardware::sim::DisplayFamily::Cd5220,
    }
}

fn print(wanted: Printer) -> anyhow::Result<ExitCode> {
    let usual = hardware::sim::PrinterOptions::default();
    let options = hardware::sim::PrinterOptions {
        baud: wanted.baud,
        width_dots: wanted.profile.map_or(usual.width_dots, |profile| profile.width_dots.into()),
        buffer_bytes: wanted.buffer.get(),
        handshake: match wanted.handshake {
            Handshake::Line => hardware::sim::Handshake::Line,
            Handshake::XonXoff => hardware::sim::Handshake::XonXoff,
            Handshake::None => hardware::sim::Handshake::Nothing,
        },
        display: wanted.display.map(family),
        ..usual
    };
    let (link, spool) = (wanted.link.unwrap_or(wanted.place), wanted.spool.unwrap_or(wanted.folder));
    hardware::sim::run_printer(&link, &spool, options, std::io::stdin().lock(), std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Args)]
#[command(
    after_help = format!("Examples:\n  till sim scanner /tmp/scanner\n  printf 'scan 6901234567892\\n' | till sim scanner --link /tmp/scanner --profile honeywell --aim\n\nCommands:\n{}", hardware::sim::SCANNER_COMMANDS)
)]
pub(super) struct Scanner {
    /// Where the port appears
    #[arg(default_value = "till-scanner", value_name = "LINK")]
    place: PathBuf,
    /// Where the port appears, said by name
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// How it frames its scans: a scanner profile, or a file of your own
    #[arg(long, value_name = "NAME", default_value = "generic", value_parser = scanner_profile)]
    profile: ScannerProfile,
    /// It sends AIM identifiers such as ]E0, whatever its profile says
    #[arg(long)]
    aim: bool,
}

fn scanner_profile(name: &str) -> Result<ScannerProfile, String> {
    if let Some(known) = ScannerProfile::by_name(name) {
        return Ok(known.clone());
    }
    if name.ends_with(".toml") {
        return ScannerProfile::read(std::path::Path::new(name)).map_err(|error| error.to_string());
    }
    let names: Vec<&str> = ScannerProfile::list().iter().map(|known| known.name.as_str()).collect();
    Err(format!("there is none of that name: use one of {}, or a file that ends in .toml", names.join(", ")))
}

fn scan(wanted: Scanner) -> anyhow::Result<ExitCode> {
    let options = hardware::sim::ScannerOptions {
        profile: wanted.profile,
        aim: wanted.aim.then_some(hardware::scanner::AimPrefix::Sent),
    };
    let link = wanted.link.unwrap_or(wanted.place);
    hardware::sim::run_scanner_as(&link, options, std::io::stdin().lock(), std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

const WALLETS_HELP: &str = "\
Example:
  till sim wallets --listen 127.0.0.1:8090 --dir gateway
  till sim wallets --keys my-keys --faults faults.toml

Clients: Alipay's gateway is http://ADDR/gateway.do, WeChat Pay's host is http://ADDR (/v3/...). Any app or
merchant id is taken. Keys and certificates are made in DIR at the first start and printed.
http://ADDR/play issues pay codes and plays the customer; http://ADDR/play/keys has what a client is set up with.
For scripts: POST /play/codes?wallet=wechat, GET /play/trades, POST /play/trades/ORDER/confirm|refuse|finish,
POST /play/customers {\"usual\":{\"does\":\"confirm_after\",\"after_ms\":3000}}, GET /play/log,
POST /faults {\"add\":{\"kind\":\"drop_answer\",\"method\":\"pay\"}} or {\"clear\":true}.
`--help` describes the fault file.";

#[derive(Args)]
pub(super) struct Wallets {
    /// Where it listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Home of its ledger and keys
    #[arg(long, value_name = "DIR", default_value = "till-wallets")]
    dir: PathBuf,
    /// Use merchant.pub.pem and gateway.pkcs8.pem of this folder instead of its own keys
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Rules for its faults, in TOML; described below
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Seed of faults that strike by rate, of trade numbers and of pay codes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// WeChat Pay's APIv3 key, 32 characters, instead of apiv3.key in the folder of keys
    #[arg(long, value_name = "KEY")]
    api_v3_key: Option<String>,
    /// Send notifications again so many times as fast as the wallets do
    #[arg(long, value_name = "N", default_value_t = 1)]
    notify_speed: u32,
    /// What phones reach it by, as http://192.0.2.7:8090; by default the listening address
    #[arg(long, value_name = "URL")]
    public_base: Option<String>,
}

pub(super) fn demo(arguments: Demo) -> anyhow::Result<ExitCode> {
    log_quietly();
    let options = shop::Options {
        binary: std::env::current_exe()?,
        customers: arguments.customers.map(NonZeroUsize::get),
        seed: arguments.seed,
        kills: arguments.kills,
        json: arguments.json,
        keep: arguments.keep,
        listen: arguments.listen,
    };
    match runtime()?.block_on(shop::run(&options, &say))? {
        None => Ok(ExitCode::SUCCESS),
        Some(tally) => {
            say(&format!("\n{}", tally.table()));
            Ok(if tally.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// The demonstration's own lines are its output; its parts log to files.
fn log_quietly() {
    if std::env::var_os("TILL_LOG").is_some() {
        log();
    }
}

pub(super) fn act(part: Sim) -> anyhow::Result<ExitCode> {
    match part {
        Sim::Wallets(wallets) => play_wallets(wallets),
        Sim::Scanner(scanner) => scan(*scanner),
        Sim::Printer(printer) => print(printer),
        Sim::Display { link, commands } => {
            let family = family(commands);
            hardware::sim::run_display(&link, family, std::io::stdin().lock(), std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
        Sim::Drawer { link, switch } => {
            let kind =
                if switch { hardware::sim::DrawerKind::Switched } else { hardware::sim::DrawerKind::Bell };
            hardware::sim::run_drawer(&link, kind, std::io::stdin().lock(), std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn play_wallets(wallets: Wallets) -> anyhow::Result<ExitCode> {
    log();
    let config = gateway::Config {
        listen: wallets.listen,
        dir: folder(&wallets.dir)?,
        keys: wallets.keys,
        faults: wallets.faults,
        seed: wallets.seed,
        public_base: wallets.public_base,
    };
    let extras = gateway::Extras {
        api_v3_key: wallets.api_v3_key,
        notify_speed: wallets.notify_speed,
        report: Some(printer()),
    };
    runtime()?.block_on(async {
        let clock = Clock::new();
        let running = gateway::start_with(config, extras, move || clock.unix_ms()).await?;
        announce(&running);
        asked_to_stop().await;
        running.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Prints a line for each request from a thread of its own: whoever reads the output and stops reading it must not
/// stop the gateway. Lines that find no room are left out, and the next one says how many.
fn printer() -> gateway::Report {
    let (sender, lines) = std::sync::mpsc::sync_channel::<String>(MAX_UNPRINTED);
    std::thread::spawn(move || lines.into_iter().for_each(|line| say(&line)));
    let left_out = AtomicU64::new(0);
    Box::new(move |line| {
        let missing = left_out.swap(0, Ordering::Relaxed);
        let text = if missing == 0 { line.to_string() } else { format!("{line} ({missing} not shown)") };
        if sender.try_send(text).is_err() {
            left_out.fetch_add(missing + 1, Ordering::Relaxed);
        }
    })
}

/// Says what a client has to be set up with. The line that begins with `ready` is the last.
fn announce(running: &gateway::Running) {
    let (paths, keys) = (running.key_paths(), running.gateway().keys());
    say(&format!("verifies with   {}", paths.merchant_public.display()));
    if let Some(path) = &paths.merchant_private {
        say(&format!("clients sign    {}", path.display()));
    }
    say(&format!("signs with      {}", paths.gateway_private.display()));
    say(&format!("certificates    {}", paths.gateway_certificate.display()));
    say(&format!("                {}", paths.root_certificate.display()));
    say(&format!("                {}", paths.merchant_certificate.display()));
    say(&format!("WeChat Pay      APIv3 key {}", keys.api_v3_key()));
    say(&format!("                public key id {}", keys.public_key_id()));
    say(&format!("                platform serial {}", keys.platform_serial()));
    say(keys.gateway_public_pem().trim_end());
    say(&format!("customers       http://{}/play", running.address()));
    say(&format!("ready http://{}", running.address()));
}
