//! Receipt printers: a document becomes bytes, the bytes become paper, and the printer is asked how it went.
//!
//! `escpos` and `status` are the pure codec; `driver` runs one job over a wire; `handle` keeps a printer on a port
//! that may vanish and come back. Which receipt is printed, and whether a failed one is printed again, is decided
//! by whoever submits: nothing here prints twice by itself.

pub mod driver;
pub mod escpos;
pub mod handle;
mod outcome;
pub mod status;
mod wire;

pub use driver::{PrinterDriver, Shared};
pub use handle::{Printer, PrinterConfig, PrinterEvent, PrinterHandle};
pub use outcome::{JobOutcome, Patience, Progress, Why};
pub use status::{Fault, Paper, PrinterStatus};
