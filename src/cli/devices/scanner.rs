//! `till devices test scanner`: what a scanner sends, byte for byte, and what that says about its setup.

use super::{Usage, Which, open};
use crate::cli::say;
use crate::devices::{ScannerConfig, ScannerProfile};
use clap::Args;
use hardware::link::{Deadline, Link};
use hardware::scanner::label::{Ending, Finding, Heard, SeparatorFound, compare, hear, readable};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// A scan has come once the line was quiet for so long. A till waits for no silence; this command does not know yet
/// what the scanner ends its scans with.
const QUIET: Duration = Duration::from_millis(150);

/// How long one look at the line is.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Args)]
pub(in crate::cli) struct Scanner {
    #[command(flatten)]
    which: Which,
    /// A scanner profile by its name, or a file of your own
    #[arg(long, value_name = "NAME", requires = "port")]
    profile: Option<String>,
    /// Stop after so many scans
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// Stop after so many seconds without a scan
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Pull the trigger by the command of the profile
    #[arg(long)]
    trigger: bool,
}

impl Scanner {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let wanted = self.wanted()?;
        let mut link = open(&wanted.address)?;
        say(&format!(
            "{}, profile {}, {} baud. Hold the test label under the scanner (till devices test label -o label.png), or any code.",
            wanted.address, wanted.profile.name, wanted.profile.line.baud
        ));
        if self.trigger {
            let command = wanted.profile.commands.trigger_on.as_ref().ok_or_else(|| {
                Usage(format!(
                    "no source says how a scanner of profile {} is triggered: pull its trigger by hand",
                    wanted.profile.name
                ))
            })?;
            link.write(command.bytes.as_slice(), Duration::from_secs(1))?;
            if let Some(needs) = &command.needs {
                say(&format!("Triggered. It reads only if it is in {needs}."));
            }
        }
        let mut wrong = false;
        for number in 1..=self.count {
            let Some(bytes) = next_scan(link.as_mut(), Duration::from_secs(self.timeout))? else {
                if number > 1 {
                    say(&format!("No more came: {} of {} scans.", number - 1, self.count));
                } else {
                    say(
                        "Nothing came. Is the scanner set to show itself as a serial port, and to this speed?",
                    );
                }
                return Ok(ExitCode::FAILURE);
            };
            let heard = hear(&bytes);
            let finding = compare(&heard);
            wrong |= finding == Finding::Label(SeparatorFound::Lost) || heard.ending == Ending::Silence;
            say(&told(number, &bytes, &heard, &finding));
        }
        Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn wanted(&self) -> anyhow::Result<ScannerConfig> {
        let profile = match &self.profile {
            None => ScannerProfile::generic(),
            Some(name) => match ScannerProfile::by_name(name) {
                Some(known) => known.clone(),
                None if name.ends_with(".toml") => ScannerProfile::read(Path::new(name))?,
                None => {
                    let names: Vec<&str> =
                        ScannerProfile::list().iter().map(|known| known.name.as_str()).collect();
                    return Err(Usage(format!(
                        "there is no scanner profile {name:?}: use one of {}, or a file that ends in .toml",
                        names.join(", ")
                    ))
                    .into());
                }
            },
        };
        match self.which.named(profile.line.baud)? {
            Some(address) => Ok(ScannerConfig { profile, ..ScannerConfig::new(address) }),
            None => self.which.configured("scanner", |station| station.scanner),
        }
    }
}

/// The bytes until the line goes quiet; none if nothing came in time.
fn next_scan(link: &mut dyn Link, timeout: Duration) -> anyhow::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    let mut until = Deadline::after(timeout);
    while !until.has_passed() {
        let count = link.read(&mut buffer, LOOK.min(until.left()))?;
        if count > 0 {
            bytes.extend_from_slice(&buffer[..count]);
            until = Deadline::after(QUIET);
        }
        if bytes.len() > hardware::scanner::framer::MAX_SCAN_BYTES {
            break;
        }
    }
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// What a scan says about the scanner's setup.
fn told(number: u32, bytes: &[u8], heard: &Heard, finding: &Finding) -> String {
    let ending = match heard.ending {
        Ending::Cr => "CR: the generic profile reads it",
        Ending::Lf => "LF: the generic profile reads it",
        Ending::CrLf => "CR LF: the generic profile reads it",
        Ending::StxEtx => "STX to ETX: profile = \"generic-marked\" reads codes with line ends in them, too",
        Ending::Silence => {
            "nothing: set the scanner to the suffix CR. Only profile = \"generic-silent\" reads it as it is, and late"
        }
    };
    let aim = match heard.aim {
        Some(aim) => format!("{aim} arrives: set aim = \"on\""),
        None => "none arrives: set aim = \"off\", or better, set the scanner to send it".to_owned(),
    };
    let label = match finding {
        Finding::Label(SeparatorFound::Sent) => "it is, and the separator arrives as it should".to_owned(),
        Finding::Label(SeparatorFound::Substituted(mark)) => {
            let mark: Vec<String> = mark.iter().map(|byte| format!("{byte:02X}")).collect();
            let mark = mark.join(" ");
            format!("it is; the separator arrives as {mark}: set gs = \"{mark}\" in a profile of your own")
        }
        Finding::Label(SeparatorFound::Lost) => {
            "it is, but the separator is LOST: batches and serial numbers run together. Set the scanner to send GS (1D)".to_owned()
        }
        Finding::Other => "it is another code, or bytes of it are wrong".to_owned(),
    };
    format!(
        "scan {number}  {}\n    ends with   {ending}\n    identifier  {aim}\n    test label  {label}",
        readable(bytes)
    )
}
