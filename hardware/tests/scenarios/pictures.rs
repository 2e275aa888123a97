//! What goes wrong in the middle of a picture: the printer has the head of a strip and waits for its dots, and whatever
//! comes next is taken for dots.
//!
//! No two rows of a poster are alike, nor are two posters, so that each row on paper says whose it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::time::Duration;

use hardware::document::{Align, Bitmap, Cut, Document, Line, Picture};
use hardware::printer::{JobOutcome, Patience, PrinterEvent, Why};
use hardware::profile::Raster;
use hardware::sim::paper::Printed;
use hardware::sim::{Handshake, Happening, PrinterOptions};

use crate::counter::{Counter, LONG, PATIENCE, Speech, each, receipt};

const WIDTH: u16 = 512;
/// Rows of a poster that the printer's buffer holds whole.
const SHORT: u16 = 48;
/// Rows of a poster that is more than a terminal and the printer hold together.
const TALL: u16 = 480;
/// Bytes of a job that are worked off before something happens: within the first poster's dots.
const WITHIN: u64 = 1500;

/// Row `y` of a poster, and the poster's number, in bits.
fn poster(number: u16, rows: u16) -> Bitmap {
    const NUMBER_FROM: u16 = 11;
    const BITS: u16 = 14;
    let mut bitmap = Bitmap::blank(WIDTH, rows);
    for y in 0..rows {
        let code = y | number << NUMBER_FROM;
        for bit in (0..BITS).filter(|bit| code >> bit & 1 == 1) {
            bitmap.fill(bit * 36, y, 30, 1);
        }
    }
    bitmap
}

fn rows_of(number: u16, rows: u16) -> Vec<Vec<bool>> {
    let bitmap = poster(number, rows);
    (0..rows).map(|y| (0..WIDTH).map(|x| bitmap.is_ink(x, y)).collect()).collect()
}

/// A line, a poster, a line, and a cut.
fn drawn(number: u16, rows: u16) -> Document {
    let mut document = Document::new();
    document.line(Line::left(format!("above poster {number}")));
    document.picture(Picture { bitmap: poster(number, rows), align: Align::Left });
    document.line(Line::left(format!("below poster {number}"))).cut(Cut::Partial);
    document
}

/// All rows of dots on paper, from the top.
fn printed(counter: &Counter) -> Vec<Vec<bool>> {
    let paper = counter.device.paper();
    let lines = paper.sheets.iter().flat_map(|sheet| &sheet.lines);
    let picture = |line: &Printed| match line {
        Printed::Picture(picture) => picture.rows.clone(),
        Printed::Text(_) | Printed::Qr(_) | Printed::Bars(_) => Vec::new(),
    };
    lines.flat_map(picture).collect()
}

/// Which rows of a poster are on paper, in their order there. More than one of a kind fails.
fn seen(counter: &Counter, number: u16, rows: u16) -> Vec<usize> {
    let known: BTreeMap<Vec<bool>, usize> =
        rows_of(number, rows).into_iter().enumerate().map(|(y, row)| (row, y)).collect();
    let seen: Vec<usize> = printed(counter).iter().filter_map(|row| known.get(row).copied()).collect();
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "poster {number}: each row once, in order");
    seen
}

/// The poster is on paper whole and once.
fn is_whole(counter: &Counter, number: u16, rows: u16) {
    assert_eq!(seen(counter, number, rows), (0..usize::from(rows)).collect::<Vec<_>>(), "poster {number}");
    let lines = counter.lines();
    for line in [format!("above poster {number}"), format!("below poster {number}")] {
        assert_eq!(lines.get(&line), Some(&1), "{line}");
    }
}

/// Nothing of the first poster stands there twice, and a poster and a receipt behind it come out whole.
fn is_clean_after(counter: &Counter, rows: u16) {
    seen(counter, 1, rows);
    assert_eq!(counter.print(&drawn(2, SHORT)), JobOutcome::Confirmed);
    is_whole(counter, 2, SHORT);
    assert_eq!(counter.print(&receipt("next", 3)), JobOutcome::Confirmed);
    counter.has_all("next", 3);
    seen(counter, 1, rows);
    assert!(counter.lines().values().all(|count| *count == 1), "{:?}", counter.lines());
    assert_eq!(counter.device.paper().pulses, []);
}

/// Each rung of the ladder with a poster that fits into the printer and one that does not.
fn cases() -> Vec<(Speech, u16)> {
    Speech::ALL.into_iter().flat_map(|speech| [(speech, SHORT), (speech, TALL)]).collect()
}

