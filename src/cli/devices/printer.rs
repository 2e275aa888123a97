//! `till devices test printer`: what a printer answers, and a page that shows what it can do.

use super::{Usage, Which, open};
use crate::cli::say;
use crate::devices::Profile;
use clap::Args;
use hardware::display::PRINTER;
use hardware::document::{Cut, Document, Line, Qr, Row, Style};
use hardware::link::{Address, Link, PortConfig};
use hardware::printer::escpos::encode;
use hardware::printer::{JobOutcome, PrinterConfig, PrinterEvent, Shared, Why};
use hardware::scanner::label::readable;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

/// How long an answer may take: at 9,600 baud it takes a millisecond, printers that are busy take longer.
const ANSWER: Duration = Duration::from_millis(500);

/// How long the printer may take until it can print.
const READY: Duration = Duration::from_secs(10);

/// The questions, and what an answer to them is good for. Epson ESC/POS command reference: DLE EOT, GS r, GS I.
const QUESTIONS: [(&str, &[u8], &str); 7] = [
    ("DLE EOT 1", b"\x10\x04\x01", "on line or off"),
    ("DLE EOT 2", b"\x10\x04\x02", "cover and feed button"),
    ("DLE EOT 3", b"\x10\x04\x03", "cutter and other errors"),
    ("DLE EOT 4", b"\x10\x04\x04", "paper"),
    ("GS r 1", b"\x1dr\x01", "in the order of the job: confirms receipts"),
    ("GS I 67", b"\x1dIC", "its name"),
    ("GS I 65", b"\x1dIA", "its program's version"),
];

#[derive(Args)]
pub(in crate::cli) struct Printer {
    #[command(flatten)]
    which: Which,
    /// Its profile
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Only ask, print nothing
    #[arg(long)]
    no_page: bool,
}

impl Printer {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let (address, profile, shared) = self.wanted()?;
        let mut link = open(&address)?;
        if shared == Shared::WithDisplay {
            // A display has the line to itself when it is switched on.
            link.write(&PRINTER, ANSWER)?;
        }
        say(&format!("{address}, profile {}", profile.name));
        let mut answers = 0;
        for (name, question, good_for) in QUESTIONS {
            let answer = ask(link.as_mut(), question)?;
            let words = if answer.is_empty() { "no answer".to_owned() } else { shown(&answer) };
            answers += usize::from(!answer.is_empty());
            say(&format!("    {name:<9}  {words:<24}  {good_for}"));
        }
        if answers == 0 {
            say(
                "It answers nothing: it is off, set to another speed, wired one way, or a printer that never answers.",
            );
        }
        // The driver opens the port itself.
        link.discard();
        drop(link);
        if self.no_page {
            return Ok(if answers > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let outcome = print(address, profile, shared)?;
        say(&format!("Test page: {outcome}."));
        Ok(match outcome {
            // A printer that cannot say more has done what it can.
            JobOutcome::Confirmed | JobOutcome::Unconfirmed { why: Why::CannotTell } => ExitCode::SUCCESS,
            JobOutcome::Unconfirmed { .. }
            | JobOutcome::FailedBefore { .. }
            | JobOutcome::FailedPartWay { .. } => ExitCode::FAILURE,
        })
    }

    fn wanted(&self) -> anyhow::Result<(Address, &'static Profile, Shared)> {
        let named = self.which.named(19_200)?;
        let profile = match &self.profile {
            None => None,
            Some(name) => Some(crate::cli::receipt::profile(name).map_err(Usage)?),
        };
        match (named, profile) {
            (Some(address), Some(profile)) => Ok((address, profile, Shared::No)),
            (Some(_), None) => Err(Usage("say which printer it is: --profile NAME".to_owned()).into()),
            (None, profile) => {
                let (configured, shared) = self.which.configured("printer", |station| {
                    let shared = match &station.display {
                        Some(display) if display.address.is_none() => Shared::WithDisplay,
                        Some(_) | None => Shared::No,
                    };
                    Some((station.printer?, shared))
                })?;
                Ok((configured.address, profile.unwrap_or(configured.stock.profile), shared))
            }
        }
    }
}

/// Asks one question, and returns what comes until the line is quiet.
fn ask(link: &mut dyn Link, question: &[u8]) -> anyhow::Result<Vec<u8>> {
    /// Between two bytes of one answer.
    const BETWEEN: Duration = Duration::from_millis(60);
    /// No answer to these is longer.
    const ANSWER_BYTES_MAX: usize = 200;
    link.write(question, ANSWER)?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 64]);
    let mut wait = ANSWER;
    while answer.len() < ANSWER_BYTES_MAX {
        match link.read(&mut buffer, wait)? {
            0 => break,
            count => answer.extend_from_slice(&buffer[..count]),
        }
        wait = BETWEEN;
    }
    Ok(answer)
}

/// A name as text, anything else as bytes.
fn shown(answer: &[u8]) -> String {
    match answer {
        [b'_', name @ .., 0] if !name.is_empty() => readable(name),
        bytes => bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" "),
    }
}

/// Prints the test page with the driver that receipts are printed with.
fn print(address: Address, profile: &'static Profile, shared: Shared) -> anyhow::Result<JobOutcome> {
    let job = encode(&page(profile.columns), profile)?;
    let (news, heard) = channel();
    let printer = hardware::printer::Printer::start(
        PrinterConfig { shared, ..PrinterConfig::new(PortConfig::new(address), profile) },
        move |event| {
            // The test may have ended.
            let _ = news.send(event);
        },
    )?;
    let until = hardware::link::Deadline::after(READY);
    while !printer.status().can_print() {
        match heard.recv_timeout(until.left()) {
            Ok(PrinterEvent::Gone { reason }) => say(&format!("    {reason}")),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Ok(std::thread::scope(|scope| {
        // It ends with the printer, which has the other end.
        scope.spawn(move || heard.into_iter().for_each(tell));
        let outcome = printer.submit(job);
        drop(printer);
        outcome
    }))
}

/// What keeps the page waiting: somebody stands beside the printer.
fn tell(event: PrinterEvent) {
    match event {
        PrinterEvent::Gone { reason } => say(&format!("    {reason}")),
        PrinterEvent::Held(why) => say(&format!("    {why}. The page goes on by itself.")),
        PrinterEvent::Opened | PrinterEvent::Status(_) => {}
    }
}

/// A page that shows a printer's width, styles, characters, code and knife.
fn page(columns: u8) -> Document {
    let ruler: String = (1..=columns).map(|column| char::from(b'0' + column % 10)).collect();
    let (wide, tall) = (Style { wide: true, ..Style::default() }, Style { tall: true, ..Style::default() });
    let bold = Style { bold: true, ..Style::default() };
    let mut page = Document::new();
    page.line(Line::centred("Till: test page").styled(Style::TITLE))
        .line(Line::left(ruler))
        .rule()
        .line(Line::left("bold").styled(bold))
        .line(Line::left("wide").styled(wide))
        .line(Line::left("tall").styled(tall))
        .line(Line::left("Western: é à ü ß ñ £ ¥"))
        .line(Line::left("Chinese: 收银 小票 ￥12.50"))
        .row(Row::new().from(0, "left").up_to(columns, "right"))
        .rule()
        .line(Line::centred("The ruler fills the line, the code is read by a phone:"))
        .qr(Qr::new("TILL-TEST"))
        .feed(1)
        .cut(Cut::Full);
    page
}
