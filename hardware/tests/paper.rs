//! What the encoder makes of documents: exact bytes, and how two independent readers see them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use hardware::document::{Cut, Document, DrawerPin, DrawerPulse, Line, Qr, QrLevel, Row, Style};
use hardware::printer::escpos::{EncodeError, MAX_QR_BYTES, encode, real_time_command};
use hardware::profile::{Profile, QrSupport};
use proptest::prelude::*;

#[path = "receipts/judge.rs"]
mod judge;
#[path = "receipts/reference.rs"]
mod receipts;
use judge::{dots, judged, pulses, read_qr};
use receipts::{QR, reference_receipt};

fn profile(name: &str) -> &'static Profile {
    Profile::by_name(name).unwrap()
}

fn bytes(fill: impl FnOnce(&mut Document), name: &str) -> Vec<u8> {
    let mut document = Document::new();
    fill(&mut document);
    encode(&document, profile(name)).unwrap()
}

#[test]
fn the_reference_receipt_is_short_and_every_byte_of_it_is_known() {
    let job = encode(&reference_receipt(), profile("epson-tm-t88")).unwrap();
    assert!(job.len() <= 440, "{} bytes", job.len());
    let expected: &[&[u8]] = &[
        b"\x1b@\x1ba\x01\x1bE\x01\x1d!\x11CORNER STORE\n",
        b"\x1ba\x00\x1bE\x00\x1d!\x0012 High Street, Springfield\n",
        b"2026-11-22 12:51  Till 3  #004217\n",
        b"Milk 1L\x1b$\x74\x012\x1b$\xc8\x012.40\n",
        b"Bread wholemeal\x1b$\x74\x011\x1b$\xc8\x011.85\n",
        b"Apples 1kg\x1b$\x74\x011\x1b$\xc8\x012.30\n",
        b"Coffee beans 250g\x1b$\x74\x011\x1b$\xc8\x015.95\n",
        b"Bag\x1b$\x74\x011\x1b$\xc8\x010.30\n",
        b"Subtotal\x1b$\xbc\x0112.80\nVAT 20%\x1b$\xc8\x012.13\nTOTAL\x1b$\xbc\x0112.80\n",
        b"Thank you\n",
        b"\x1ba\x01\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E0",
        b"\x1d(k\x2c\x001P0https://pay.example/t/01HZX9?a=1280&c=CNY\x1d(k\x03\x001Q0",
        b"\n\x1dVB\x00\x1bp\x00\x19\xfa",
    ];
    assert_eq!(String::from_utf8_lossy(&job), String::from_utf8_lossy(&expected.concat()));
    assert_eq!(job, expected.concat());
}

#[test]
fn a_strict_judge_finds_no_fault_in_the_reference_receipt_on_any_paper() {
    for (ours, judge) in
        [("epson-tm-t88", "TM-T88V"), ("generic-80mm", "REFERENCE"), ("chinese-58mm", "NT-5890K")]
    {
        let job = encode(&reference_receipt(), profile(ours)).unwrap();
        let result = judged(&job, judge);
        assert_eq!(pulses(&result), [(0, 25, 250)], "{ours}");
        assert_eq!(read_qr(&dots(&result.sheets[0])), [QR.as_bytes()], "{ours}");
    }
}

#[test]
fn the_knife_ends_a_sheet_for_the_judge_too() {
    let job = bytes(
        |document| {
            document.line(Line::left("one")).cut(Cut::Partial).line(Line::left("two")).cut(Cut::Full);
        },
        "generic-80mm",
    );
    assert_eq!(job, b"\x1b@one\n\x1dVB\x00two\n\x1dVA\x00");
    assert_eq!(judged(&job, "REFERENCE").sheets.len(), 2);
    let torn = bytes(
        |document| {
            document.line(Line::left("one")).cut(Cut::Full);
        },
        "chinese-58mm",
    );
    assert_eq!(torn, b"\x1b@one\n\x1bd\x04");
}

#[test]
fn chinese_is_gb18030_between_its_two_commands_four_byte_characters_included() {
    let job = bytes(
        |document| {
            document.line(Line::left("Milk 牛奶1L")).line(Line::left("𠮷㐀€é¥"));
        },
        "generic-80mm",
    );
    let expected: &[&[u8]] = &[
        b"\x1b@Milk \x1c&\xc5\xa3\xc4\xcc1L\n",
        // U+20BB7 and U+3400 take four bytes; the euro sign, e acute and the
        // full-width yen sign that stands for the narrow one take two.
        b"\x95\x34\xb2\x35\x81\x39\xee\x39\xa2\xe3\xa8\xa6\xa3\xa4\n\x1c.",
    ];
    assert_eq!(job, expected.concat());
}

