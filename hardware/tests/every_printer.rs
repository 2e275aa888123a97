//! All printers that we know, before the independent judge: the reference receipt and one of every element, with their
//! symbols read back from the paper, and the same dots whether the printer draws a symbol or we do.
//!
//! What the judge does not know is in [`NOT_JUDGED`], with who judges it instead.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "sim")]

use hardware::document::picture::Dither;
use hardware::document::{
    Align, Barcode, Cut, Document, DrawerPin, DrawerPulse, Item, Line, Picture, Qr, Row, Style,
};
use hardware::preview::{to_png, to_text};
use hardware::printer::escpos::encode;
use hardware::profile::{Cutter, Profile, QrSupport, Raster};
use hardware::sim::Paper;

#[path = "receipts/judge.rs"]
mod judge;
#[path = "receipts/reference.rs"]
mod receipts;
use judge::{dots, judge_of, judged, logo, png_dots, pulses, read_code128, read_ean13, read_qr};
use receipts::{QR, reference_receipt};

/// Printers that we know.
const PROFILES: usize = 35;

/// What we send that the judge does not know, and who judges it. It refuses each of these bytes; the day it no longer
/// does, this table is wrong and the test says so.
const NOT_JUDGED: [(&str, &[u8], &str); 6] = [
    (
        "FS &, Chinese on",
        b"\x1c&",
        "the bytes of GB18030 are compared with another implementation's: gb18030",
    ),
    ("FS ., Chinese off", b"\x1c.", "as above"),
    (
        "GS r, GS a",
        b"\x1dr\x01",
        "no job holds one: the driver sends them behind it; the virtual printer answers",
    ),
    ("GS ( H, process id", b"\x1d(H\x06\x0000T001", "as above"),
    ("DLE EOT", b"\x10\x04\x01", "as above, and no job may hold one: no_document_holds_a_real_time_command"),
    ("DLE ENQ", b"\x10\x05\x01", "as above"),
];

/// One of everything that this printer may get.
fn one_of_each(profile: &Profile) -> Document {
    let mut document = Document::new();
    for style in [Style::PLAIN, Style::BOLD, Style::TITLE] {
        document.line(Line::centred("CORNER STORE").styled(style));
        document.row(Row::new().from(0, "Milk").up_to(profile.columns, "2.40").styled(style));
    }
    document.rule();
    if profile.raster != Raster::None {
        for (align, dither) in [(Align::Left, Dither::Ordered), (Align::Centre, Dither::Diffused)] {
            let bitmap = logo(profile.width_dots.min(200), 120, dither);
            document.picture(Picture { bitmap, align });
        }
    }
    document.feed(1).barcode(Barcode::ean13("690123400001")).feed(5);
    document.barcode(Barcode { module_dots: 2, ..Barcode::code128("R-004217{7}") });
    document.qr(Qr::new(QR));
    document.cut(Cut::Partial).line(Line::right("copy")).cut(Cut::Full);
    document.drawer(DrawerPulse { pin: DrawerPin::Five, on_ms: 100, off_ms: 200 });
    document
}

/// Both documents as this printer may get them, and the pulse that each asks for.
fn jobs(profile: &Profile) -> [(Document, (u8, u8, u8)); 2] {
    let mut both = [(reference_receipt(), (0, 25, 250)), (one_of_each(profile), (1, 50, 100))];
    if !profile.drawer {
        both.iter_mut().for_each(|(job, _)| job.items.retain(|item| !matches!(item, Item::Drawer(_))));
    }
    both
}

/// All sheets as the judge sees them.
fn sheets(document: &Document, profile: &Profile) -> Vec<Vec<Vec<bool>>> {
    let job = encode(document, profile).unwrap();
    judged(&job, judge_of(profile)).sheets.iter().map(dots).collect()
}

#[test]
fn every_job_on_every_printer_is_faultless_and_opens_the_drawer_as_asked() {
    assert_eq!(Profile::list().len(), PROFILES);
    for profile in Profile::list() {
        for (document, pulse) in jobs(profile) {
            let job = encode(&document, profile).unwrap();
            let result = judged(&job, judge_of(profile));
            let expected: &[_] = if profile.drawer { &[pulse] } else { &[] };
            assert_eq!(pulses(&result), expected, "{}", profile.name);
            let paper = Paper::read_as(&job, profile);
            assert_eq!(paper.errors, [], "{}", profile.name);
            assert_eq!(paper.pulses.len(), expected.len(), "{}", profile.name);
            let asked = document.items.iter().filter(|item| matches!(item, Item::Cut(_))).count();
            let cuts = if matches!(profile.cutter, Cutter::Knife) { asked } else { 0 };
            assert_eq!(paper.cut_sheets().count(), cuts, "{}", profile.name);
        }
    }
}

#[test]
fn every_symbol_on_every_printer_is_read_back_from_the_paper_and_from_the_preview() {
    for profile in Profile::list() {
        let draws = profile.raster != Raster::None;
        for (document, _) in jobs(profile) {
            let paper = sheets(&document, profile).concat();
            let preview = png_dots(&to_png(&document, profile));
            if profile.qr == QrSupport::TextOnly {
                assert!(to_text(&document, profile).replace('\n', "").contains(QR), "{}", profile.name);
                continue;
            }
            for dots in [&paper, &preview] {
                assert_eq!(read_qr(dots), [QR.as_bytes()], "{}", profile.name);
            }
        }
        let paper = sheets(&one_of_each(profile), profile).concat();
        for (wanted, known, module, read) in [
            ("690123400001", "Ean13", 3, read_ean13 as fn(&[bool], usize) -> Option<String>),
            ("R-004217{7}", "Code128", 2, read_code128),
        ] {
            let native = profile.barcodes.iter().any(|barcode| format!("{barcode:?}") == known);
            let found =
                paper.iter().any(|row| read(row, module).is_some_and(|read| read.starts_with(wanted)));
            assert_eq!(found, native || draws, "{} {wanted}", profile.name);
        }
    }
}

#[test]
fn every_printer_that_draws_symbols_prints_the_same_dots_when_we_draw_them() {
    let mut tried = 0;
    for profile in Profile::list() {
        // One without a picture command cannot be sent them.
        if profile.qr != QrSupport::Native || profile.raster == Raster::None {
            continue;
        }
        let drawn = Profile { qr: QrSupport::Raster, barcodes: Vec::new(), ..profile.clone() };
        for (document, _) in jobs(profile) {
            assert!(sheets(&document, profile) == sheets(&document, &drawn), "{}", profile.name);
        }
        tried += 1;
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn what_the_judge_does_not_know_is_what_the_table_says() {
    for (name, bytes, instead) in NOT_JUDGED {
        let judge = escpost_profiles::resolver::resolve("TM-T88V").unwrap();
        let refused = escpost_render::render(&[b"\x1b@".as_slice(), bytes, b"x\n"].concat(), judge).is_err();
        assert!(refused, "{name} is known by now; it was judged so: {instead}");
    }
}
