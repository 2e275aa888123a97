//! A scanner and a receipt printer on pseudo-terminals, for demonstrations and tests.
//!
//! They stand where the real devices would: a link in a directory points to the terminal, and pulling the device
//! out and plugging it in removes the link and makes a new one to a new terminal. The printer understands its bytes
//! with an interpreter of its own that shares nothing with our encoder, so that a mistake is not made twice.
//! Modem lines, parity and real baud rates do not exist on pseudo-terminals; the printer paces itself instead.

mod console;
mod graphics;
mod interpreter;
pub mod paper;
mod printer;
mod pty;
mod real_time;
mod scanner;

pub use console::{run_printer, run_scanner};
pub use paper::Paper;
pub use printer::{Fault, Printer, PrinterOptions};
pub use scanner::Scanner;
