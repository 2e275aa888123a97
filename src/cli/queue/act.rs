//! Acts on the queue, asked of the running daemon. The PIN is asked for at the terminal, or read from a file or the
//! environment; it is never an argument, which everybody on the machine could read.

use super::{Place, words_of};
use crate::cli::{EX_IOERR, EX_UNAVAILABLE, EX_USAGE, runtime, say};
use crate::record::Epoch;
use crate::record::ids::StationId;
use crate::record::queue_act::{QueueAct, Resolution};
use crate::wallet::http;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The daemon answers once the act is on disk: longer than this, and something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(20);

/// More than any PIN: a terminal hands over one line at a time.
const LINE_MAX: usize = 256;

/// What a terminal sends for Control-C.
const CONTROL_C: u8 = 3;

/// Who does it, and which till is asked.
#[derive(Args)]
pub(super) struct Person {
    /// Who does it: the word that a manager signs in with
    #[arg(long)]
    staff: String,
    /// A file with the PIN, instead of asking for it; the environment's TILL_PIN does the same
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// The configuration file, which says where the till's pages are; /etc/till/till.toml if none is named
    #[arg(long, value_name = "FILE", env = "TILL_CONFIG")]
    config: Option<PathBuf>,
    /// Where the till's pages are, if not where the configuration says
    #[arg(long, value_name = "HOST:PORT")]
    pages: Option<String>,
}

#[derive(Args)]
pub(in crate::cli) struct Send {
    /// Why, in a few words: it is kept with the act
    #[arg(long)]
    words: String,
    #[command(flatten)]
    person: Person,
}

#[derive(Args)]
pub(in crate::cli) struct Print {
    /// At this station's printer
    #[arg(long)]
    station: Option<StationId>,
    #[command(flatten)]
    person: Person,
}

#[derive(Args)]
pub(in crate::cli) struct One {
    /// Why, in a few words: it is kept with the act
    #[arg(long)]
    words: String,
    /// The item's number, as till queue list shows it
    seq: u64,
    /// In this epoch instead of the current one
    #[arg(long)]
    epoch: Option<Epoch>,
    #[command(flatten)]
    person: Person,
}