#[test]
fn paper_that_runs_out_within_a_picture_holds_it_and_the_new_roll_lets_it_go_on_dot_for_dot() {
    let commands = [Raster::GsV0, Raster::GsL, Raster::EscStar24];
    let cases: Vec<_> =
        cases().into_iter().flat_map(|(speech, rows)| commands.map(|by| (speech, rows, by))).collect();
    each(&cases, |(speech, rows, by)| {
        let patience = Patience { stall: LONG, ..PATIENCE };
        let counter = Counter::of(speech.drawing_by(by), PrinterOptions::default(), patience);
        counter.device.after_bytes(WITHIN, Happening::PaperOut);
        let outcome = counter.print_while(&drawn(1, rows), || {
            counter.until(|event| matches!(event, PrinterEvent::Held(_)));
            counter.device.happen(Happening::PaperLoaded);
        });
        // One that tells nothing by itself and takes nothing may have been off.
        let blind = speech == Speech::FencesOnly && rows == TALL;
        let expected =
            if blind { JobOutcome::Unconfirmed { why: Why::HeldUp } } else { JobOutcome::Confirmed };
        assert_eq!(outcome, expected, "{speech:?} {rows} {by:?}");
        is_whole(&counter, 1, rows);
        is_clean_after(&counter, rows);
        assert_eq!(counter.device.paper().errors, []);
    });
}

#[test]
fn a_picture_that_is_given_up_half_way_is_filled_up_with_white_and_spoils_no_other_job() {
    let commands = [Raster::GsV0, Raster::GsL, Raster::EscStar24];
    let cases: Vec<_> = Speech::ALL.into_iter().flat_map(|speech| commands.map(|by| (speech, by))).collect();
    each(&cases, |(speech, by)| {
        let counter = Counter::of(speech.drawing_by(by), PrinterOptions::default(), PATIENCE);
        counter.device.after_bytes(WITHIN, Happening::PaperOut);
        let outcome = counter.print_while(&drawn(1, TALL), || {
            counter.until(|event| matches!(event, PrinterEvent::Held(_)));
            counter.printer.give_up();
        });
        assert!(matches!(outcome, JobOutcome::FailedPartWay { why: Why::GivenUp, .. }), "{outcome:?}");
        while counter.printer.status().can_print() {
            counter.until(|event| matches!(event, PrinterEvent::Status(_)));
        }
        counter.device.happen(Happening::PaperLoaded);
        while !counter.printer.status().can_print() {
            counter.until(|event| matches!(event, PrinterEvent::Status(_)));
        }
        is_clean_after(&counter, TALL);
        let came = seen(&counter, 1, TALL).len();
        assert!(came > 0 && came < usize::from(TALL), "{came} rows");
        assert_eq!(counter.device.paper().errors, [], "{speech:?} {by:?}");
    });
}

#[test]
fn power_that_is_lost_within_a_picture_never_leaves_it_confirmed() {
    let cases: Vec<_> = cases()
        .into_iter()
        .flat_map(|(speech, rows)| [Handshake::Line, Handshake::Nothing].map(|by| (speech, rows, by)))
        .collect();
    each(&cases, |(speech, rows, handshake)| {
        let options = PrinterOptions { handshake, baud: 115_200, ..PrinterOptions::default() };
        let counter = Counter::with(speech, options, PATIENCE);
        counter.device.after_bytes(WITHIN, Happening::PowerOff);
        let outcome = counter.print_while(&drawn(1, rows), || {
            counter.until(|event| matches!(event, PrinterEvent::Held(Why::Silent | Why::Stalled)));
            counter.device.happen(Happening::PowerOn);
        });
        assert!(
            matches!(outcome, JobOutcome::Unconfirmed { .. } | JobOutcome::FailedPartWay { .. }),
            "{speech:?} {rows} {handshake:?} {outcome:?}"
        );
        assert!(seen(&counter, 1, rows).len() < usize::from(rows));
        is_clean_after(&counter, rows);
    });
}

#[test]
fn power_that_stays_away_within_a_picture_ends_the_job_and_refuses_the_next_until_it_is_back() {
    each(&cases(), |(speech, rows)| {
        let counter = Counter::with(
            speech,
            PrinterOptions::default(),
            Patience { stall: Duration::from_secs(1), ..PATIENCE },
        );
        counter.device.after_bytes(WITHIN, Happening::PowerOff);
        let outcome = counter.print(&drawn(1, rows));
        let part_way = matches!(outcome, JobOutcome::FailedPartWay { why: Why::Silent | Why::Stalled, .. });
        let unconfirmed = matches!(outcome, JobOutcome::Unconfirmed { why: Why::Silent });
        assert!(if rows == TALL { part_way } else { unconfirmed }, "{speech:?} {rows} {outcome:?}");
        let refused = counter.print(&receipt("refused", 3));
        assert_eq!(refused, JobOutcome::FailedBefore { why: Why::Silent });
        counter.device.happen(Happening::PowerOn);
        counter.until_well();
        is_clean_after(&counter, rows);
        assert!(!counter.lines().keys().any(|line| line.starts_with("refused")));
    });
}

