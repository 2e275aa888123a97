//! All printers that we know, before the independent judge: the reference receipt and one of every element, with their
//! symbols read back from the paper, and the same dots whether the printer draws a symbol or we do.
//!
//! What the judge does not know is in [`NOT_JUDGED`], with who judges it instead.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "sim")]

use escpost_render::RenderResult;
use hardware::document::picture::Dither;
use hardware::document::{
    Align, Barcode, Cut, Document, DrawerPin, DrawerPulse, Item, Line, Picture, Qr, Row, Style,
};
use hardware::preview::{to_png, to_text};
use hardware::printer::escpos::encode;
use hardware::profile::{Cutter, NativeBarcode, Profile, QrSupport, Raster};
use hardware::sim::Paper;

#[path = "receipts/judge.rs"]
mod judge;
#[path = "receipts/reference.rs"]
mod receipts;
use judge::{dots, judge_of, judged, logo, png_dots, pulses, read_code128, read_ean13, read_qr};
use receipts::{QR, reference_receipt};

/// What the bar codes say.
const EAN: &str = "690123400001";
const CODE: &str = "R-004217{7}";

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
    document.feed(1).barcode(Barcode::ean13(EAN)).feed(5);
    document.barcode(Barcode { module_dots: 2, ..Barcode::code128(CODE) });
    document.qr(Qr::new(QR));
    document.cut(Cut::Partial).line(Line::right("copy")).cut(Cut::Full);
    if profile.drawer {
        document.drawer(DrawerPulse { pin: DrawerPin::Five, on_ms: 100, off_ms: 200 });
    }
    document
}

/// Both documents as this printer may get them, and the pulse that each asks for.
fn jobs(profile: &Profile) -> [(Document, (u8, u8, u8)); 2] {
    let mut receipt = reference_receipt();
    if !profile.drawer {
        receipt.items.retain(|item| !matches!(item, Item::Drawer(_)));
    }
    [(receipt, (0, 25, 250)), (one_of_each(profile), (1, 50, 100))]
}

/// What the judge makes of a job, and the dots of its sheets one below the other.
fn seen(document: &Document, profile: &Profile) -> (RenderResult, Vec<Vec<bool>>) {
    let result = judged(&encode(document, profile).unwrap(), judge_of(profile));
    let rows = result.sheets.iter().flat_map(dots).collect();
    (result, rows)
}

#[test]
fn every_job_on_every_printer_is_faultless_opens_the_drawer_as_asked_and_its_symbols_are_read_back() {
    assert_eq!(Profile::list().len(), PROFILES);
    let mut drawn_too = 0;
    for profile in Profile::list() {
        let name = &profile.name;
        for (document, pulse) in jobs(profile) {
            let (result, rows) = seen(&document, profile);
            let expected: &[_] = if profile.drawer { &[pulse] } else { &[] };
            assert_eq!(pulses(&result), expected, "{name}");
            virtual_printer_agrees(&document, profile, expected.len());
            if profile.qr == QrSupport::TextOnly {
                assert!(to_text(&document, profile).replace('\n', "").contains(QR), "{name}");
            } else {
                assert_eq!(read_qr(&rows), [QR.as_bytes()], "{name}");
                assert_eq!(read_qr(&png_dots(&to_png(&document, profile))), [QR.as_bytes()], "{name}");
            }
            if document.items.iter().any(|item| matches!(item, Item::Barcode(_))) {
                bars_are_read_back(&rows, profile);
            }
            // One without a picture command cannot be sent what it would draw by itself.
            if profile.qr == QrSupport::Native && profile.raster != Raster::None {
                let drawn = Profile { qr: QrSupport::Raster, barcodes: Vec::new(), ..profile.clone() };
                assert!(rows == seen(&document, &drawn).1, "{name}: other dots when we draw its symbols");
                drawn_too += 1;
            }
        }
    }
    assert!(drawn_too >= 40, "{drawn_too} jobs");
}

fn virtual_printer_agrees(document: &Document, profile: &Profile, pulses: usize) {
    let paper = Paper::read_as(&encode(document, profile).unwrap(), profile);
    assert_eq!(paper.errors, [], "{}", profile.name);
    assert_eq!(paper.pulses.len(), pulses, "{}", profile.name);
    let asked = document.items.iter().filter(|item| matches!(item, Item::Cut(_))).count();
    let cuts = if matches!(profile.cutter, Cutter::Knife) { asked } else { 0 };
    assert_eq!(paper.cut_sheets().count(), cuts, "{}", profile.name);
}

/// Both bar codes stand there, unless the printer has neither their commands nor one for pictures.
fn bars_are_read_back(rows: &[Vec<bool>], profile: &Profile) {
    let reads = |data: &str, read: &dyn Fn(&[bool]) -> Option<String>| {
        rows.iter().any(|row| read(row).is_some_and(|read| read.starts_with(data)))
    };
    let stands = |kind| profile.raster != Raster::None || profile.barcodes.contains(&kind);
    let (ean, code) = (stands(NativeBarcode::Ean13), stands(NativeBarcode::Code128));
    assert_eq!(reads(EAN, &|row| read_ean13(row, 3)), ean, "{}", profile.name);
    assert_eq!(reads(CODE, &|row| read_code128(row, 2)), code, "{}", profile.name);
}

#[test]
fn what_the_judge_does_not_know_is_what_the_table_says() {
    for (name, bytes, instead) in NOT_JUDGED {
        let judge = escpost_profiles::resolver::resolve("TM-T88V").unwrap();
        let refused = escpost_render::render(&[b"\x1b@".as_slice(), bytes, b"x\n"].concat(), judge).is_err();
        assert!(refused, "{name} is known by now; it was judged so: {instead}");
    }
}
