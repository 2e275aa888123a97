//! Single elements before an independent judge: symbols read back from what it has drawn, from our pictures and from the
//! virtual printer; the same dots whichever way they travel. Whole jobs on every printer are in `every_printer`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "sim")]

use hardware::document::picture::Dither;
use hardware::document::{
    Align, Barcode, BarcodeText, Bitmap, Document, Line, Picture, Qr, QrLevel, Row, Style,
};
use hardware::preview::{to_png, to_text};
use hardware::printer::escpos::{encode, encode_counted};
use hardware::profile::{Charset, Columns, Profile, QrSupport, Raster};
use hardware::sim::Paper;
use proptest::prelude::*;

#[path = "receipts/judge.rs"]
mod judge;
#[path = "receipts/reference.rs"]
mod receipts;
use judge::{dots, judge_of, judged, logo, png_dots, read_code128, read_ean13, read_qr};
use receipts::reference_receipt;

fn profile(name: &str) -> Profile {
    Profile::by_name(name).unwrap().clone()
}

fn document(fill: impl FnOnce(&mut Document)) -> Document {
    let mut document = Document::new();
    fill(&mut document);
    document
}

/// White around our pictures.
const MARGIN: usize = 12;

#[test]
fn a_qr_code_is_read_back_from_the_paper_and_from_our_pictures() {
    let payload = b"https://pay.example/t/01HZX9?a=1280&c=CNY".to_vec();
    for profile in Profile::list().iter().filter(|profile| profile.qr != QrSupport::TextOnly) {
        for level in [QrLevel::Low, QrLevel::Quartile] {
            let document = document(|document| {
                document.qr(Qr { level, ..Qr::new(payload.clone()) });
            });
            let job = encode(&document, profile).unwrap();
            let sheet = &judged(&job, judge_of(profile)).sheets[0];
            assert_eq!(read_qr(&dots(sheet)), vec![payload.clone()], "{}", profile.name);
            assert_eq!(
                read_qr(&png_dots(&to_png(&document, profile))),
                vec![payload.clone()],
                "{}",
                profile.name
            );
            let paper = Paper::read_as(&job, profile);
            let png = paper.to_png(u32::from(profile.width_dots)).unwrap();
            assert_eq!(read_qr(&png_dots(&png)), vec![payload.clone()], "{}", profile.name);
        }
    }
}

#[test]
fn a_qr_code_that_spells_a_command_is_drawn_and_reads_the_same() {
    for command in [b"x\x10\x04\x01".as_slice(), b"\x10\x05\x02", b"\x10\x14\x01\x00\x08"] {
        let document = document(|document| {
            document.qr(Qr::new(command));
        });
        let job = encode(&document, &profile("epson-tm-t88")).unwrap();
        assert!(!has_command(&job));
        assert_eq!(read_qr(&dots(&judged(&job, "TM-T88V").sheets[0])), [command]);
    }
}

#[test]
fn bar_codes_are_read_back_and_are_the_same_dots_natively_and_as_a_picture() {
    let symbols = [
        Barcode::ean13("690123400001"),
        Barcode { height_dots: 16, ..Barcode::ean13("4006381333931") },
        Barcode { module_dots: 2, ..Barcode::code128("R12345-2{x}") },
        Barcode { text: BarcodeText::None, ..Barcode::code128("160412") },
        Barcode::code128("0012345678"),
    ];
    for symbol in symbols {
        let document = document(|document| {
            document.barcode(symbol.clone());
        });
        let native = profile("epson-tm-t88");
        let drawn = Profile { barcodes: Vec::new(), ..native.clone() };
        let paper =
            |profile: &Profile| dots(&judged(&encode(&document, profile).unwrap(), "TM-T88V").sheets[0]);
        assert_eq!(paper(&native), paper(&drawn), "{}", symbol.data);
        let row = &paper(&native)[5];
        let (text, module) =
            (Paper::read_as(&encode(&document, &native).unwrap(), &native), symbol.module_dots);
        let png = png_dots(&to_png(&document, &native));
        let virtual_row = &png_dots(&text.to_png(512).unwrap())[MARGIN + 5];
        for row in [row, &png[MARGIN + 5], virtual_row] {
            let read = read_ean13(row, module.into()).or_else(|| read_code128(row, module.into())).unwrap();
            assert!(read.starts_with(&symbol.data), "{read}");
        }
    }
}