/// Characters and their bytes, from another implementation.
const GB18030: &str = include_str!("data/gb18030.txt");

#[test]
fn chinese_bytes_are_those_of_another_implementation() {
    let rows: Vec<(&str, &str)> =
        GB18030.lines().filter(|row| !row.starts_with('#')).filter_map(|row| row.split_once(' ')).collect();
    assert!(rows.len() > 180 && rows.iter().filter(|(_, code)| code.len() == 8).count() > 15);
    let hex = |job: &[u8]| -> String { job.iter().map(|byte| format!("{byte:02x}")).collect() };
    for (character, code) in &rows {
        let job = bytes(|document| _ = document.line(Line::left(*character)), "generic-80mm");
        assert_eq!(hex(&job), format!("1b401c26{code}0a1c2e"), "{character}");
    }
    // All together, longer than the paper is wide: lines end between characters, and no byte of one is a line's end.
    let all: String = rows.iter().map(|(character, _)| *character).collect();
    let codes: String = rows.iter().map(|(_, code)| *code).collect();
    let mut job = bytes(|document| _ = document.line(Line::left(all)), "generic-80mm");
    job.retain(|byte| *byte != b'\n');
    assert_eq!(hex(&job), format!("1b401c26{codes}1c2e"));
}

#[test]
fn the_symbol_of_the_reference_receipt_drawn_as_a_picture_is_short() {
    let drawn = Profile { qr: QrSupport::Raster, ..profile("epson-tm-t88").clone() };
    let bytes = encode(&reference_receipt(), &drawn).unwrap().len();
    // What python-escpos sends for the same receipt with its symbol as a picture.
    assert!(bytes <= 4956, "{bytes} bytes");
    println!("the reference receipt with its symbol drawn: {bytes} bytes");
}

#[test]
fn a_receipt_without_chinese_never_leaves_ascii_mode() {
    let job = encode(&reference_receipt(), profile("generic-80mm")).unwrap();
    assert!(!job.contains(&0x1c));
}

#[test]
fn a_western_printer_gets_its_code_page_and_shows_what_it_lacks() {
    let job = bytes(
        |document| {
            document.line(Line::left("Café £2 牛x\u{7}"));
        },
        "epson-tm-t88",
    );
    assert_eq!(job, b"\x1b@Caf\x1bt\x00\x82 \x9c2 ??x?\n");
}

#[test]
fn columns_stand_where_they_should_with_wide_characters_before_them() {
    let row = |document: &mut Document| {
        document.row(Row::new().from(0, "牛奶").up_to(32, "5.95"));
    };
    assert_eq!(bytes(row, "generic-80mm"), b"\x1b@\x1c&\xc5\xa3\xc4\xcc\x1b$\x50\x015.95\n\x1c.");
    let spaces: &[&[u8]] = &[b"\x1b@\x1c&\xc5\xa3\xc4\xcc", &[b' '; 24], b"5.95\n\x1c."];
    assert_eq!(bytes(row, "chinese-58mm"), spaces.concat());
}

#[test]
fn styles_are_sent_when_they_change_and_not_again() {
    let job = bytes(
        |document| {
            document
                .line(Line::left("a").and("b", Style::BOLD).and("c", Style::BOLD))
                .line(Line::left("d").styled(Style::BOLD))
                .line(Line::right("e"));
        },
        "epson-tm-t88",
    );
    assert_eq!(job, b"\x1b@a\x1bE\x01bc\nd\n\x1ba\x02\x1bE\x00e\n");
}

