//! The demonstration, and the parts of the world that can be played alone.

use super::{asked_to_stop, folder, log, runtime, say};
use crate::clock::Clock;
use crate::sim::{demo as shop, gateway};
use clap::{Args, Subcommand};
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
    /// A scanner on a pseudo-terminal; each line of standard input is a scan or a command
    #[command(after_help = "Example:\n  till sim scanner /tmp/scanner")]
    Scanner {
        /// Where the port appears
        #[arg(default_value = "till-scanner")]
        link: PathBuf,
    },
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
        Sim::Scanner { link } => {
            hardware::sim::run_scanner(&link, std::io::stdin().lock(), std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
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