#[test]
fn a_qr_code_is_the_same_dots_natively_and_as_a_picture() {
    // The judge makes its symbols with the same library as we; a printer may choose another mask, never another size.
    for name in ["epson-tm-t88", "chinese-58mm", "generic-80mm"] {
        for (payload, module_dots) in [("x", 3), ("https://pay.example/t/1", 6), ("0123456789", 5), ("Ä", 7)]
        {
            let document = document(|document| {
                let qr = Qr { module_dots, ..Qr::new(payload) };
                document.line(Line::left("above")).qr(qr).feed(1).line(Line::left("below"));
            });
            let native = profile(name);
            for raster in [Raster::GsV0, Raster::GsL] {
                let drawn = Profile { qr: QrSupport::Raster, raster, ..native.clone() };
                let judge = if raster == Raster::GsL { "TM-T88V" } else { judge_of(&native) };
                if raster == Raster::GsL && name != "epson-tm-t88" {
                    continue;
                }
                let paper =
                    |profile: &Profile| dots(&judged(&encode(&document, profile).unwrap(), judge).sheets[0]);
                assert!(paper(&native) == paper(&drawn), "{name} {payload} {raster:?}");
            }
        }
    }
}

#[test]
fn columns_by_position_and_by_spaces_are_the_same_dots() {
    let by_dot = profile("epson-tm-t88");
    let by_spaces = Profile { positioning: Columns::BySpaces, ..by_dot.clone() };
    let wide = document(|document| {
        for style in [Style::PLAIN, Style::TITLE, Style { bold: false, wide: false, tall: true }] {
            document.row(Row::new().from(2, "Milk").up_to(30, "2").up_to(42, "2.40").styled(style));
        }
        let mut mixed = Row::new().from(0, "TOTAL").up_to(42, "12.80");
        mixed.cells[1].style = Style::TITLE;
        document.row(mixed);
    });
    for document in [reference_receipt(), wide] {
        let paper =
            |profile: &Profile| dots(&judged(&encode(&document, profile).unwrap(), "TM-T88V").sheets[0]);
        assert!(paper(&by_dot) == paper(&by_spaces));
    }
}

#[test]
fn wide_cells_of_a_row_end_at_their_column() {
    let row = document(|document| {
        document.row(Row::new().from(0, "TOTAL").up_to(42, "12.80").styled(Style::TITLE));
    });
    let job = encode(&row, &profile("epson-tm-t88")).unwrap();
    let rows = dots(&judged(&job, "TM-T88V").sheets[0]);
    let last = rows.iter().filter_map(|row| row.iter().rposition(|ink| *ink)).max().unwrap();
    // The last character's cell ends before dot 504, and its strokes within its last few dots.
    assert!((490..504).contains(&last), "{last}");
    assert_eq!(to_text(&row, &profile("epson-tm-t88")), format!("TOTAL{}12.80\n", " ".repeat(22)));
}

#[test]
fn a_picture_is_the_same_dots_in_any_strips_and_by_any_command() {
    let bitmap = logo(200, 300, Dither::Ordered);
    for align in [Align::Left, Align::Centre, Align::Right] {
        let document = document(|document| {
            document.picture(Picture { bitmap: bitmap.clone(), align });
        });
        let gs_v_0 = profile("epson-tm-t88");
        let left = match align {
            Align::Left => 0,
            Align::Centre => (512 - 200) / 2,
            Align::Right => 512 - 200,
        };
        for raster in [Raster::GsV0, Raster::GsL] {
            let job = encode(&document, &Profile { raster, ..gs_v_0.clone() }).unwrap();
            let paper = dots(&judged(&job, "TM-T88V").sheets[0]);
            let wrong = (0..300_u16)
                .flat_map(|y| (0..200_u16).map(move |x| (x, y)))
                .filter(|(x, y)| {
                    let row = paper.get(usize::from(*y));
                    bitmap.is_ink(*x, *y) != row.is_some_and(|row| row[left + usize::from(*x)])
                })
                .count();
            assert_eq!(wrong, 0, "{align:?} {raster:?}");
            assert_eq!(Paper::read(&job, 512).errors, []);
        }
        let columns = Profile { raster: Raster::EscStar24, ..gs_v_0 };
        judged(&encode(&document, &columns).unwrap(), "TM-T88V");
    }
}