#[test]
fn xoff_within_a_picture_is_waited_for_and_no_dot_is_lost() {
    each(&Speech::ALL, |speech| {
        let options = PrinterOptions { handshake: Handshake::XonXoff, ..PrinterOptions::default() };
        let stall = Duration::from_millis(500);
        let counter = Counter::with(speech, options, Patience { stall, ..PATIENCE });
        counter.device.after_bytes(WITHIN, Happening::Stalls);
        let outcome = counter.print_while(&drawn(1, TALL), || {
            counter.until_held(Why::Stalled);
            // Twice as long as a line is waited for about which nothing is known.
            assert!(!counter.device.wait_for(stall * 2, |paper| paper.cut_sheets().count() > 0));
            counter.device.happen(Happening::GoesOn);
        });
        assert_eq!(outcome, JobOutcome::Confirmed, "{speech:?}");
        assert_eq!(counter.device.overrun(), 0);
        is_whole(&counter, 1, TALL);
        is_clean_after(&counter, TALL);
        assert_eq!(counter.device.paper().errors, []);
    });
}

#[test]
fn a_picture_that_xoff_holds_and_a_person_gives_up_spoils_no_other_job() {
    each(&Speech::ALL, |speech| {
        let options = PrinterOptions { handshake: Handshake::XonXoff, ..PrinterOptions::default() };
        let counter = Counter::with(speech, options, PATIENCE);
        counter.device.after_bytes(WITHIN, Happening::Stalls);
        let outcome = counter.print_while(&drawn(1, TALL), || {
            counter.until_held(Why::Stalled);
            counter.printer.give_up();
        });
        assert!(matches!(outcome, JobOutcome::FailedPartWay { why: Why::GivenUp, .. }), "{outcome:?}");
        counter.device.happen(Happening::GoesOn);
        is_clean_after(&counter, TALL);
        assert_eq!(counter.device.paper().errors, [], "{speech:?}");
    });
}

#[test]
fn answers_that_are_lost_within_a_picture_leave_it_whole_and_unconfirmed() {
    each(&cases(), |(speech, rows)| {
        let counter = Counter::with(speech, PrinterOptions::default(), PATIENCE);
        counter.device.after_bytes(WITHIN, Happening::LosesAnswers(None));
        let outcome = counter.print(&drawn(1, rows));
        assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::Silent }, "{speech:?} {rows}");
        is_whole(&counter, 1, rows);
        counter.device.happen(Happening::AnswersArrive);
        counter.until_well();
        is_clean_after(&counter, rows);
        assert_eq!(counter.device.paper().errors, []);
    });
}

#[test]
fn the_one_word_that_counts_lost_behind_a_picture_leaves_it_unconfirmed() {
    // The word is waited for as long as a slow line takes for the whole job: a short one.
    each(&Speech::ALL.map(|speech| (speech, SHORT)), |(speech, rows)| {
        let counter = Counter::with(speech, PrinterOptions::default(), PATIENCE);
        counter.device.at_next_cut(Happening::LosesAnswers(Some(2)));
        let outcome = counter.print(&drawn(1, rows));
        assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::NoWord }, "{speech:?} {rows}");
        is_whole(&counter, 1, rows);
        is_clean_after(&counter, rows);
    });
}

#[test]
fn an_old_packet_within_the_word_behind_a_picture_does_not_spoil_it() {
    each(&cases(), |(speech, rows)| {
        let counter = Counter::with(speech, PrinterOptions::default(), PATIENCE);
        // Low paper within the picture is told at once; what slips into the word says it once more.
        counter.device.after_bytes(WITHIN, Happening::PaperNearEnd);
        counter.device.happen(Happening::PacketSlipsIn);
        assert_eq!(counter.print(&drawn(1, rows)), JobOutcome::Confirmed, "{speech:?} {rows}");
        is_whole(&counter, 1, rows);
        assert_eq!(counter.printer.status().paper, hardware::printer::Paper::NearEnd);
        counter.device.happen(Happening::PacketSlipsIn);
        is_clean_after(&counter, rows);
        assert_eq!(counter.device.paper().errors, []);
    });
}

#[test]
fn a_cable_pulled_within_a_picture_fails_it_part_way_and_the_next_is_clean() {
    each(&Speech::ALL, |speech| {
        let counter = Counter::with(speech, PrinterOptions::default(), PATIENCE);
        counter.device.after_bytes(WITHIN, Happening::Stalls);
        let outcome = counter.print_while(&drawn(1, TALL), || {
            counter.until(|event| matches!(event, PrinterEvent::Held(_)));
            counter.device.unplug();
        });
        counter.until(|event| matches!(event, PrinterEvent::Gone { .. }));
        let JobOutcome::FailedPartWay { sent, of, why } = outcome else { panic!("{outcome:?}") };
        assert!(sent > 0 && sent < of);
        assert_eq!(why, Why::NotConnected);
        counter.device.happen(Happening::GoesOn);
        counter.device.replug().unwrap();
        counter.until_well();
        is_clean_after(&counter, TALL);
        assert_eq!(counter.device.paper().errors, [], "{speech:?}");
    });
}
