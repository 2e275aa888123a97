//! The golden journals of format 1: bytes that every later Till has to read.
//!
//! `tests/data/journal-v1` has a chain for each time that kinds of body were added; together they have every
//! kind. Each is written once and never again for a format that a till has used. A change after which these tests fail is a change of the format.

use super::sample::{Pen, sale};
use super::{Journal, load};
use crate::money::{Currency, Money};
use crate::record::ids::hex;
use crate::record::{Body, Header, Mode, Record};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The chains: the file, its epoch, and what it was made from, header fields and a body on each line.
const STORIES: [(&str, u64, &str); 9] = [
    ("records", 0x0123_4567_89ab_cdef, include_str!("../../tests/data/journal-v1/story.txt")),
    ("money-back", 0x0123_4567_89ab_cdf0, include_str!("../../tests/data/journal-v1/money-back.txt")),
    ("shown-codes", 0x0123_4567_89ab_cdf1, include_str!("../../tests/data/journal-v1/shown-codes.txt")),
    ("clocks", 0x0123_4567_89ab_cdf2, include_str!("../../tests/data/journal-v1/clocks.txt")),
    ("queue-acts", 0x0123_4567_89ab_cdf3, include_str!("../../tests/data/journal-v1/queue-acts.txt")),
    ("epochs", 0x0123_4567_89ab_cdf5, include_str!("../../tests/data/journal-v1/epochs.txt")),
    ("vouchers", 0x0123_4567_89ab_cdf6, include_str!("../../tests/data/journal-v1/vouchers.txt")),
    ("pruned", 0x0123_4567_89ab_cdf7, include_str!("../../tests/data/journal-v1/pruned.txt")),
    ("forgotten", 0x0123_4567_89ab_cdf4, include_str!("../../tests/data/journal-v1/forgotten.txt")),
];

/// One line of the file: the record's bytes, the body as the text that it is.
#[derive(Serialize, Deserialize)]
struct Line {
    hash: String,
    head: String,
    salt: String,
    body: String,
}

#[test]
fn every_record_of_the_golden_journal_opens_to_the_hash_it_had() {
    for line in STORIES.iter().flat_map(|(name, ..)| lines(name)) {
        let record = open(&line);
        assert_eq!(record.hash.to_string(), line.hash, "{}", record.header);
        assert!(!matches!(record.body, Body::Unreadable { .. }), "{}", record.header);
        assert_eq!(record.body.kind(), record.header.kind);
    }
}

#[test]
fn its_chain_holds_from_the_first_record_to_the_last() {
    for (name, _, story) in STORIES {
        let records = records(name);
        assert_eq!(records.len(), story.lines().count());
        let mut end = None;
        for record in &records {
            end = Some(load::follow(end, record).unwrap());
        }
        assert_eq!(end.unwrap().tip.head, records.last().unwrap().hash);
        assert!(load::follow(end, &records[7]).is_err(), "no record fits in two places");
    }
}

#[test]
fn its_headers_are_written_again_to_the_same_bytes() {
    for record in STORIES.iter().flat_map(|(name, ..)| records(name)) {
        assert_eq!(hex(&record.header.encode()), hex(&record.head), "{}", record.header);
    }
}

#[test]
fn a_journal_of_today_takes_and_gives_back_the_golden_one() {
    for (name, ..) in STORIES {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.append(&records(name)).unwrap();
        let loaded: Vec<_> = journal.load().unwrap().tail.map(Result::unwrap).collect();
        assert_eq!(loaded, records(name));
    }
}

/// Writes a file that is not there yet, for kinds that no till has used; it never overwrites.
#[test]
#[ignore = "makes the golden journal of new kinds"]
fn write_the_golden_journal() {
    for (name, epoch, story) in STORIES.iter().filter(|(name, ..)| !path(name).exists()) {
        let mut pen = Pen::new(*epoch);
        let mut text = String::new();
        for line in story.lines() {
            let (fields, json) = line.split_once('|').unwrap();
            let record = pen.write(json, |header| fill(header, fields));
            let line = Line {
                hash: record.hash.to_string(),
                head: hex(&record.head),
                salt: hex(&record.salt),
                body: String::from_utf8(record.bytes).unwrap(),
            };
            text.push_str(&serde_json::to_string(&line).unwrap());
            text.push('\n');
        }
        let mut file = std::fs::File::create_new(path(name)).expect("a golden journal is never overwritten");
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }
}

/// Every chain, for the tests of other rooms.
pub(crate) fn golden_chains() -> Vec<Vec<Record>> {
    STORIES.iter().map(|(name, ..)| records(name)).collect()
}

/// Fills a header from words such as `sale=1 staff=mia`.
fn fill(header: &mut Header, fields: &str) {
    for field in fields.split_whitespace() {
        let (name, value) = field.split_once('=').unwrap();
        match name {
            "sale" => header.sale = Some(sale(value.parse().unwrap())),
            "station" => header.station = Some(value.parse().unwrap()),
            "shift" => header.shift = Some(value.parse().unwrap()),
            "staff" => header.staff = Some(value.parse().unwrap()),
            "approver" => header.approver = Some(value.parse().unwrap()),
            "receipt" => header.receipt = Some(value.parse().unwrap()),
            "serial" => header.serial = Some(value.to_owned()),
            "amount" => header.amount = Some(Money::new(value.parse().unwrap(), Currency::CNY)),
            "offset" => header.moment.cloud_offset_ms = Some(value.parse().unwrap()),
            "mode" => header.mode = Mode::Training,
            other => panic!("no such field: {other}"),
        }
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/journal-v1/{name}.jsonl"))
}

fn lines(name: &str) -> Vec<Line> {
    let text = std::fs::read_to_string(path(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn records(name: &str) -> Vec<Record> {
    lines(name).iter().map(open).collect()
}

fn open(line: &Line) -> Record {
    let salt = unhex(&line.salt).try_into().unwrap();
    Record::open(unhex(&line.head), salt, line.body.clone().into_bytes()).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}