#[test]
fn a_line_feed_after_a_picture_is_doubled_where_the_printer_eats_one() {
    let document = document(|document| {
        document.picture(Picture { bitmap: logo(80, 40, Dither::None), align: Align::Left }).feed(1);
        document.line(Line::left("below"));
    });
    let eats = profile("chinese-58mm");
    let spares = Profile { eats_line_feed: false, ..eats.clone() };
    let (more, fewer) = (encode(&document, &eats).unwrap(), encode(&document, &spares).unwrap());
    assert_eq!(more.len(), fewer.len() + 1);
    // The judge's NT-5890K eats one.
    let height = |job: &[u8]| dots(&judged(job, "NT-5890K").sheets[0]).len();
    assert_eq!(height(&more), height(&fewer) + 30);
}

#[test]
fn code_pages_are_changed_when_needed_and_what_was_replaced_is_counted() {
    let profile = profile("epson-tm-t88");
    let encoded = encode_counted(
        &document(|document| {
            document.line(Line::left("Café £2")).line(Line::left("10 € Łódź Жук")).line(Line::left("牛 é"));
        }),
        &profile,
    )
    .unwrap();
    let expected: &[&[u8]] = &[
        b"\x1b@Caf\x1bt\x00\x82 \x9c2\n",
        // The euro sign and the Polish letters are both in 1250; Russian is in 866.
        b"10 \x1bt\x2d\x80 \xa3\xf3d\x9f \x1bt\x11\x86\xe3\xaa\n",
        b"?? \x1bt\x00\x82\n",
    ];
    assert_eq!(encoded.bytes, expected.concat(), "{:02x?}", encoded.bytes);
    assert_eq!(encoded.substituted, 1);
    let lines = Paper::read_as(&encoded.bytes, &profile).sheets[0].text_lines(512);
    assert_eq!(lines, ["Café £2", "10 € Łódź Жук", "?? é"]);
}

#[test]
fn a_preview_says_what_the_virtual_printer_prints() {
    // Both read the same document: one its layout, the other its bytes.
    let chinese = document(|document| {
        document
            .line(Line::centred("街角小店").styled(Style::TITLE))
            .row(Row::new().from(0, "有机牛奶 Organic").up_to(32, "12.80"))
            .line(Line::right("谢谢惠顾 € ñ 🍰"))
            .qr(Qr::new("x"));
    });
    for profile in Profile::list().iter().filter(|profile| profile.cell_dots == 12) {
        for document in [&reference_receipt(), &chinese] {
            let mut document = document.clone();
            if !profile.drawer {
                document.items.retain(|item| !matches!(item, hardware::document::Item::Drawer(_)));
            }
            let job = encode(&document, profile).unwrap();
            let paper = Paper::read_as(&job, profile);
            assert_eq!(paper.errors, [], "{}", profile.name);
            let ours = to_text(&document, profile);
            let printed = paper.to_text(u32::from(profile.width_dots)).replace("[picture]", "[QR x]");
            let text = |all: &str| -> Vec<String> {
                let lines = all.lines().filter(|line| !line.starts_with('[') && !line.starts_with("- -"));
                lines.map(|line| line.to_owned()).filter(|line| !line.is_empty()).collect()
            };
            assert_eq!(text(&ours), text(&printed), "{}", profile.name);
        }
    }
}

/// What no job may hold, written without the encoder's own check.
fn has_command(job: &[u8]) -> bool {
    (1..job.len()).any(|at| job[at - 1] == 16 && [4, 5, 20].contains(&job[at]))
}

