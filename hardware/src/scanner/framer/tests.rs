//! Every way to frame a scan: what is one, what is none, and what is said of the rest.

use super::*;
use crate::scanner::profile::Mark;

fn mark(bytes: &[u8]) -> Mark {
    Mark::new(bytes).unwrap()
}

fn framed(framing: Framing, pieces: &[&[u8]]) -> Vec<Frame> {
    let (mut framer, mut all) = (Framer::new(framing), Vec::new());
    for piece in pieces {
        framer.push(piece, |frame| all.push(frame));
    }
    all
}

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    framed(Framing::Lines, pieces)
}

fn scan(text: &str) -> Frame {
    Frame::Scan(text.as_bytes().to_vec())
}

#[test]
fn every_terminator_ends_a_scan_and_crlf_is_one() {
    assert_eq!(
        frames(&[b"a\rb\nc\r\nd\r", b"\n\x02e\rf\x03g\r"]),
        [scan("a"), scan("b"), scan("c"), scan("d"), scan("e\rf"), scan("g")]
    );
}

#[test]
fn nothing_is_delivered_before_its_terminator() {
    assert_eq!(frames(&[b"6901234567892"]), []);
    assert_eq!(frames(&[b"\r\n\r\n\x02\x03"]), []);
}

#[test]
fn noise_without_a_terminator_is_reported_once_and_the_next_scan_is_whole() {
    let noise = vec![b'x'; MAX_SCAN_BYTES + 5];
    assert_eq!(frames(&[&noise, b"\r690\r"]), [Frame::Overlong { bytes: MAX_SCAN_BYTES + 5 }, scan("690")]);
    let exact = vec![b'x'; MAX_SCAN_BYTES];
    assert_eq!(frames(&[&exact, b"\r"]), [Frame::Scan(exact.clone())]);
    assert_eq!(
        frames(&[b"\x02", &noise, b"\r690\r"]),
        [Frame::Overlong { bytes: MAX_SCAN_BYTES + 6 }, scan("690")]
    );
}

#[test]
fn a_terminator_of_several_bytes_lets_its_parts_be_data() {
    let crlf = Framing::Terminated { end: mark(b"\r\n") };
    let stream = b"a\rb\nc\r\r\n\r\nd\r\n";
    let expected = [scan("a\rb\nc\r"), scan("d")];
    for at in 0..=stream.len() {
        assert_eq!(framed(crlf, &[&stream[..at], &stream[at..]]), expected, "split at {at}");
    }
    let long = vec![b'x'; MAX_SCAN_BYTES];
    for more in 0..4 {
        let stream = [&long[..], &vec![b'y'; more], b"\r\n1\r\n"].concat();
        let first = match more {
            // The mark's own bytes stand beyond the limit, the scan's do not.
            0 => Frame::Scan(long.clone()),
            more => Frame::Overlong { bytes: MAX_SCAN_BYTES + more },
        };
        assert_eq!(framed(crlf, &[&stream]), [first, scan("1")], "{more} more");
    }
}

#[test]
fn marks_enclose_a_scan_that_holds_line_ends_and_the_rest_is_told() {
    let marks = Framing::Enclosed { begin: mark(&[STX]), end: mark(&[ETX]) };
    assert_eq!(
        framed(marks, &[b"\x02a\r\n]Q1\x03\r\n\x02b\x03noise\x02c\x03"]),
        [scan("a\r\n]Q1"), scan("b"), Frame::Stray { bytes: 5 }, scan("c")]
    );
    let wide = Framing::Enclosed { begin: mark(b"<<"), end: mark(b">>") };
    assert_eq!(framed(wide, &[b"<", b"<a>b>", b"><<c>>"]), [scan("a>b"), scan("c")]);
}

#[test]
fn a_length_ends_a_scan_whatever_it_holds() {
    let length = Framing::Length { bytes: 4 };
    assert_eq!(framed(length, &[b"a\r\n", b"]1234xy"]), [scan("a\r\n]"), scan("1234")]);
}

#[test]
fn silence_finishes_a_scan_only_where_silence_is_the_framing() {
    let mut all = Vec::new();
    let mut framer = Framer::new(Framing::Idle { idle_ms: 80 });
    assert_eq!(framer.quiet_after(), None);
    framer.push(b"690\r1\r\n", |frame| all.push(frame));
    assert_eq!(framer.quiet_after(), Some(Duration::from_millis(80)));
    framer.quiet(|frame| all.push(frame));
    assert_eq!((framer.quiet_after(), &all[..]), (None, &[scan("690\r1")][..]));

    let framings = [
        Framing::Lines,
        Framing::Terminated { end: mark(b"\r") },
        Framing::Enclosed { begin: mark(b"6"), end: mark(b"\r") },
        Framing::Length { bytes: 9 },
    ];
    for framing in framings {
        let (mut framer, mut all) = (Framer::new(framing), Vec::new());
        framer.push(b"6901", |frame| all.push(frame));
        assert_eq!(framer.quiet_after(), Some(GIVEN_UP_AFTER));
        framer.quiet(|frame| all.push(frame));
        let held = if matches!(framing, Framing::Enclosed { .. }) { 3 } else { 4 };
        assert_eq!(all, [Frame::Unfinished { bytes: held }], "{framing:?}");
        assert_eq!(framer.quiet_after(), None);
    }
}

#[test]
fn what_the_cable_cut_off_is_counted_and_forgotten() {
    let mut framer = Framer::default();
    framer.push(b"\x0269012", |_| {});
    assert_eq!(framer.cut(), 5);
    assert_eq!(framer.cut(), 0);
    let mut all = Vec::new();
    framer.push(b"34567892\r", |frame| all.push(frame));
    assert_eq!(all, [scan("34567892")]);
}
