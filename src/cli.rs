//! Arguments to calls, and exit codes: 0 done, 1 the thing itself said no, 64 wrong usage, 69 another Till
//! holds the state directory, 74 disk or port, 78 wrong configuration (sysexits.h).

mod cloud;
mod copies;
mod desk_codes;
mod devices;
mod journal;
mod pay;
mod queue;
mod receipt;
mod run;
mod scan;
mod sim;

use anyhow::Context as _;
use clap::{CommandFactory, Parser, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Wrong usage.
const EX_USAGE: u8 = 64;

/// A service that is needed is not there, or another one is in its place.
const EX_UNAVAILABLE: u8 = 69;

/// Disk or port.
const EX_IOERR: u8 = 74;

/// Wrong configuration.
const EX_CONFIG: u8 = 78;

/// The program on a shop's counter that lets people pay by scanning.
#[derive(Parser)]
#[command(name = "till", version, max_term_width = 100, propagate_version = true)]
#[command(
    after_help = "Try it on this machine, without any hardware:\n  till demo\n\nOn a counter:\n  till check-config --config /etc/till/till.toml\n  till run --config /etc/till/till.toml"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the till's daemon
    #[command(after_help = "Example:\n  till run --config /etc/till/till.toml")]
    Run(run::Config),
    /// Check a configuration without opening anything; exits 78 with file, line and reason
    #[command(after_help = "Example:\n  till check-config --config /etc/till/till.toml")]
    CheckConfig(run::Config),
    /// Copy the till's journal while it runs, and verify the copy
    Backup(copies::Backup),
    /// Put a copy in the place of the till's journal
    Restore(copies::Restore),
    /// Run head office, or keep its books: tills, catalogue, coupons, desks
    Cloud(Box<cloud::Cloud>),
    /// Draw the stickers that customers scan at their desks
    DeskCodes(desk_codes::DeskCodes),
    /// Play a whole shop on this machine: cloud, wallet, scanner, printer and till
    #[command(
        after_help = "Examples:\n  till demo                              open the counter page in a browser\n  till demo --customers 20 --seed 7      play twenty customers and print a table\n  till demo --customers 40 --keep run1   keep databases and paper for till audit"
    )]
    Demo(sim::Demo),
    /// Look at scans: what a till takes them for
    #[command(subcommand)]
    Scan(scan::Scan),
    /// See what is on its way to head office, decide about it, and take it out as a file
    #[command(
        subcommand,
        after_help = "list, show, lacking and export read the till's files, also while the daemon is stopped. The others are asked of the daemon and take a manager's PIN: typed at the terminal, from --pin-file FILE, or from TILL_PIN.\n\nExamples:\n  till queue list --state needs                   what a person has to decide about\n  till queue show 4711                            why, and what may be done\n  till queue resolve 4711 --as written-off --staff mia --words \"shop bears it\"\n\nExit codes: 0 done, 1 the till said no, 64 wrong usage, 69 the daemon does not answer, 74 a file cannot be read, 78 the configuration is wrong."
    )]
    Queue(queue::Queue),
    /// Check a journal or an export of one, and read single records
    #[command(subcommand)]
    Journal(journal::Journal),
    /// List what is plugged in, and try scanners and printers
    #[command(subcommand)]
    Devices(devices::Devices),
    /// Look at pay codes
    #[command(subcommand)]
    Pay(pay::Pay),
    /// Play one part of the world around a till
    #[command(subcommand)]
    Sim(sim::Sim),
    /// Compare journal, wallet and cloud by another reader than the writers, and list what does not agree
    #[command(after_help = "Example:\n  till audit run1        where run1 was kept by till demo --keep run1")]
    Audit(run::Audit),
    /// Lay a receipt out as printer bytes, text or a picture
    #[command(subcommand)]
    Receipt(receipt::Paper),
    /// Print shell completions
    #[command(after_help = "Example:\n  till completions bash > /usr/share/bash-completion/completions/till")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write one for each command
    #[command(
        after_help = "Examples:\n  till man | man -l -                          read it here\n  till man --dir /usr/local/share/man/man8     till.8, till-queue.8, till-queue-list.8 and so on"
    )]
    Man {
        /// Write till.8 and a page for each command into this folder
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let wrong = error.use_stderr();
            // Nothing can be said if even this cannot be printed.
            let _ = error.print();
            return if wrong { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    // Every HTTP client and server of the process uses the same cryptography.
    let _already = rustls::crypto::ring::default_provider().install_default();
    match act(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "till: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

fn act(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(config) => run::run(&config),
        Command::CheckConfig(config) => run::check(&config),
        Command::Backup(backup) => copies::back_up(&backup),
        Command::Restore(restore) => copies::restore(&restore),
        Command::Cloud(cloud) => cloud::act(&cloud),
        Command::DeskCodes(wanted) => desk_codes::act(&wanted),
        Command::Demo(demo) => sim::demo(demo),
        Command::Scan(part) => scan::act(&part),
        Command::Queue(part) => queue::act(&part),
        Command::Journal(part) => journal::act(&part),
        Command::Devices(command) => devices::act(command),
        Command::Pay(part) => pay::act(part),
        Command::Sim(part) => sim::act(part),
        Command::Audit(audit) => run::audit(&audit),
        Command::Receipt(paper) => receipt::act(&paper),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "till", &mut script);
            put(&script)
        }
        Command::Man { dir: None } => {
            let mut page = Vec::new();
            clap_mangen::Man::new(commands()).section(SECTION).render(&mut page)?;
            put(&page)
        }
        Command::Man { dir: Some(dir) } => {
            std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
            let pages = man_pages(commands(), &dir)?;
            say(&format!(
                "{pages} pages are in {}. Read one: man {}",
                dir.display(),
                dir.join("till.8").display()
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Where manuals keep what the people who look after a machine run.
const SECTION: &str = "8";

/// What stands at a page's foot.
const SOURCE: &str = concat!("till ", env!("CARGO_PKG_VERSION"));

/// Every command, with its whole name, and none of the help that each has of itself.
fn commands() -> clap::Command {
    let mut all = Arguments::command().disable_help_subcommand(true);
    all.build();
    all
}

/// Writes a page for a command and for each below it; how many.
fn man_pages(command: clap::Command, dir: &Path) -> anyhow::Result<usize> {
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()).cloned() {
        pages += man_pages(below, dir)?;
    }
    let page = clap_mangen::Man::new(command).section(SECTION).source(SOURCE);
    let path = dir.join(page.get_filename());
    page.generate_to(dir).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(pages)
}

fn exit_code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.downcast_ref::<crate::config::ConfigError>().is_some() {
            return EX_CONFIG;
        }
        if let Some(error) = cause.downcast_ref::<crate::till::Error>() {
            match error {
                crate::till::Error::OtherTerminal { .. } | crate::till::Error::OtherCurrency { .. } => {
                    return EX_CONFIG;
                }
                crate::till::Error::Journal(_)
                | crate::till::Error::NoGenesis
                | crate::till::Error::NewerGenesis { .. }
                | crate::till::Error::OtherState { .. }
                | crate::till::Error::State(_)
                | crate::till::Error::FirstCommit(_) => return EX_IOERR,
            }
        }
        if let Some(error) = cause.downcast_ref::<crate::cloud::Error>() {
            match error {
                crate::cloud::Error::Running(_)
                | crate::cloud::Error::Listen { .. }
                | crate::cloud::Error::Ended(_)
                | crate::cloud::Error::Store(crate::cloud::StoreError::ServerRuns { .. }) => {
                    return EX_UNAVAILABLE;
                }
                crate::cloud::Error::ReadKey { .. }
                | crate::cloud::Error::BadKey { .. }
                | crate::cloud::Error::Wallet(_)
                | crate::cloud::Error::TwoAccounts(_) => return EX_CONFIG,
                crate::cloud::Error::Store(_)
                | crate::cloud::Error::Keys(_)
                | crate::cloud::Error::Publish(_)
                | crate::cloud::Error::Stopped => return EX_IOERR,
            }
        }
        if let Some(crate::pages::Error::Listen { .. }) = cause.downcast_ref::<crate::pages::Error>() {
            return EX_UNAVAILABLE;
        }
        if let Some(error) = cause.downcast_ref::<queue::act::ActError>() {
            return error.exit_code();
        }
        let unfit = cause.downcast_ref::<queue::export::Unfit>().is_some();
        if unfit || cause.downcast_ref::<crate::queue::FilterError>().is_some() {
            return EX_USAGE;
        }
        if cause.downcast_ref::<crate::keys::KeyError>().is_some() {
            return EX_IOERR;
        }
        if cause.downcast_ref::<devices::Usage>().is_some() {
            return EX_USAGE;
        }
        if let Some(error) = cause.downcast_ref::<hardware::link::LinkError>() {
            let held = matches!(error, hardware::link::LinkError::InUse { .. });
            return if held { EX_UNAVAILABLE } else { EX_IOERR };
        }
        if cause.downcast_ref::<hardware::scanner::profile::ProfileError>().is_some() {
            return EX_CONFIG;
        }
        if cause.downcast_ref::<crate::audit::Error>().is_some() {
            return EX_IOERR;
        }
        if let Some(error) = cause.downcast_ref::<crate::journal::Error>() {
            use crate::journal::Error::{AnotherInstance, CopyInTheWay, OtherTills, Uncounted, Unsent};
            let refused =
                matches!(error, CopyInTheWay { .. } | OtherTills { .. } | Unsent { .. } | Uncounted(_));
            let running = matches!(error, AnotherInstance { .. });
            return if refused {
                1
            } else if running {
                EX_UNAVAILABLE
            } else {
                EX_IOERR
            };
        }
        if cause.downcast_ref::<std::io::Error>().is_some() {
            return EX_IOERR;
        }
    }
    1
}

/// How a program ends that a closed pipe ends: 128 and the number of SIGPIPE, as a shell counts it.
const EX_PIPE: u8 = 128 + 13;

/// Writes a whole document to standard output. Whoever reads it and goes away early has seen enough: nothing is said
/// then, but the exit code is not that of a whole document. (A standard output that was closed before the start cannot
/// be told from /dev/null, which is what the runtime opens in its place.)
fn put(bytes: &[u8]) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::from(EX_PIPE)),
        Err(error) => Err(anyhow::Error::new(error).context("standard output takes no more")),
    }
}

/// Says a line to whoever started the program.
fn say(line: &str) {
    // A reader that went away must not stop a till.
    let _ = writeln!(std::io::stdout(), "{line}");
    let _ = std::io::stdout().flush();
}

/// Logs to standard error, where journald or a terminal reads them. `TILL_LOG` chooses the level.
fn log() {
    let filter = std::env::var("TILL_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO));
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs = tracing_subscriber::registry().with(lines.with_ansi(colour).with_target(false)).with(filter);
    let _already = logs.try_init();
}

/// A runtime for a part that is not the daemon.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Waits until the program is asked to stop.
async fn asked_to_stop() {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match terminate {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            // Without a handler, SIGTERM ends the process by itself.
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// A path that was given, or the current folder's.
fn folder(path: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(path)?;
    Ok(path.canonicalize()?)
}
