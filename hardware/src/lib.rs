//! Scanners, receipt printers, cash drawers and customer displays on serial lines and on the network.
//!
//! A driver is a pure codec plus a link: `document` and `printer::escpos` make bytes, `scanner` and
//! `printer::status` read them, `link` moves them and keeps a port that vanishes and comes back. `preview` shows a
//! document without a printer. With the feature `sim` there are a scanner and a printer on pseudo-terminals that the
//! same code drives.
//!
//! Nothing of a till is known here: no sale, no receipt, no configuration file. There is no async either: a port is
//! two threads, and what happens on it comes out of a callback.
#![warn(missing_docs)]

mod canvas;
pub mod display;
pub mod document;
pub mod drawer;
pub mod font;
pub mod link;
pub mod preview;
pub mod printer;
pub mod profile;
mod profile_file;
pub mod scanner;
#[cfg(feature = "sim")]
pub mod sim;
pub mod symbol;

pub use document::Document;
pub use profile::Profile;
