//! The virtual printer as a program: commands come in as lines, answers go out as lines.
//!
//! Which streams these are is the caller's affair.

use std::io::{self, BufRead, Write};
use std::path::Path;

use super::{Display, DisplayFamily, Fault, Printer, PrinterOptions};

/// Runs a printer at `link` until its commands end: `paper`, `png FILE`, `fault none|near-end|paper-out|cover-open|
/// cutter|drop-replies`, `unplug`, `replug`, `quit`.
///
/// # Errors
/// When the terminal or the spool cannot be made or the streams fail.
pub fn run_printer(
    link: &Path,
    spool: &Path,
    options: PrinterOptions,
    commands: impl BufRead,
    mut answers: impl Write,
) -> io::Result<()> {
    const FAULTS: [(&str, Fault); 6] = [
        ("none", Fault::None),
        ("near-end", Fault::PaperNearEnd),
        ("paper-out", Fault::PaperOut),
        ("cover-open", Fault::CoverOpen),
        ("cutter", Fault::CutterJam),
        ("drop-replies", Fault::DropReplies),
    ];
    let printer = Printer::start(link, spool, options)?;
    writeln!(answers, "printer at {}: paper, png FILE, fault NAME, unplug, replug, quit", link.display())?;
    for line in commands.lines() {
        let line = line?;
        let done = match line.split_once(' ').unwrap_or((&line, "")) {
            ("paper", _) => {
                let paper = printer.paper();
                for error in &paper.errors {
                    writeln!(answers, "error at byte {}: {}", error.offset, error.what)?;
                }
                write!(answers, "{}", paper.to_text(options.width_dots))
            }
            ("png", file) => printer
                .paper()
                .to_png(options.width_dots)
                .map_err(io::Error::other)
                .and_then(|picture| std::fs::write(file, picture)),
            ("fault", name) => match FAULTS.iter().find(|(known, _)| *known == name) {
                Some((_, fault)) => {
                    printer.set_fault(*fault);
                    Ok(())
                }
                None => {
                    Err(io::Error::other(format!("faults are {}", FAULTS.map(|(name, _)| name).join(", "))))
                }
            },
            ("unplug", _) => {
                printer.unplug();
                Ok(())
            }
            ("replug", _) => printer.replug(),
            ("quit", _) => return Ok(()),
            _ => Err(io::Error::other("say paper, png FILE, fault NAME, unplug, replug or quit")),
        };
        report(&mut answers, done)?;
    }
    Ok(())
}

/// Runs a customer display at `link` until its commands end: `show`, `unplug`, `replug`, `quit`.
///
/// # Errors
/// When the terminal cannot be made or the streams fail.
pub fn run_display(
    link: &Path,
    family: DisplayFamily,
    commands: impl BufRead,
    mut answers: impl Write,
) -> io::Result<()> {
    let display = Display::start(link, family)?;
    writeln!(answers, "display at {}: show, unplug, replug, quit", link.display())?;
    for line in commands.lines() {
        let done = match line?.trim() {
            "show" => {
                let shown = display.shown();
                for error in &shown.errors {
                    writeln!(answers, "error: {error}")?;
                }
                let [upper, lower] = &shown.lines;
                write!(answers, "+--------------------+\n|{upper}|\n|{lower}|\n+--------------------+\n")
            }
            "unplug" => {
                display.unplug();
                Ok(())
            }
            "replug" => display.replug(),
            "quit" => return Ok(()),
            _ => Err(io::Error::other("say show, unplug, replug or quit")),
        };
        report(&mut answers, done)?;
    }
    Ok(())
}

fn report(answers: &mut impl Write, done: io::Result<()>) -> io::Result<()> {
    match done {
        Ok(()) => writeln!(answers, "ok")?,
        Err(error) => writeln!(answers, "not done: {error}")?,
    }
    answers.flush()
}
