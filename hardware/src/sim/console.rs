//! The virtual printer as a program: commands come in as lines, answers go out as lines.
//!
//! Which streams these are is the caller's affair.

mod printer;

use std::io::{self, BufRead, Write};
use std::path::Path;

use super::{Display, DisplayFamily, Drawer, DrawerKind, Shown};
pub use printer::run_printer;

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
            "show" => write_shown(&mut answers, &display.shown()),
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

/// Runs a cash drawer at `link` until its commands end: `show`, `shut`, `stick`, `unplug`, `replug`, `quit`.
///
/// # Errors
/// When the terminal cannot be made or the streams fail.
pub fn run_drawer(
    link: &Path,
    kind: DrawerKind,
    commands: impl BufRead,
    mut answers: impl Write,
) -> io::Result<()> {
    let drawer = Drawer::start(link, kind)?;
    writeln!(answers, "drawer at {}: show, shut, stick, unplug, replug, quit", link.display())?;
    answers.flush()?;
    for line in commands.lines() {
        let done = match line?.trim() {
            "show" => {
                let drawn = drawer.drawn();
                let state = if drawn.open { "open" } else { "shut" };
                let (kicks, strays) = (drawn.kicks, &drawn.strays);
                writeln!(answers, "{state}, told to open {kicks} times, not understood {strays:02x?}")
            }
            "shut" => {
                drawer.shut();
                Ok(())
            }
            "stick" => {
                drawer.stick();
                Ok(())
            }
            "unplug" => {
                drawer.unplug();
                Ok(())
            }
            "replug" => drawer.replug(),
            "quit" => return Ok(()),
            _ => Err(io::Error::other("say show, shut, stick, unplug, replug or quit")),
        };
        report(&mut answers, done)?;
    }
    Ok(())
}

fn write_shown(answers: &mut impl Write, shown: &Shown) -> io::Result<()> {
    for error in &shown.errors {
        writeln!(answers, "error: {error}")?;
    }
    let [upper, lower] = &shown.lines;
    write!(answers, "+--------------------+\n|{upper}|\n|{lower}|\n+--------------------+\n")
}

fn report(answers: &mut impl Write, done: io::Result<()>) -> io::Result<()> {
    match done {
        Ok(()) => writeln!(answers, "ok")?,
        Err(error) => writeln!(answers, "not done: {error}")?,
    }
    answers.flush()
}
