//! A virtual scanner on a pseudo-terminal: `virtual-scanner LINK`, then commands on standard input.

use std::io::{Error, Result, stdin, stdout};
use std::path::PathBuf;

fn main() -> Result<()> {
    let link = std::env::args_os().nth(1).map(PathBuf::from);
    let link = link.ok_or_else(|| Error::other("say where the scanner shall be: virtual-scanner LINK"))?;
    hardware::sim::run_scanner(&link, stdin().lock(), stdout().lock())
}
