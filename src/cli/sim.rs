//! The demonstration, and the parts of the world that can be played alone.

use super::{asked_to_stop, folder, log, runtime, say};
use crate::clock::Clock;
use crate::sim::{demo as shop, gateway};
use clap::{Args, Subcommand};
use hardware::scanner::ScannerProfile;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

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
    /// A wallet's gateway: verifies and signs, keeps a ledger, plays faults
    #[command(
        after_help = "Example:\n  till sim wallets --listen 127.0.0.1:8090 --dir gateway\n\nThe keys that a client needs are made in DIR at the first start."
    )]
    Wallets(Wallets),
    /// A scanner on a pseudo-terminal; each line of standard input is a pull of its trigger or a mishap
    Scanner(Box<Scanner>),
    /// A receipt printer on a pseudo-terminal; commands on standard input
    #[command(after_help = "Example:\n  till sim printer /tmp/printer paper")]
    Printer {
        /// Where the port appears
        #[arg(default_value = "till-printer")]
        link: PathBuf,
        /// Where the printed bytes are kept
        #[arg(default_value = "till-paper")]
        spool: PathBuf,
        /// Bits a second at which it takes them; 0 for as fast as they come
        #[arg(long, default_value_t = 19_200)]
        baud: u32,
    },
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
    /// Rules for its faults, in TOML
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Seed of faults that strike by rate
    #[arg(long, default_value_t = 1)]
    seed: u64,
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
        Sim::Printer { link, spool, baud } => {
            let options = hardware::sim::PrinterOptions { baud, ..hardware::sim::PrinterOptions::default() };
            hardware::sim::run_printer(&link, &spool, options, std::io::stdin().lock(), std::io::stdout())?;
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
        public_base: None,
    };
    runtime()?.block_on(async {
        let clock = Clock::new();
        let running = gateway::start(config, move || clock.unix_ms()).await?;
        let keys = running.key_paths();
        say(&format!("verifies with {}", keys.merchant_public.display()));
        say(&format!("signs with    {}", keys.gateway_private.display()));
        say(&format!("ready http://{}", running.address()));
        asked_to_stop().await;
        running.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}
