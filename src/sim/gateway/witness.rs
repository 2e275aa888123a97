//! What the gateway verified: one line a request, for whoever watches, and the latest of them for `/play`.
//!
//! Deliberately not here: pay codes, signatures, bodies. They are never written down.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
};

/// Lines kept for the page.
const MAX_KEPT: usize = 200;
/// Characters of an order number or method that somebody else chose.
const MAX_NAME: usize = 64;

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Unix milliseconds.
    pub at_ms: i64,
    /// The wallet's name for what was asked.
    pub method: String,
    /// The order, or the refund.
    pub number: String,
    /// Whether the signature was right.
    pub is_verified: bool,
    /// The fault that struck, by its name.
    pub fault: Option<&'static str>,
    /// The answer's code; none where there was no answer.
    pub answer: Option<String>,
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |text: &str| -> String {
            text.chars().take(MAX_NAME).map(|letter| if letter.is_control() { '?' } else { letter }).collect()
        };
        let number = if self.number.is_empty() { "-".to_owned() } else { plain(&self.number) };
        let signature = if self.is_verified { "ok" } else { "BAD" };
        let answer = self.answer.as_deref().unwrap_or("no answer");
        write!(formatter, "{} {number} signature {signature} -> {answer}", plain(&self.method))?;
        match self.fault {
            Some(fault) => write!(formatter, " (fault {fault})"),
            None => Ok(()),
        }
    }
}

/// Who is told of each line.
pub type Report = Box<dyn Fn(&Line) + Send + Sync>;

/// The watcher.
#[derive(Default)]
pub(super) struct Witness {
    report: Option<Report>,
    kept: Mutex<VecDeque<Line>>,
}

impl Witness {
    pub(super) fn telling(report: Option<Report>) -> Witness {
        Witness { report, kept: Mutex::default() }
    }

    pub(super) fn see(&self, line: Line) {
        if let Some(report) = &self.report {
            report(&line);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MAX_KEPT {
            kept.pop_back();
        }
        kept.push_front(line);
    }

    /// The latest lines, the newest first.
    pub(super) fn latest(&self) -> Vec<Line> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
