//! What devices report, as sentences for the person at the counter and outcomes for the journal.

use crate::record::body::PaperOutcome;
use hardware::drawer::DrawerOutcome;
use hardware::link::WriteFailure;
use hardware::printer::{JobOutcome, Why};

/// Makes a sentence of words that begin small and end without a stop.
pub(super) fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

/// Why a drawer was not opened, and what to do about it.
pub(super) fn drawer_stays_shut(why: &str) -> String {
    format!("The drawer could not be opened: {why}. Open it with its key.")
}

/// Why a receipt that has begun stands still, and that nobody need print it again.
pub(super) fn held(why: Why) -> String {
    format!("{} The receipt goes on by itself.", sentence(&why.to_string()))
}

/// How a receipt ended.
pub(super) fn of_paper(outcome: &JobOutcome) -> (PaperOutcome, String) {
    match outcome {
        JobOutcome::Confirmed => (PaperOutcome::Confirmed, String::new()),
        JobOutcome::Unconfirmed { why } => (PaperOutcome::Unconfirmed, sentence(&why.to_string())),
        JobOutcome::FailedBefore { why } => (PaperOutcome::FailedBefore, sentence(&why.to_string())),
        JobOutcome::FailedPartWay { sent, of, why } => {
            let words = format!("{} It stopped after {sent} of {of} bytes.", sentence(&why.to_string()));
            (PaperOutcome::FailedPartWay, words)
        }
    }
}

/// How the opening of a drawer ended. A pulse has no word of its own: a printer that took it and is well
/// has given it.
pub(super) fn of_drawer(outcome: &JobOutcome, answers: Answers) -> (PaperOutcome, String) {
    let unknown = |why: Why| format!("It is not known whether the drawer opened: {why}.");
    match outcome {
        JobOutcome::Confirmed => (PaperOutcome::Confirmed, String::new()),
        JobOutcome::Unconfirmed { why: Why::CannotTell } if answers == Answers::Well => {
            (PaperOutcome::Confirmed, String::new())
        }
        JobOutcome::Unconfirmed { why } => (PaperOutcome::Unconfirmed, unknown(*why)),
        JobOutcome::FailedBefore { why } => (PaperOutcome::FailedBefore, drawer_stays_shut(&why.to_string())),
        JobOutcome::FailedPartWay { why, .. } => (PaperOutcome::FailedPartWay, unknown(*why)),
    }
}

/// How the opening of a drawer on a port of its own ended. A line that took what opens it has given it, as a printer
/// that is well has.
pub(super) fn of_own_drawer(outcome: DrawerOutcome) -> (PaperOutcome, String) {
    match outcome {
        DrawerOutcome::Open | DrawerOutcome::Given => (PaperOutcome::Confirmed, String::new()),
        DrawerOutcome::Unsure(doubt) => {
            (PaperOutcome::Unconfirmed, format!("It is not known whether the drawer opened: {doubt}."))
        }
        DrawerOutcome::NotSent(why) => {
            let why = match why {
                WriteFailure::Gone => "it is not connected: look at its cable",
                WriteFailure::Stalled | WriteFailure::Busy => "its line takes nothing: look at its cable",
                WriteFailure::Stopped => "the till is stopping",
            };
            (PaperOutcome::FailedBefore, drawer_stays_shut(why))
        }
    }
}

/// What a printer says about itself after a pulse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answers {
    /// It answers, and is well.
    Well,
    /// It says nothing, as some always do, or is not well.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_hardware_become_sentences() {
        assert_eq!(sentence("the cover is open: close it"), "The cover is open: close it.");
        assert_eq!(sentence("/dev/till/printer is not there"), "/dev/till/printer is not there.");
        assert_eq!(
            of_paper(&JobOutcome::FailedPartWay { sent: 3, of: 9, why: Why::NotConnected }).1,
            "The printer is not connected: look at its cable. It stopped after 3 of 9 bytes."
        );
        assert_eq!(
            drawer_stays_shut("no drawer is set up at this station"),
            "The drawer could not be opened: no drawer is set up at this station. Open it with its key."
        );
    }

    #[test]
    fn a_pulse_that_a_healthy_printer_took_was_given() {
        let cannot_tell = JobOutcome::Unconfirmed { why: Why::CannotTell };
        assert_eq!(of_drawer(&cannot_tell, Answers::Well).0, PaperOutcome::Confirmed);
        assert_eq!(of_drawer(&cannot_tell, Answers::No).0, PaperOutcome::Unconfirmed);
        assert_eq!(of_paper(&cannot_tell).0, PaperOutcome::Unconfirmed);
    }

    #[test]
    fn every_sentence_about_a_printer_is_said_in_chinese_too() {
        use crate::locales::{Lang, device};
        use hardware::drawer::Doubt;
        use hardware::printer::Fault;
        let faults = [Fault::Cutter, Fault::Passing, Fault::Lasting].map(Why::Fault);
        let others = [
            Why::NotConnected,
            Why::Silent,
            Why::Offline,
            Why::CoverOpen,
            Why::PaperOut,
            Why::Stalled,
            Why::HeldUp,
            Why::Busy,
            Why::CannotTell,
            Why::NoWord,
            Why::NoSign,
            Why::GivenUp,
            Why::Stopped,
        ];
        for why in faults.into_iter().chain(others) {
            for words in [held(why), sentence(&why.to_string()), drawer_stays_shut(&why.to_string())] {
                let chinese = device(&words, Lang::ZhHans);
                assert!(!chinese.contains(|c: char| c.is_ascii_alphabetic()), "{words} {chinese}");
            }
        }
        use DrawerOutcome::{NotSent, Unsure};
        let doubts = [Doubt::StillShut, Doubt::NoAnswer, Doubt::Partly].map(Unsure);
        let failures = [WriteFailure::Gone, WriteFailure::Stalled, WriteFailure::Busy, WriteFailure::Stopped];
        let drawers = doubts.into_iter().chain(failures.map(NotSent)).map(|outcome| of_own_drawer(outcome).1);
        let jammed = crate::devices::printer::JAMMED.to_owned();
        let no_sign = of_drawer(&JobOutcome::Unconfirmed { why: Why::NoSign }, Answers::No).1;
        for words in drawers.chain([jammed, no_sign]) {
            let chinese = device(&words, Lang::ZhHans);
            assert!(!chinese.contains(|c: char| c.is_ascii_alphabetic()), "{words} {chinese}");
        }
    }
}
