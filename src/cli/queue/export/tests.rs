//! Exports through the command: what a file is called, what is in it, and what is refused.

use super::*;
use crate::cli::{EX_IOERR, EX_USAGE, exit_code};
use crate::journal::Journal;
use crate::journal::edge::EdgeStore;
use crate::journal::sample::{Pen, sale};
use crate::record::{Epoch, Hash};
use clap::Parser;
use std::fs;
use std::path::Path;

#[derive(Parser)]
struct One {
    #[command(flatten)]
    export: Export,
}

/// A till's files with so many receipts, the first of which is record 2.
fn books(dir: &Path, receipts: u64) {
    let (mut journal, mut pen) = (Journal::open(dir).unwrap(), Pen::new(1));
    let mut records = vec![pen.genesis()];
    records.extend((1..=receipts).map(|number| pen.receipt(sale(number), number, 1280)));
    journal.append(&records).unwrap();
    journal.close().unwrap();
    DeviceKey::load_or_create(&dir.join("keys/device")).unwrap();
}

fn asked(dir: &Path, words: &[&str]) -> Export {
    let place = ["export", "--dir", dir.to_str().unwrap()];
    One::try_parse_from([&place, words].concat()).unwrap_or_else(|error| panic!("{error}")).export
}

/// Exports; how it ended, and what was said.
fn ends(dir: &Path, words: &[&str]) -> (u8, String) {
    match export(&asked(dir, words)) {
        Ok(_) => (0, String::new()),
        Err(error) => (exit_code(&error), format!("{error:#}")),
    }
}