#[test]
fn what_cannot_be_printed_is_refused_with_words() {
    let refused = |fill: &dyn Fn(&mut Document)| {
        let mut document = Document::new();
        fill(&mut document);
        encode(&document, profile("epson-tm-t88")).unwrap_err()
    };
    assert_eq!(
        refused(&|document| {
            document.qr(Qr::new(""));
        }),
        EncodeError::QrEmpty
    );
    let long = vec![b'x'; MAX_QR_BYTES + 1];
    let error = refused(&|document| {
        document.qr(Qr::new(long.clone()));
    });
    assert_eq!(error, EncodeError::QrTooLong { bytes: MAX_QR_BYTES + 1 });
    let pulse = DrawerPulse { on_ms: 500, off_ms: 50, pin: DrawerPin::Two };
    let error = refused(&|document| {
        document.drawer(pulse);
    });
    assert_eq!(error, EncodeError::DrawerTiming { on_ms: 500, off_ms: 50 });
    let qr = Qr { payload: b"x".to_vec(), module_dots: 17, level: QrLevel::Low };
    assert_eq!(
        refused(&|document| {
            document.qr(qr.clone());
        }),
        EncodeError::QrModule { module_dots: 17 }
    );
}

#[test]
fn a_printer_without_qr_prints_the_payload_as_text() {
    let job = bytes(
        |document| {
            document.qr(Qr::new("https://pay.example/t/1"));
        },
        "mute-80mm",
    );
    assert_eq!(job, b"\x1b@https://pay.example/t/1\n");
}

#[test]
fn a_drawer_pulse_whose_times_would_spell_a_command_is_two_milliseconds_longer() {
    let pulse = DrawerPulse { pin: DrawerPin::Five, on_ms: 32, off_ms: 40 };
    let job = bytes(
        |document| {
            document.drawer(pulse);
        },
        "epson-tm-t88",
    );
    assert_eq!(job, b"\x1b@\x1bp\x01\x11\x14");
}

/// Text as hostile as it comes: any character, and often the bytes of commands.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "\u{10}\u{4}\u{1}",
            "\u{10}\u{14}\u{1}",
            "\u{10}",
            "\u{4}",
            "\u{1b}@",
            "牛",
            "\u{10}\u{5}"
        ])
        .prop_map(String::from),
        "[ -~]{0,12}",
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

fn styles() -> impl Strategy<Value = Style> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(bold, wide, tall)| Style { bold, wide, tall })
}

proptest! {
    #[test]
    fn no_job_holds_a_real_time_command_whatever_it_says(
        lines in prop::collection::vec((hostile(), styles()), 0..6),
        cells in prop::collection::vec((hostile(), any::<u8>(), any::<bool>(), styles()), 0..5),
        payload in prop::collection::vec(prop::sample::select(vec![0x10_u8, 0x04, 0x05, 0x14, b'x']), 0..12),
        times in (0_u16..600, 0_u16..600),
        feed in any::<u8>(),
        profile in prop::sample::select(Profile::list().iter().collect::<Vec<_>>()),
    ) {
        let mut document = Document::new();
        for (text, style) in &lines {
            document.line(Line::centred(text.clone()).styled(*style));
        }
        let mut row = Row::new();
        for (text, column, left, style) in &cells {
            row = if *left { row.from(*column, text.clone()) } else { row.up_to(*column, text.clone()) };
            row.cells.last_mut().unwrap().style = *style;
        }
        document.row(row).feed(feed);
        let plain = encode(&document, profile).unwrap();
        prop_assert_eq!(real_time_command(&plain), None);
        document.drawer(DrawerPulse { pin: DrawerPin::Two, on_ms: times.0, off_ms: times.1 });
        document.qr(Qr::new(payload.clone()));
        if let Ok(job) = encode(&document, profile) {
            prop_assert_eq!(real_time_command(&job), None);
        }
    }

    #[test]
    fn every_qr_length_is_free_of_real_time_commands(length in 1..=MAX_QR_BYTES) {
        let mut document = Document::new();
        document.qr(Qr::new(vec![b'x'; length]));
        let job = encode(&document, Profile::by_name("generic-80mm").unwrap()).unwrap();
        prop_assert_eq!(real_time_command(&job), None);
    }
}

proptest! {
    // The judge draws every dot; fewer cases keep it quick.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_judge_accepts_any_ascii_text(lines in prop::collection::vec(("[ -~]{0,90}", styles()), 1..8)) {
        let mut document = Document::new();
        for (text, style) in lines {
            document.line(Line::left(text.clone()).styled(style)).row(Row::new().from(0, text).up_to(42, "9.99"));
        }
        let job = encode(&document, Profile::by_name("epson-tm-t88").unwrap()).unwrap();
        judged(&job, "TM-T88V");
    }
}
