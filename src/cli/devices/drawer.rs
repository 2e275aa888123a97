//! `till devices test drawer`: opens a drawer that has a port of its own, and says what is known of it.

use super::{Usage, Which};
use crate::cli::say;
use crate::devices::DrawerProfile;
use clap::Args;
use hardware::drawer::{DrawerConfig, DrawerEvent, DrawerOutcome};
use hardware::link::{Address, Deadline, PortConfig, WriteFailure};
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

/// How long a port may take to open.
const OPENS: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(in crate::cli) struct Drawer {
    #[command(flatten)]
    which: Which,
    /// What opens it: a drawer profile
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl Drawer {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let (address, profile) = self.wanted()?;
        // What is wrong with the port is said with its exit code; the drawer then opens it itself.
        drop(super::open(&address)?);
        say(&format!("{address}, profile {}", profile.name));
        let (news, heard) = channel();
        let port = PortConfig::new(address);
        let drawer = hardware::drawer::Drawer::start(DrawerConfig { port, profile }, move |event| {
            // The test may have ended.
            let _ = news.send(event);
        })?;
        let until = Deadline::after(OPENS);
        while let Ok(event) = heard.recv_timeout(until.left()) {
            match event {
                DrawerEvent::Opened => break,
                DrawerEvent::Gone { reason } => say(&format!("    {reason}")),
            }
        }
        Ok(match drawer.open() {
            DrawerOutcome::Open => {
                say("It is open, and says so.");
                ExitCode::SUCCESS
            }
            DrawerOutcome::Given => {
                say(
                    "The command was given; this drawer says nothing. If it stayed shut: try another --profile or --baud, and look at its power supply. Some need twelve seconds after the port was opened.",
                );
                ExitCode::SUCCESS
            }
            DrawerOutcome::Unsure(doubt) => {
                say(&format!("The command was given; {doubt}."));
                ExitCode::FAILURE
            }
            DrawerOutcome::NotSent(why) => {
                let why = match why {
                    WriteFailure::Gone | WriteFailure::Stopped => "the port is not open any more",
                    WriteFailure::Stalled | WriteFailure::Busy => "the line takes nothing",
                };
                say(&format!("Nothing was sent: {why}."));
                ExitCode::FAILURE
            }
        })
    }

    fn wanted(&self) -> anyhow::Result<(Address, DrawerProfile)> {
        let profile = match self.profile.as_deref() {
            None => None,
            Some(name) if name.ends_with(".toml") => Some(
                DrawerProfile::read(std::path::Path::new(name)).map_err(|error| Usage(error.in_words()))?,
            ),
            Some(name) => Some(DrawerProfile::by_name(name).cloned().ok_or_else(|| {
                let names: Vec<&str> =
                    DrawerProfile::list().iter().map(|known| known.name.as_str()).collect();
                Usage(format!("there is no drawer profile {name:?}: use one of {}", names.join(", ")))
            })?),
        };
        let baud = profile.as_ref().map_or(9_600, |profile| profile.line.baud);
        match (self.which.named(baud)?, profile) {
            (Some(address), Some(profile)) => Ok((address, profile)),
            (Some(_), None) => Err(Usage("say what opens it: --profile bell for most".to_owned()).into()),
            (None, profile) => {
                let configured =
                    self.which.configured("drawer on a port of its own", |station| station.drawer)?;
                Ok((configured.address, profile.unwrap_or(configured.profile)))
            }
        }
    }
}
