//! The virtual devices themselves: pictures of paper, programs, and a host that is killed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "sim")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use hardware::document::width::text_cells;
use hardware::document::{Document, Line, Qr, Row, Style};
use hardware::link::Address;
use hardware::link::serial::SerialAddress;
use hardware::printer::escpos::encode;
use hardware::profile::{Charset, Profile};
use hardware::sim::{Paper, Printer, PrinterOptions};
use proptest::prelude::*;

#[path = "receipts/reference.rs"]
mod receipts;
use receipts::{QR, reference_receipt};

const LONG: Duration = Duration::from_secs(20);

/// Sends bytes to a virtual printer and returns its paper once `wanted` holds.
fn paper_of(jobs: &[Vec<u8>], wanted: impl Fn(&Paper) -> bool) -> Paper {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let printer = Printer::start(&link, folder.path(), PrinterOptions::default()).unwrap();
    let mut line = Address::Serial(SerialAddress::new(&link)).open().unwrap();
    for job in jobs {
        let mut sent = 0;
        while sent < job.len() {
            // One byte at a time: a command that is split must not be mistaken for another.
            sent += line.write(&job[sent..=sent], LONG).unwrap();
        }
    }
    assert!(printer.wait_for(LONG, wanted));
    printer.paper()
}

fn job(document: &Document) -> Vec<u8> {
    encode(document, Profile::by_name("epson-tm-t88-chinese").unwrap()).unwrap()
}

#[test]
fn the_picture_shows_the_receipt_and_its_code_can_be_read_from_it() {
    let paper = paper_of(&[job(&reference_receipt())], |paper| !paper.pulses.is_empty());
    let picture = paper.to_png(512).unwrap();
    let picture = image::load_from_memory(&picture).unwrap().to_luma8();
    assert_eq!(picture.width(), 512 + 24);
    let (width, height) = picture.dimensions();
    let dark = picture.pixels().filter(|pixel| pixel.0[0] == 0).count();
    assert!(dark > 10_000, "{dark} dark dots");
    let mut seen = rqrr::PreparedImage::prepare_from_greyscale(
        usize::try_from(width).unwrap(),
        usize::try_from(height).unwrap(),
        |x, y| picture.get_pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap()).0[0],
    );
    let codes: Vec<String> = seen.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect();
    assert_eq!(codes, [QR]);
    if let Some(file) = std::env::var_os("KEEP_PICTURE") {
        std::fs::write(file, paper.to_png(512).unwrap()).unwrap();
    }
}

#[test]
fn the_page_shows_what_was_printed_and_obeys_none_of_it() {
    let mut document = Document::new();
    document
        .line(Line::centred("<b>&\"牛奶\"").styled(Style::TITLE))
        .row(Row::new().from(0, "Milk").up_to(42, "2.40"))
        .feed(1)
        .qr(Qr::new("x"))
        .cut(hardware::document::Cut::Full);
    let html = paper_of(&[job(&document)], |paper| paper.cut_sheets().count() == 1).to_html();
    let expected = [
        "<div class=\"paper\"><div class=\"sheet cut\">",
        "<pre class=\"line centre\"><span class=\"bold wide tall\">&lt;b&gt;&amp;&quot;牛奶&quot;</span></pre>",
        "<pre class=\"line\">Milk                                  2.40</pre>",
        "<pre class=\"line\"> </pre>",
        "<div class=\"qr centre\"><svg ",
    ]
    .concat();
    assert!(html.starts_with(&expected), "{html}");
    assert!(html.ends_with("</svg></div></div></div>"), "{html}");
}

#[test]
fn noise_is_recorded_and_what_follows_is_printed() {
    let noise = b"\x1b@ok\n\x07\x1b\x99\x10\x05\x01\x10\x14\x01\x00\x01still\n\x1dVB\x00".to_vec();
    let paper = paper_of(&[noise], |paper| paper.cut_sheets().count() == 1);
    assert_eq!(paper.errors.len(), 2, "{:?}", paper.errors);
    assert_eq!(paper.errors[0].offset, 5);
    assert_eq!(paper.sheets[0].text_lines(512), ["ok", "still"]);
    // DLE DC4 is obeyed wherever it stands, as on a real printer.
    let pulse = hardware::sim::paper::Pulse { pin: 2, on_ms: 100, off_ms: 100 };
    assert_eq!(paper.pulses, [pulse]);
}

#[test]
fn a_host_that_comes_and_goes_finds_the_same_printer() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let printer = Printer::start(&link, folder.path(), PrinterOptions::default()).unwrap();
    for round in 1..=20 {
        let mut line = Address::Serial(SerialAddress::new(&link)).open().unwrap();
        assert_eq!(line.write(b"x\n\x1dVB\x00", LONG).unwrap(), 6);
        // Opening throws away what the last host left behind, so each waits for its own.
        assert!(printer.wait_for(LONG, |paper| paper.cut_sheets().count() == round));
    }
    assert_eq!(printer.paper().errors, []);
}