/// What is in the folder, but for the till's own files.
fn left(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_export_has_its_name_only_once_it_is_whole() {
    let (dir, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    books(dir.path(), 1_500);
    for format in ["csv", "jsonl"] {
        let file = out.path().join(format);
        let words = ["--format", format, "-o", file.to_str().unwrap()];
        // One that an earlier export was cut off in does not count.
        fs::write(out.path().join(format!("{format}.unfinished")), "epoch,number").unwrap();
        assert_eq!(ends(dir.path(), &words), (0, String::new()));
        let whole = fs::read(&file).unwrap();
        let (code, said) = ends(dir.path(), &words);
        assert_eq!(code, EX_IOERR, "{said}");
        assert!(said.contains("choose another name"), "{said}");
        assert_eq!(fs::read(&file).unwrap(), whole, "what is there stays");
    }
    assert_eq!(left(out.path()), ["csv", "jsonl"]);

    // A page in the middle is torn: whatever was written before it is no export.
    let journal = dir.path().join("journal.db");
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4 * 4096].fill(0xa5);
    fs::write(&journal, bytes).unwrap();
    for format in ["csv", "jsonl"] {
        let file = out.path().join(format!("torn.{format}"));
        let (code, said) = ends(dir.path(), &["--format", format, "-o", file.to_str().unwrap()]);
        assert_eq!(code, EX_IOERR, "{said}");
    }
    assert_eq!(left(out.path()), ["csv", "jsonl"]);
}

#[test]
fn a_journal_without_its_devices_key_leaves_no_empty_file_behind() {
    let (dir, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    books(dir.path(), 3);
    let (key, away) = (dir.path().join("keys/device"), dir.path().join("keys/away"));
    fs::rename(&key, &away).unwrap();
    let file = out.path().join("journal.jsonl");
    let words = ["--format", "jsonl", "-o", file.to_str().unwrap()];
    let (code, said) = ends(dir.path(), &words);
    assert_eq!(code, EX_IOERR, "{said}");
    assert!(said.contains("the device key is not at"), "{said}");
    assert_eq!(left(out.path()), [""; 0]);
    fs::rename(&away, &key).unwrap();
    assert_eq!(ends(dir.path(), &words), (0, String::new()));
}

#[test]
fn what_a_form_cannot_do_is_refused_instead_of_passed_over() {
    let (dir, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    books(dir.path(), 3);
    let file = out.path().join("export");
    let file = file.to_str().unwrap();
    for words in [
        &["--format", "jsonl", "--state", "open"][..],
        &["--format", "jsonl", "--kind", "coupon"],
        &["--format", "jsonl", "--older", "1"],
        &["--format", "jsonl", "--newer", "1"],
        &["--format", "jsonl", "--min", "1"],
        &["--format", "jsonl", "--max", "1"],
        &["--format", "csv", "--from", "2"],
        &["--from", "2"],
    ] {
        let (code, said) = ends(dir.path(), &[words, &["-o", file]].concat());
        assert_eq!(code, EX_USAGE, "{words:?}: {said}");
        let named = words.iter().rfind(|word| word.starts_with("--")).unwrap();
        assert!(said.contains(named) && said.contains("--format"), "{words:?}: {said}");
    }
    assert_eq!(left(out.path()), [""; 0]);
    for words in [
        &["--format", "jsonl", "--from", "2", "--epoch", "0000000000000001"][..],
        &["--epoch", "0000000000000001", "--state", "all"],
    ] {
        assert_eq!(ends(dir.path(), &[words, &["-o", file]].concat()), (0, String::new()), "{words:?}");
        fs::remove_file(file).unwrap();
    }
}

/// Somewhere to write; once the first row is there, head office goes on.
struct Meanwhile {
    edge: Option<EdgeStore>,
    text: Vec<u8>,
}

impl Write for Meanwhile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.contains(&b'\n')
            && let Some(edge) = self.edge.take()
        {
            edge.set_watermark(Epoch(1), 1_501, Hash([1; 32])).unwrap();
        }
        self.text.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn all_pages_of_an_export_are_of_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    books(dir.path(), 2_500);
    let edge = EdgeStore::open(dir.path()).unwrap();
    let mut out = Meanwhile { edge: Some(edge), text: Vec::new() };
    let asked = asked(dir.path(), &["--state", "recorded"]);
    csv(&asked, &asked.place.open().unwrap(), &mut out).unwrap();
    assert!(out.edge.is_none(), "head office went on");
    let text = String::from_utf8(out.text).unwrap();
    assert_eq!(text.lines().count(), 2_501);
    assert_eq!(text.matches(",recorded,").count(), 2_500);
}

#[test]
fn what_cannot_be_known_without_the_key_is_left_empty() {
    let dir = tempfile::tempdir().unwrap();
    books(dir.path(), 3);
    EdgeStore::open(dir.path()).unwrap().set_watermark(Epoch(1), 3, Hash([1; 32])).unwrap();
    let rows = || {
        let (mut out, asked) = (Vec::new(), asked(dir.path(), &["--state", "all"]));
        csv(&asked, &asked.place.open().unwrap(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let state = |line: &str| line.split(',').nth(12).unwrap().to_owned();
        text.lines().map(state).collect::<Vec<_>>()
    };
    assert_eq!(rows(), ["state", "recorded", "received", "received"]);
    fs::remove_file(dir.path().join("keys/seal")).unwrap();
    assert_eq!(rows(), ["state", "", "", ""]);
}

#[test]
fn a_cell_is_never_a_formula_and_always_one_cell() {
    for (text, expected) in [
        ("plain", "plain"),
        ("", ""),
        ("-12.80", "-12.80"),
        ("a,b", "\"a,b\""),
        ("he said \"no\"", "\"he said \"\"no\"\"\""),
        ("two\nlines", "\"two\nlines\""),
        ("=1+1", "\"'=1+1\""),
        ("+49", "\"'+49\""),
        ("-1+cmd|' /C calc'!A0", "\"'-1+cmd|' /C calc'!A0\""),
        ("@SUM(A1)", "\"'@SUM(A1)\""),
        ("\tx", "\"'\tx\""),
        ("＝1", "\"'＝1\""),
    ] {
        assert_eq!(cell(text), expected, "{text:?}");
    }
}

#[test]
fn two_exports_to_one_name_do_not_mix() {
    let (dir, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    books(dir.path(), 10);
    let file = out.path().join("queue.csv");
    let mut first = Unfinished::begin(&file).unwrap();
    first.write_all(b"the first one's\n").unwrap();
    let (code, said) = ends(dir.path(), &["-o", file.to_str().unwrap()]);
    assert!(code == EX_IOERR && said.contains("another export"), "{code} {said}");
    first.finish().unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"the first one's\n");
    assert_eq!(left(out.path()), ["queue.csv"]);
}
