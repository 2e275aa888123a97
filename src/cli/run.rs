//! The daemon, its configuration's check, and the audit.

use super::{log, put, say};
use crate::{audit, config, daemon};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct Config {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "/etc/till/till.toml", env = "TILL_CONFIG")]
    config: PathBuf,
}

impl Config {
    /// The configuration that was named.
    pub(super) fn read(&self) -> Result<config::Config, config::ConfigError> {
        config::Config::read(&self.config)
    }
}

#[derive(Args)]
pub(super) struct Audit {
    /// A folder kept by till demo --keep, with till, gateway and cloud in it
    #[arg(required_unless_present = "journal")]
    dir: Option<PathBuf>,
    /// A till's journal.db, instead of a folder
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    journal: Option<PathBuf>,
    /// The wallet gateway's gateway.db to compare it with
    #[arg(long, value_name = "FILE", requires = "journal")]
    gateway: Option<PathBuf>,
    /// The cloud's cloud.db to compare it with
    #[arg(long, value_name = "FILE", requires = "journal")]
    cloud: Option<PathBuf>,
    /// The key that opens the journal's bodies, if it is not keys/seal beside the journal
    #[arg(long, value_name = "FILE")]
    seal: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Exit 0 even when something does not agree
    #[arg(long)]
    no_fail: bool,
}

/// Runs the daemon. One line on standard output says that it is ready, and where its pages are.
pub(super) fn run(arguments: &Config) -> anyhow::Result<ExitCode> {
    let config = config::Config::read(&arguments.config)?;
    log();
    daemon::run(&config, |opened| say(&format!("ready http://{}", opened.pages)))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn check(arguments: &Config) -> anyhow::Result<ExitCode> {
    let config = config::Config::read(&arguments.config)?;
    daemon::check(&config)?;
    let stations = config.stations().count();
    let plural = if stations == 1 { "station" } else { "stations" };
    say(&format!("{}: {} with {stations} {plural}, good.", arguments.config.display(), config.terminal));
    if config.cloud.is_none() {
        say("Note: without [cloud] nothing leaves this machine: no coupons, no desks, no copy elsewhere.");
    }
    for caution in config.cautions() {
        say(&caution.to_string());
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn audit(arguments: &Audit) -> anyhow::Result<ExitCode> {
    let paths = match (&arguments.dir, &arguments.journal) {
        (Some(dir), _) => audit::Paths { seal: arguments.seal.clone(), ..audit::Paths::kept_in(dir) },
        (None, Some(journal)) => audit::Paths {
            journal: journal.clone(),
            gateway: arguments.gateway.clone(),
            cloud: arguments.cloud.clone(),
            printed: None,
            seal: arguments.seal.clone(),
        },
        (None, None) => anyhow::bail!("name a folder, or a journal with --journal"),
    };
    let report = audit::run(&paths)?;
    let text = if arguments.json { serde_json::to_string_pretty(&report)? } else { report.to_text() };
    // What was found stands, whether or not somebody reads it to the end.
    put(format!("{text}\n").as_bytes())?;
    let good = report.findings.is_empty() || arguments.no_fail;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