#[test]
fn the_devices_run_as_programs() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let mut program = Command::new(env!("CARGO_BIN_EXE_virtual-scanner"))
        .arg(&link)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = program.stdin.take().unwrap();
    let mut answers = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut answer = || answers.next().unwrap().unwrap();
    assert!(answer().starts_with("scanner at"));
    let mut line = Address::Serial(SerialAddress::new(&link)).open().unwrap();
    writeln!(commands, "scan 6901234567892").unwrap();
    assert_eq!(answer(), "ok");
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r") {
        let mut buffer = [0; 64];
        let count = line.read(&mut buffer, LONG).unwrap();
        assert!(count > 0);
        heard.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(heard, b"6901234567892\r");
    writeln!(commands, "jump").unwrap();
    assert_eq!(answer(), "not done: say scan TEXT, unplug, replug or quit; help shows the rest");
    writeln!(commands, "unplug\nquit").unwrap();
    assert_eq!(answer(), "ok");
    assert!(program.wait().unwrap().success());
    assert!(!link.exists());

    let mut program = Command::new(env!("CARGO_BIN_EXE_virtual-printer"))
        .args([folder.path().join("printer"), folder.path().to_owned()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = program.stdin.take().unwrap();
    let said = b"fault paper-out\nfault none\nfault fire\n\n\xff\xfe\nout after many lines\nout after 2 lines\ndrop 1\n\
        jam at cut\nstatus\nhelp me\nhelp\npng\nunplug\nreplug\n";
    commands.write_all(said).unwrap();
    // Its paper is left behind however its commands end.
    drop(commands);
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!(said[..2], ["ok", "ok"]);
    assert!(said[2].starts_with("not done: faults are none, near-end"), "{said:?}");
    assert!(said[3].ends_with("is nothing that happens; say help"), "{said:?}");
    assert_eq!(said[4], "not done: \"many\" is not a number; write digits");
    assert_eq!(said[5..8], ["ok"; 3]);
    assert!(said[8].starts_with("power on, plugged in, says [10, 00, 00, 00], took 0 bytes"), "{said:?}");
    assert!(said.iter().any(|line| line.contains("out after 12 lines")), "{said:?}");
    assert_eq!(said[said.len() - 2..], ["ok"; 2]);
    assert!(folder.path().join("paper.txt").exists());
    let picture = std::fs::read(folder.path().join("paper.png")).unwrap();
    assert!(image::load_from_memory(&picture).is_ok());
}

/// Text a Chinese printer can print, without spaces, so that wrapping loses nothing.
fn printable() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![prop::char::range('!', '~'), prop::char::range('一', '龥'), Just('𠮷'), Just('￥')],
        0..70,
    )
    .prop_map(String::from_iter)
}

fn styles() -> impl Strategy<Value = Style> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(bold, wide, tall)| Style { bold, wide, tall })
}

proptest! {
    #[test]
    fn a_reader_that_shares_nothing_with_the_encoder_finds_every_character_where_it_should_be(
        line in printable(),
        name in printable(),
        amount in "[0-9]{1,6}\\.[0-9]{2}",
        look in styles(),
    ) {
        for profile in Profile::list().iter().filter(|profile| profile.charset == Charset::Gb18030) {
            let columns = profile.columns;
            let mut document = Document::new();
            document
                .line(Line::left(line.clone()).styled(look))
                .rule()
                .row(Row::new().from(0, name.clone()).up_to(columns, amount.clone()));
            let job = encode(&document, profile).unwrap();
            let width_dots = u32::from(columns) * 12;
            let paper = Paper::read(&job, width_dots);
            prop_assert_eq!(&paper.errors, &[]);
            let lines = paper.sheets[0].text_lines(width_dots);
            let rule = lines.iter().position(|line| *line == "-".repeat(usize::from(columns))).unwrap();
            prop_assert_eq!(lines[..rule].concat(), line.clone());
            let first = &lines[rule + 1];
            prop_assert!(first.ends_with(&amount), "{}", first);
            prop_assert_eq!(text_cells(first, profile.charset), usize::from(columns), "{}", first);
            let mut names = lines[rule + 1..].concat().replacen(&amount, "", 1);
            if name.contains(&amount) {
                names = name.clone();
            }
            prop_assert_eq!(names.replace(' ', ""), name.clone());
        }
    }

    #[test]
    fn the_virtual_printer_survives_any_bytes(bytes in prop::collection::vec(
        prop_oneof![prop::sample::select(vec![0x1b_u8, 0x1c, 0x1d, 0x10, 0x04, b'$', b'(', b'k', b'd', b'&']), any::<u8>()],
        0..400,
    )) {
        let paper = Paper::read(&bytes, 384);
        prop_assert!(paper.to_html().ends_with("</div>"));
    }
}
