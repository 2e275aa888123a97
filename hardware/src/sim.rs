//! A scanner, a receipt printer, a customer display and a cash drawer on pseudo-terminals, for demonstrations and tests.
//!
//! They stand where the real devices would: a link in a directory points to the terminal, and pulling the device
//! out and plugging it in removes the link and makes a new one to a new terminal. The printer understands its bytes
//! with an interpreter of its own that shares nothing with our encoder, so that a mistake is not made twice.
//! Modem lines, parity and real baud rates do not exist on pseudo-terminals; the printer paces itself instead.

mod boundary;
mod console;
mod display;
mod drawer;
mod graphics;
mod interpreter;
pub mod label;
pub mod paper;
mod printer;
mod pty;
mod real_time;
mod scanner;
mod scanner_console;
mod shared_line;

pub use console::{run_display, run_drawer, run_printer};
pub use display::{Display, DisplayFamily, Shown};
pub use drawer::{Drawer, DrawerKind, Drawn};
pub use paper::Paper;
pub use printer::{Busy, Fault, Handshake, Happening, Printer, PrinterOptions};
pub use scanner::{Acknowledged, Garble, SENDINGS_MAX, Scanner};
pub use scanner_console::{SCANNER_COMMANDS, ScannerOptions, run_scanner, run_scanner_as};
