//! The virtual devices as programs: commands come in as lines, answers go out as lines.
//!
//! Which streams these are is the caller's affair.

mod printer;

use std::io::{self, BufRead, Write};
use std::path::Path;

use super::Scanner;
pub use printer::run_printer;

/// Runs a scanner at `link` until its commands end: `scan TEXT` (CR is added), `unplug`, `replug`, `quit`.
///
/// # Errors
/// When the terminal cannot be made or the streams fail.
pub fn run_scanner(link: &Path, commands: impl BufRead, mut answers: impl Write) -> io::Result<()> {
    let scanner = Scanner::start(link)?;
    writeln!(answers, "scanner at {}: scan TEXT, unplug, replug, quit", link.display())?;
    for line in commands.lines() {
        let line = line?;
        let done = match line.split_once(' ').unwrap_or((&line, "")) {
            ("scan", text) => scanner.scan(format!("{text}\r").as_bytes()),
            ("unplug", _) => {
                scanner.unplug();
                Ok(())
            }
            ("replug", _) => scanner.replug(),
            ("quit", _) => return Ok(()),
            _ => Err(io::Error::other("say scan TEXT, unplug, replug or quit")),
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
