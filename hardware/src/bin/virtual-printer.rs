//! A virtual printer on a pseudo-terminal: `virtual-printer LINK SPOOL [BAUD]`, then commands on standard input.

use std::io::{Error, Result, stdin, stdout};
use std::path::PathBuf;

use hardware::sim::{PrinterOptions, run_printer};

fn main() -> Result<()> {
    const USAGE: &str =
        "say where the printer shall be and where its bytes go: virtual-printer LINK SPOOL [BAUD]";
    let mut arguments = std::env::args_os().skip(1);
    let (Some(link), Some(spool)) = (arguments.next(), arguments.next()) else {
        return Err(Error::other(USAGE));
    };
    let baud = match arguments.next() {
        None => 0,
        Some(text) => {
            text.to_string_lossy().parse().map_err(|_| Error::other("BAUD is a number; 0 does not pace"))?
        }
    };
    let options = PrinterOptions { baud, ..PrinterOptions::default() };
    run_printer(&PathBuf::from(link), &PathBuf::from(spool), options, stdin().lock(), stdout().lock())
}
