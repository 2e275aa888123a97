//! The virtual printer as a program: what happens to it comes in as lines, answers go out as lines.
//!
//! A line that makes no sense is answered with what can be said, and nothing else happens. When the lines end, the
//! paper is left beside the bytes: `paper.txt` and `paper.png`.

use std::io::{self, BufRead, Write};
use std::path::Path;

use super::report;
use crate::sim::{Fault, Happening, Printer, PrinterOptions};

const HELP: &str = "\
Say one of these, a line each:
  out | near-end | load          the paper runs out, is nearly out, is new
  open | close                   the cover
  jam | free                     the knife; the till then tells the printer to go on, or say off and on
  hot | cool | break             the head, the printer
  off | on                       its power: off forgets what was not printed
  stall | go                     it takes no bytes, takes them again
  pause | resume                 it prints nothing and says nothing, prints again
  drop [N] | answer              its next N answers are lost (all without N), arrive again
  lose-xon                       its next leave to go on is lost (with XON/XOFF)
  shut | stick                   its drawer: somebody shuts it, its lock sticks
  slip                           an old status slips into its next data block
  ... after N bytes|lines        any of these when so many more were printed
  ... at cut                     or at the next cut
  fault NAME                     none, near-end, paper-out, cover-open, cutter, hot, drop-replies; none mends all
  status | paper | errors        what it says, what it has printed, bytes it did not understand
  show                           the display on its line, if it has one
  png FILE | html FILE           its paper as a picture, as a page
  unplug | replug | quit
Examples:
  out after 12 lines
  jam at cut
  drop 1
  png paper.png";

const FAULTS: [(&str, Fault); 7] = [
    ("none", Fault::None),
    ("near-end", Fault::PaperNearEnd),
    ("paper-out", Fault::PaperOut),
    ("cover-open", Fault::CoverOpen),
    ("cutter", Fault::CutterJam),
    ("hot", Fault::Overheated),
    ("drop-replies", Fault::DropReplies),
];

const HAPPENINGS: [(&str, Happening); 20] = [
    ("out", Happening::PaperOut),
    ("near-end", Happening::PaperNearEnd),
    ("load", Happening::PaperLoaded),
    ("open", Happening::CoverOpened),
    ("close", Happening::CoverClosed),
    ("jam", Happening::KnifeJams),
    ("free", Happening::KnifeFreed),
    ("hot", Happening::HeadHot),
    ("cool", Happening::HeadCool),
    ("break", Happening::Breaks),
    ("off", Happening::PowerOff),
    ("on", Happening::PowerOn),
    ("stall", Happening::Stalls),
    ("go", Happening::GoesOn),
    ("pause", Happening::Pauses),
    ("resume", Happening::Resumes),
    ("lose-xon", Happening::XonLost),
    ("shut", Happening::DrawerShut),
    ("stick", Happening::DrawerSticks),
    ("slip", Happening::PacketSlipsIn),
];

/// The longest line that is looked at. Whatever is longer was not typed.
const MAX_LINE_BYTES: usize = 4096;

/// Runs a printer at `link` until its commands end. `help` lists them.
///
/// # Errors
/// When the terminal or the spool cannot be made or the streams fail.
pub fn run_printer(
    link: &Path,
    spool: &Path,
    options: PrinterOptions,
    mut commands: impl BufRead,
    mut answers: impl Write,
) -> io::Result<()> {
    let printer = Printer::start(link, spool, options)?;
    writeln!(answers, "printer at {}: say help, or what happens to it; quit ends", link.display())?;
    answers.flush()?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if commands.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let said = String::from_utf8_lossy(&line[..line.len().min(MAX_LINE_BYTES)]);
        let words: Vec<&str> = said.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["quit" | "exit"] => break,
            words => {
                let done = obey(&printer, words, said.trim(), &mut answers);
                report(&mut answers, done)?;
            }
        }
    }
    leave_paper(&printer, spool)
}

