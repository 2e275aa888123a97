//! Acts on the queue, asked of the running daemon. The PIN is asked for at the terminal, or read from a file or the
//! environment; it is never an argument, which everybody on the machine could read.

use super::Place;
use crate::cli::{EX_IOERR, EX_UNAVAILABLE, EX_USAGE, runtime, say};
use crate::record::Epoch;
use crate::record::ids::StationId;
use crate::wallet::http;
use clap::{Args, ValueEnum};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The daemon answers once the act is on disk: longer than this, and something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who does it, and why.
#[derive(Args)]
pub(super) struct Person {
    /// Who does it: the short name of a manager
    #[arg(long)]
    staff: String,
    /// A file with the PIN, instead of asking for it; the environment's TILL_PIN does the same
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
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
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(in crate::cli) struct Print {
    /// At this station's printer
    #[arg(long)]
    station: Option<StationId>,
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(in crate::cli) struct One {
    /// Why, in a few words: it is kept with the act
    #[arg(long)]
    words: String,
    /// The item's number
    seq: u64,
    /// In this epoch instead of the current one
    #[arg(long)]
    epoch: Option<Epoch>,
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    place: Place,
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

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ActError {
    /// Nobody answers.
    #[error("the till does not answer at {0}: is the daemon running? (systemctl status till)")]
    NoTill(String),
    /// There is no PIN.
    #[error("no PIN was given: type it at the terminal, or name a file with --pin-file")]
    NoPin,
    /// The terminal or the file.
    #[error("the PIN cannot be read")]
    Pin(#[source] std::io::Error),
    /// The till says no.
    #[error("{0}")]
    Refused(String),
}

impl ActError {
    pub(in crate::cli) fn exit_code(&self) -> u8 {
        match self {
            Self::NoTill(_) => EX_UNAVAILABLE,
            Self::NoPin => EX_USAGE,
            Self::Pin(_) => EX_IOERR,
            Self::Refused(_) => 1,
        }
    }
}

pub(super) fn send(asked: &Send) -> anyhow::Result<ExitCode> {
    let act = json!({ "act": "send_now", "words": asked.words });
    post(&asked.person, &asked.place, "queue/act", act)
}

pub(super) fn print(asked: &Print) -> anyhow::Result<ExitCode> {
    post(&asked.person, &asked.place, "queue/print", json!({ "station": asked.station }))
}

pub(super) fn one(asked: &One, act: &str, how: Option<How>) -> anyhow::Result<ExitCode> {
    let how = how.map(|how| match how {
        How::PaidOtherwise => "paid_otherwise",
        How::WrittenOff => "written_off",
        How::Duplicate => "duplicate",
    });
    let act = json!({ "act": act, "seq": asked.seq, "epoch": asked.epoch, "how": how, "words": asked.words });
    post(&asked.person, &asked.place, "queue/act", act)
}

fn post(person: &Person, place: &Place, door: &str, mut act: Value) -> anyhow::Result<ExitCode> {
    let address = match &person.pages {
        Some(address) => address.clone(),
        None => place.config()?.pages.listen.to_string(),
    };
    let pin = pin(person)?;
    act["staff"] = person.staff.clone().into();
    act["pin"] = pin.into();
    if let Some(fields) = act.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let answer = runtime()?.block_on(call(&address, door, &act))?;
    say(&answer);
    Ok(ExitCode::SUCCESS)
}

async fn call(address: &str, door: &str, act: &Value) -> anyhow::Result<String> {
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
    let said = |names: &[&str]| {
        let json = json.as_ref()?;
        names.iter().find_map(|name| json[*name].as_str()).map(str::to_owned)
    };
    if status.is_success() {
        let seq = json.as_ref().and_then(|json| json["seq"].as_u64());
        let done =
            seq.map_or_else(|| "Done.".to_owned(), |seq| format!("Done. The journal ends at record {seq}."));
        return Ok(said(&["words", "message"]).unwrap_or(done));
    }
    let why = said(&["words", "detail", "message", "error"]);
    Err(ActError::Refused(why.unwrap_or_else(|| format!("the till refused it ({status})"))).into())
}

/// The PIN: from a file, from the environment, or typed without being shown.
fn pin(person: &Person) -> Result<String, ActError> {
    if let Some(file) = &person.pin_file {
        let text = std::fs::read_to_string(file).map_err(ActError::Pin)?;
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
    let failed = |errno: nix::errno::Errno| ActError::Pin(errno.into());
    let before = tcgetattr(&terminal).map_err(failed)?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    let _ = write!(terminal, "PIN of {}: ", person.staff);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent).map_err(failed)?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).read_line(&mut line);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &before).map_err(failed)?;
    let _ = writeln!(terminal);
    read.map_err(ActError::Pin)?;
    Some(line.trim().to_owned()).filter(|pin| !pin.is_empty()).ok_or(ActError::NoPin)
}