#[derive(Args)]
pub(in crate::cli) struct Resolve {
    #[command(flatten)]
    pub(super) one: One,
    /// How it was dealt with
    #[arg(long = "as", value_enum)]
    pub(super) how: How,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum How {
    /// The money came in another way
    PaidOtherwise,
    /// The shop bears it
    WrittenOff,
    /// The same was counted already
    Duplicate,
}

impl From<How> for Resolution {
    fn from(how: How) -> Self {
        match how {
            How::PaidOtherwise => Self::PaidOtherwise,
            How::WrittenOff => Self::WrittenOff,
            How::Duplicate => Self::Duplicate,
        }
    }
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ActError {
    /// Nobody answers.
    #[error(
        "the till does not answer at {0}: see whether the daemon runs (systemctl status till); if its pages are elsewhere, say --pages HOST:PORT"
    )]
    NoTill(String),
    /// There is no PIN.
    #[error("no PIN was given: type it at a terminal, name a file with --pin-file, or set TILL_PIN")]
    NoPin,
    /// The terminal or the file.
    #[error("the PIN cannot be read{0}")]
    Pin(String, #[source] std::io::Error),
    /// This may not be done to the item as it stands.
    #[error("{0}")]
    NotAllowed(String),
    /// The till says no.
    #[error("{0}")]
    Refused(String),
}

impl ActError {
    pub(in crate::cli) fn exit_code(&self) -> u8 {
        match self {
            Self::NoTill(_) => EX_UNAVAILABLE,
            Self::NoPin => EX_USAGE,
            Self::Pin(..) => EX_IOERR,
            Self::NotAllowed(_) | Self::Refused(_) => 1,
        }
    }
}

pub(super) fn send(asked: &Send) -> anyhow::Result<ExitCode> {
    let act = json!({ "act": QueueAct::SendNow.word(), "words": asked.words });
    let done = post(&asked.person, "queue/act", act)?;
    said(&done, "Whatever waits is sent now. See how it went: till queue list")
}

pub(super) fn print(asked: &Print) -> anyhow::Result<ExitCode> {
    let done = post(&asked.person, "queue/print", json!({ "station": asked.station }))?;
    let station = done["station"].as_str().unwrap_or("the till");
    say(&format!("The checklist is on its way to the printer of {station}."));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn one(asked: &One, act: QueueAct) -> anyhow::Result<ExitCode> {
    let how = act.how().map(Resolution::word);
    let fields = json!({ "act": act.word(), "seq": asked.seq, "epoch": asked.epoch, "how": how, "words": asked.words });
    let seq = asked.seq;
    let epoch = asked.epoch.map(|epoch| format!(" --epoch {epoch}")).unwrap_or_default();
    let done = post(&asked.person, "queue/act", fields).map_err(|error| match error.downcast() {
        Ok(ActError::NotAllowed(words)) => {
            ActError::NotAllowed(format!("{words} What there is of it: till queue show {seq}{epoch}")).into()
        }
        Ok(other) => other.into(),
        Err(error) => error,
    })?;
    let what = match act {
        QueueAct::SendNow => "Whatever waits is sent now.".to_owned(),
        QueueAct::Retry => format!("Record {seq} is brought before head office again."),
        QueueAct::Hold => {
            format!(
                "Record {seq} is held: it has no effect until somebody says till queue release {seq}{epoch}."
            )
        }
        QueueAct::Release => format!("Record {seq} is held no longer: head office rules on it."),
        QueueAct::Resolve { how } => format!("Record {seq} is resolved: {}.", words_of(how)),
    };
    said(&done, &format!("{what} See what became of it: till queue show {seq}{epoch}"))
}

/// Says what was done, and which record says so.
fn said(done: &Value, what: &str) -> anyhow::Result<ExitCode> {
    say(what);
    if let Some(seq) = done["seq"].as_u64() {
        say(&format!("The act itself is record {seq}."));
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the daemon, and hands its answer on.
fn post(person: &Person, door: &str, mut act: Value) -> anyhow::Result<Value> {
    let address = match &person.pages {
        Some(address) => address.clone(),
        None => {
            let place = Place { dir: None, config: person.config.clone() };
            let config = place.config().context(
                "where the till's pages are is not known; name its configuration with --config, or the pages with --pages",
            );
            config?.pages.listen.to_string()
        }
    };
    let pin = pin(person)?;
    act["staff"] = person.staff.clone().into();
    act["pin"] = pin.into();
    if let Some(fields) = act.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    runtime()?.block_on(call(&address, door, &act))
}

async fn call(address: &str, door: &str, act: &Value) -> anyhow::Result<Value> {
    let client = http::client(http::Timeouts { connect: PATIENCE, total: PATIENCE })?;
    let sent = client
        .post(format!("http://{address}/{door}"))
        .header("accept", "application/json")
        .header("accept-language", "en")
        .header("content-type", "application/json")
        .body(act.to_string())
        .send()
        .await;
    let answer = sent.map_err(|_| ActError::NoTill(address.to_owned()))?;
    let status = answer.status();
    let text = answer.text().await.map_err(|_| ActError::NoTill(address.to_owned()))?;
    let json: Option<Value> = serde_json::from_str(&text).ok();
    if status.is_success()
        && let Some(json) = &json
    {
        return Ok(json.clone());
    }
    let said = |name: &str| json.as_ref().and_then(|json| json[name].as_str()).map(str::to_owned);
    let refused = match (said("words"), said("code").as_deref()) {
        (Some(words), Some("queue")) => ActError::NotAllowed(words),
        (Some(words), _) => ActError::Refused(words),
        // Whatever else listens there answers in ways of its own.
        (None, _) => {
            ActError::Refused(format!("what answers at {address} is no till of this version ({status})"))
        }
    };
    Err(refused.into())
}

/// The PIN: from a file, from the environment, or typed without being shown.
fn pin(person: &Person) -> Result<String, ActError> {
    if let Some(file) = &person.pin_file {
        let at = format!(" from {}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| ActError::Pin(at, error))?;
        return Some(text.trim().to_owned()).filter(|pin| !pin.is_empty()).ok_or(ActError::NoPin);
    }
    if let Ok(pin) = std::env::var("TILL_PIN")
        && !pin.is_empty()
    {
        return Ok(pin);
    }
    let Ok(mut terminal) = File::options().read(true).write(true).open("/dev/tty") else {
        return Err(ActError::NoPin);
    };
    let failed = |errno: nix::errno::Errno| ActError::Pin(String::new(), errno.into());
    let before = tcgetattr(&terminal).map_err(failed)?;
    let mut silent = before.clone();
    // Control-C ends the line instead of the process, which would leave the terminal silent.
    silent.local_flags.remove(LocalFlags::ECHO | LocalFlags::ISIG);
    silent.control_chars[SpecialCharacterIndices::VEOL as usize] = CONTROL_C;
    // What was typed before is thrown away; so the question comes after, and what answers it counts.
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent).map_err(failed)?;
    let _ = write!(terminal, "PIN of {}: ", person.staff);
    let mut line = [0; LINE_MAX];
    let read = terminal.read(&mut line);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &before).map_err(failed)?;
    let _ = writeln!(terminal);
    let typed = &line[..read.map_err(|error| ActError::Pin(String::new(), error))?];
    let pin = String::from_utf8_lossy(typed).trim_end().to_owned();
    Some(pin).filter(|pin| !pin.is_empty() && !typed.contains(&CONTROL_C)).ok_or(ActError::NoPin)
}