fn obey(printer: &Printer, words: &[&str], line: &str, answers: &mut impl Write) -> io::Result<()> {
    let file = || line.split_once(char::is_whitespace).map_or("", |(_, file)| file.trim());
    let width = printer.options().width_dots;
    match *words {
        ["help" | "?"] => writeln!(answers, "{HELP}"),
        ["paper"] => write!(answers, "{}", printer.paper().to_text(width)),
        ["errors"] => {
            let paper = printer.paper();
            paper
                .errors
                .iter()
                .try_for_each(|error| writeln!(answers, "error at byte {}: {}", error.offset, error.what))
        }
        ["status"] => {
            let (packet, paper) = (printer.packet(), printer.paper());
            let power = if printer.is_powered() { "on" } else { "off" };
            let plug = if printer.is_plugged() { "plugged in" } else { "pulled out" };
            writeln!(
                answers,
                "power {power}, {plug}, says {packet:02x?}, took {} bytes, lost {}, {} cuts, {} pulses, {} errors",
                printer.received(),
                printer.overrun(),
                paper.cut_sheets().count(),
                paper.pulses.len(),
                paper.errors.len()
            )
        }
        ["show"] => match printer.shown() {
            Some(shown) => super::write_shown(answers, &shown),
            None => Err(io::Error::other("there is no display on its line")),
        },
        ["png", _, ..] => {
            let picture = printer.paper().to_png(width).map_err(io::Error::other)?;
            std::fs::write(file(), picture)
        }
        ["html", _, ..] => std::fs::write(file(), printer.paper().to_html()),
        ["fault", name] => match FAULTS.iter().find(|(known, _)| *known == name) {
            Some((_, fault)) => {
                printer.set_fault(*fault);
                Ok(())
            }
            None => Err(io::Error::other(format!("faults are {}", FAULTS.map(|(name, _)| name).join(", ")))),
        },
        ["unplug"] => {
            printer.unplug();
            Ok(())
        }
        ["replug"] => printer.replug(),
        _ => happen(printer, words),
    }
}

/// `NAME [N]`, perhaps with `after N bytes|lines` or `at cut` behind it.
fn happen(printer: &Printer, words: &[&str]) -> io::Result<()> {
    let unknown = || io::Error::other(format!("{:?} is nothing that happens; say help", words.join(" ")));
    let number = |word: &str| {
        word.parse::<u32>().map_err(|_| io::Error::other(format!("{word:?} is not a number; write digits")))
    };
    let (name, when) = match words {
        [name @ .., "after", count, unit] => (name, Some((*count, *unit))),
        [name @ .., "at", "cut"] => (name, Some(("", "cut"))),
        name => (name, None),
    };
    let happening = match name {
        ["drop"] => Happening::LosesAnswers(None),
        ["drop", count] => Happening::LosesAnswers(Some(number(count)?)),
        ["answer"] => Happening::AnswersArrive,
        [name] => HAPPENINGS.iter().find(|(known, _)| known == name).ok_or_else(unknown)?.1,
        _ => return Err(unknown()),
    };
    match when {
        None => printer.happen(happening),
        Some((_, "cut")) => printer.at_next_cut(happening),
        Some((count, "bytes" | "byte")) => printer.after_bytes(number(count)?.into(), happening),
        Some((count, "lines" | "line")) => {
            printer.after_lines(usize::try_from(number(count)?).unwrap_or(usize::MAX), happening);
        }
        Some(_) => return Err(unknown()),
    }
    Ok(())
}

fn leave_paper(printer: &Printer, spool: &Path) -> io::Result<()> {
    let (paper, width) = (printer.paper(), printer.options().width_dots);
    std::fs::write(spool.join("paper.txt"), paper.to_text(width))?;
    let picture = paper.to_png(width).map_err(io::Error::other)?;
    std::fs::write(spool.join("paper.png"), picture)
}