/// Pictures that are mostly made of the bytes of commands.
fn hostile_picture() -> impl Strategy<Value = Bitmap> {
    (1_u16..=40, 1_u16..=60, any::<u16>()).prop_flat_map(|(bytes, height, less)| {
        let byte = prop::sample::select(vec![0x10_u8, 0x04, 0x05, 0x14, 0x41, 0x01, 0x40, 0x50, 0xff, 0x00]);
        prop::collection::vec(byte, usize::from(bytes) * usize::from(height))
            .prop_map(move |rows| Bitmap::from_rows(bytes * 8 - less % 8, height, rows).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_picture_holds_a_real_time_command_and_few_dots_are_changed(
        bitmap in hostile_picture(),
        align in prop::sample::select(vec![Align::Left, Align::Centre, Align::Right]),
        raster in prop::sample::select(vec![Raster::GsV0, Raster::GsL, Raster::EscStar24]),
    ) {
        for name in ["epson-tm-t88", "chinese-58mm", "epson-tm-t20-42"] {
            let profile = Profile { raster, ..profile(name) };
            let document = document(|document| {
                document.picture(Picture { bitmap: bitmap.clone(), align }).feed(2);
            });
            let job = encode(&document, &profile).unwrap();
            prop_assert!(!has_command(&job));
            let paper = Paper::read_as(&job, &profile);
            prop_assert_eq!(&paper.errors, &[]);
            let rows = paper.sheets[0].dots(u32::from(profile.width_dots));
            let left = match align {
                Align::Left => 0,
                Align::Centre => (profile.width_dots - bitmap.width()) / 2,
                Align::Right => profile.width_dots - bitmap.width(),
            };
            let mut added = 0;
            for (x, y) in (0..bitmap.height()).flat_map(|y| (0..bitmap.width()).map(move |x| (x, y))) {
                let printed = rows[usize::from(y)][usize::from(left + x)];
                prop_assert!(printed || !bitmap.is_ink(x, y), "ink was lost");
                added += usize::from(printed != bitmap.is_ink(x, y));
            }
            // One dot for each command at most, which is two bytes; `ESC *` fills its last band of 24 dots.
            let (width, height) = (usize::from(bitmap.width()), usize::from(bitmap.height()));
            prop_assert!(added <= width * (height + 24) / 16 + height, "{}", added);
        }
    }

    #[test]
    fn no_document_holds_a_real_time_command(
        text in "[\\PC\u{10}\u{4}\u{5}\u{14}]{0,40}",
        payload in prop::collection::vec(prop::sample::select(vec![0x10_u8, 0x04, 0x05, 0x14, b'1', 0xff]), 1..60),
        code in "(16|04|05|20|[ -~]){1,8}",
        module_dots in 1_u8..=16,
        height_dots in 1_u8..=255,
        bitmap in hostile_picture(),
        name in prop::sample::select(Profile::list().iter().map(|profile| profile.name.clone()).collect::<Vec<_>>()),
    ) {
        let profile = profile(&name);
        let mut all = document(|document| {
            document
                .line(Line::centred(text.clone()))
                .row(Row::new().from(module_dots, text.clone()).up_to(profile.columns, text.clone()))
                .qr(Qr { module_dots, ..Qr::new(payload.clone()) })
                .feed(module_dots);
        });
        if profile.raster != Raster::None && bitmap.width() <= profile.width_dots {
            all.picture(Picture { bitmap, align: Align::Centre });
        }
        prop_assert!(!has_command(&encode(&all, &profile).unwrap()));
        all.barcode(Barcode { height_dots, module_dots: 2, ..Barcode::code128(code) });
        if let Ok(job) = encode(&all, &profile) {
            prop_assert!(!has_command(&job));
            prop_assert_eq!(Paper::read_as(&job, &profile).errors, []);
        }
        prop_assert!(!to_text(&all, &profile).is_empty());
    }
}

#[test]
fn every_chinese_printer_gets_gb18030_and_others_never_do() {
    // The judge knows no Chinese: these bytes are compared with the standard's.
    let document = document(|document| {
        document.line(Line::left("牛奶𠮷"));
    });
    for profile in Profile::list() {
        let job = encode(&document, profile).unwrap();
        let expected: &[u8] = match profile.charset {
            Charset::Gb18030 => b"\x1b@\x1c&\xc5\xa3\xc4\xcc\x95\x34\xb2\x35\n\x1c.",
            Charset::Cp437 | Charset::Pages(_) => b"\x1b@??????\n",
        };
        assert_eq!(job, expected, "{}", profile.name);
    }
}
