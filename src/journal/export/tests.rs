//! An export is held against two readers that share no code: ours, and `docs/verify.py`.

mod beside;
mod spellings;

use super::verify::{self, Known, Report};
use super::*;
use crate::journal::Journal;
use crate::journal::sample::{Pen, sale};
use crate::record::chain::Tip;
use crate::record::witness;
use crate::record::{body_hash, header_hash};
use crate::token::{Key, KeySet, Purpose, Revocation};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const DEVICE: [u8; 32] = [3; 32];
const MADE_MS: i64 = 1_795_312_900_000;

fn key(seed: u8) -> DeviceKey {
    DeviceKey::from_seed(&[seed; 32]).unwrap()
}

/// What pairing with a head office leaves, whose root is 1 and whose key for heads is 2.
fn trust() -> Vec<u8> {
    let mut keys = KeySet::new(1, 0, i64::MAX);
    keys.insert(Key {
        purpose: Purpose::Head,
        public_key: key(2).public(),
        not_before: 0,
        not_after: i64::MAX,
        revoked: Revocation::Good,
    });
    let payload = serde_json::to_vec(&keys).unwrap();
    let signature = key(1).sign(&[b"till/keyset/1\n".as_slice(), &payload].concat());
    let keys = SignedKeySet { payload: BASE64.encode(payload), signature: BASE64.encode(signature) };
    serde_json::to_vec(&Trust { root: BASE64.encode(key(1).public()), keys }).unwrap()
}

fn witnessed(epoch: Epoch, seq: u64, head: Hash) -> ReceivedHead {
    let terminal = "till-3".parse().unwrap();
    let input = witness::signing_input(&terminal, epoch, Tip { seq, head }, MADE_MS);
    ReceivedHead { seq, head, at_ms: MADE_MS, key_id: key(2).key_id(), signature: key(2).sign(&input) }
}

/// A till with two epochs, a member who was forgotten, and a head office that has seen most of it.
struct Shop {
    dir: tempfile::TempDir,
    reader: Reader,
    edge: EdgeStore,
}

fn shop() -> Shop {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let mut pen = Pen::new(7);
    let mut records = pen.many(10);
    let recognised =
        r#"{"kind":"member_recognised","member":"GEZDGNBVGY3TQOJQ","source":"desk","code_proof":null}"#;
    records.push(pen.write(recognised, |header| header.sale = Some(sale(9))));
    records.push(pen.receipt(sale(9), 1, 1280));
    let forgotten = r#"{"kind":"member_forgotten","member":"GEZDGNBVGY3TQOJQ"}"#;
    records.push(pen.write(forgotten, |_| ()));
    journal.append(&records).unwrap();
    let next = Pen::new(8).many(5);
    journal.append(&next).unwrap();
    assert_eq!(journal.forget(|_, _| true).unwrap(), 1);
    let edge = EdgeStore::open(dir.path()).unwrap();
    edge.set_paired(&trust()).unwrap();
    edge.received(Epoch(7), &witnessed(Epoch(7), 14, records[13].hash)).unwrap();
    edge.received(Epoch(8), &witnessed(Epoch(8), 3, next[2].hash)).unwrap();
    Shop { reader: journal.reader().unwrap(), dir, edge }
}

fn export(shop: &Shop, part: Part) -> Vec<String> {
    let mut out = Vec::new();
    write(&shop.reader, Some(&shop.edge), &key(DEVICE[0]), part, MADE_MS, &mut out, |_| ()).unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

fn known() -> Known {
    let (device, root) = (key(DEVICE[0]).fingerprint(), key(1).fingerprint());
    Known { device: Some(device), root: Some(root) }
}

fn ours(text: &str) -> Report {
    verify::file(text.as_bytes(), &known(), |_| ()).unwrap()
}

/// Runs the reader in another language; says whether it found everything good, and what it said.
fn theirs(dir: &Path, text: &str) -> (bool, String) {
    let file = dir.join("export.jsonl");
    std::fs::write(&file, text).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/verify.py");
    let known = known();
    let ran = Command::new("python3")
        .arg(script)
        .arg(&file)
        .args(["--device", &known.device.unwrap(), "--root", &known.root.unwrap()])
        .output()
        .expect("python3 is needed to hold an export against docs/verify.py");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{said}");
    (ran.status.success(), said)
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn an_export_proves_itself_to_two_readers_that_share_no_code() {
    let shop = shop();
    let text = joined(&export(&shop, Part::default()));
    let report = ours(&text);
    assert!(report.is_good(), "{:?}", report.faults);
    assert_eq!((report.records, report.bodies, report.erased, report.witnessed), (20, 18, 2, 2));
    let (good, said) = theirs(shop.dir.path(), &text);
    assert!(good && said.contains("20 records, 2 of them erased"), "{said}");
    // Which they are is told by both: nothing in a file says why a body is gone.
    assert_eq!(report.erased_in, BTreeMap::from([(Epoch(7).to_string(), vec![12, 14])]));
    assert!(said.contains("Bodies erased: 12 14"), "{said}");
    assert!(!text.contains("GEZDGNBVGY3TQOJQ"), "the member is not in it any more");

    let live = verify::journal(&shop.reader, Some(&shop.edge), &Known::default(), |_| ()).unwrap();
    assert!(live.is_good(), "{:?}", live.faults);
    assert_eq!((live.records, live.bodies, live.erased, live.witnessed), (20, 18, 2, 2));
}

#[test]
fn a_part_of_a_journal_is_checked_from_where_it_begins() {
    let shop = shop();
    let lines = export(&shop, Part { epoch: Some(Epoch(7)), from_seq: Some(5) });
    assert_eq!(lines.len(), 11);
    let report = ours(&joined(&lines));
    assert!(report.is_good(), "{:?}", report.faults);
    assert_eq!(report.streams[0].first_seq, 5);
    assert!(theirs(shop.dir.path(), &joined(&lines)).0);
    let nothing = Part { epoch: Some(Epoch(9)), from_seq: None };
    let none = write(&shop.reader, None, &key(3), nothing, 0, &mut Vec::new(), |_| ());
    assert!(matches!(none, Err(ExportError::Nothing)));
}

/// Changes the text of one line.
fn with(at: usize, from: &str, to: &str) -> impl Fn(&mut Vec<String>) {
    let (from, to) = (from.to_owned(), to.to_owned());
    move |lines| {
        assert!(lines[at].contains(&from), "{}", lines[at]);
        lines[at] = lines[at].replacen(&from, &to, 1);
    }
}

fn record(line: &str) -> RecordLine {
    serde_json::from_str(line).unwrap()
}

/// The end signed again, over something else and by whichever device.
fn signed_again(lines: &mut [String], by: &DeviceKey, change: impl Fn(&mut End)) {
    let last: EndLine = serde_json::from_str(lines.last().unwrap()).unwrap();
    let mut end: End = serde_json::from_str(&last.end).unwrap();
    change(&mut end);
    let text = serde_json::to_string(&end).unwrap();
    let signature = BASE64.encode(by.sign(&signing_input(&text)));
    let last = EndLine { end: text, device_key: BASE64.encode(by.public()), signature };
    *lines.last_mut().unwrap() = serde_json::to_string(&last).unwrap();
}

/// Every record from `at` on hashed anew, as somebody without the key would who changed one body.
fn forged(lines: &mut [String], at: usize) {
    let mut previous: Option<[u8; 32]> = None;
    for line in &mut lines[at..14] {
        let mut record = record(line);
        let mut header = Header::decode(&unhex(&record.head)).unwrap();
        match previous {
            None => {
                record.body = record.body.map(|body| body.replace("held", "front"));
                let salt = unhex(record.salt.as_deref().unwrap()).try_into().unwrap();
                header.body_hash = body_hash(&salt, record.body.as_deref().unwrap().as_bytes());
            }
            Some(hash) => header.previous = Hash(hash),
        }
        let head = header.encode();
        previous = Some(header_hash(&head).0);
        (record.head, record.hash) = (hex(&head), header_hash(&head).to_string());
        *line = serde_json::to_string(&record).unwrap();
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

type Edit = Box<dyn Fn(&mut Vec<String>)>;

type Trick = (&'static str, Edit);

fn tricks() -> Vec<Trick> {
    let end = |lines: &[String]| lines.len() - 1;
    vec![
        ("a body is changed", Box::new(with(3, "held", "front"))),
        ("a body stands twice", Box::new(with(3, "\"body\":", "\"body\":\"{}\",\"body\":"))),
        ("a line says more than its record", Box::new(with(3, "\"body\":", "\"said\":\"{}\",\"body\":"))),
        ("a salt is changed", Box::new(with(3, "\"salt\":\"0", "\"salt\":\"1"))),
        ("a header is changed", Box::new(with(3, "\"head\":\"0001", "\"head\":\"0002"))),
        (
            "a hash is changed",
            Box::new(|lines| {
                let hash = record(&lines[3]).hash;
                lines[3] = lines[3].replacen(&hash, &hash.chars().rev().collect::<String>(), 1);
            }),
        ),
        ("a record is taken out", Box::new(|lines| drop(lines.remove(3)))),
        ("a record comes twice", Box::new(|lines| lines.insert(3, lines[3].clone()))),
        ("two records change places", Box::new(|lines| lines.swap(3, 4))),
        ("the last record is taken out", Box::new(move |lines| drop(lines.remove(end(lines) - 1)))),
        ("the signed line is taken out", Box::new(|lines| drop(lines.pop()))),
        (
            "the file ends in the middle",
            Box::new(|lines| {
                let half = lines.len() / 2;
                lines.truncate(half);
            }),
        ),
        ("something stands behind the signed line", Box::new(|lines| lines.push(lines[3].clone()))),
        (
            "a body is called erased",
            Box::new(|lines| {
                let RecordLine { hash, head, .. } = record(&lines[3]);
                lines[3] = format!(r#"{{"hash":"{hash}","head":"{head}","erased":true}}"#);
            }),
        ),
        (
            "the end says another time",
            Box::new(move |lines| {
                let last = end(lines);
                lines[last] = lines[last].replacen("1795312900000", "1795312900001", 1);
            }),
        ),
        ("the end is signed by another device", Box::new(|lines| signed_again(lines, &key(9), |_| ()))),
        (
            "head office's word is made up",
            Box::new(|lines| {
                signed_again(lines, &key(DEVICE[0]), |end| end.received[0].at_ms += 1);
            }),
        ),
        (
            "the till cuts its own tail off",
            Box::new(|lines| {
                let last = lines.pop().unwrap();
                lines.truncate(12);
                lines.push(last);
                let head = record(&lines[11]).hash.parse_hash();
                signed_again(lines, &key(DEVICE[0]), |end| {
                    end.streams.truncate(1);
                    (end.streams[0].seq, end.streams[0].head) = (12, head);
                    end.received.truncate(1);
                });
            }),
        ),
        (
            "the till writes its past anew",
            Box::new(|lines| {
                forged(lines, 3);
                let head = record(&lines[13]).hash.parse_hash();
                signed_again(lines, &key(DEVICE[0]), |end| end.streams[0].head = head);
            }),
        ),
        ("a stranger writes the past anew", Box::new(|lines| forged(lines, 3))),
        ("a line is no line", Box::new(|lines| lines[3] = "{}".to_owned())),
    ]
}

trait ParseHash {
    fn parse_hash(&self) -> Hash;
}

impl ParseHash for String {
    fn parse_hash(&self) -> Hash {
        Hash(unhex(self).try_into().unwrap())
    }
}

/// Tries each trick on an export that is good, and names all that a reader does not find.
fn each_is_found(tricks: &[Trick]) {
    let shop = shop();
    let whole = export(&shop, Part::default());
    let mut missed = Vec::new();
    for (name, trick) in tricks {
        let mut lines = whole.clone();
        trick(&mut lines);
        assert_ne!(lines, whole, "{name}");
        let text = joined(&lines);
        if ours(&text).is_good() {
            missed.push(format!("not found here: {name}"));
        }
        let (good, said) = theirs(shop.dir.path(), &text);
        if good || said.contains("Traceback") {
            missed.push(format!("not found by docs/verify.py: {name}: {said}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    println!("{} tricks, each found by both readers", tricks.len());
}

#[test]
fn every_trick_is_found_by_both_readers() {
    each_is_found(&tricks());
}

#[test]
fn without_the_last_line_feed_the_file_was_cut_off() {
    let shop = shop();
    let text = joined(&export(&shop, Part::default()));
    let cut = text.trim_end();
    assert!(!ours(cut).is_good());
    assert!(!theirs(shop.dir.path(), cut).0);
}

#[test]
fn a_journal_where_it_lies_is_held_against_the_fingerprints_that_were_named() {
    let shop = shop();
    let faults = |edge: Option<&EdgeStore>, known: &Known| -> Vec<&'static str> {
        let report = verify::journal(&shop.reader, edge, known, |_| ()).unwrap();
        report.faults.iter().map(|fault| fault.code).collect()
    };
    let edge = Some(&shop.edge);
    // Nobody can say whose journal it is while the device's key is not beside it.
    assert_eq!(faults(edge, &known()), ["device"]);
    let made = DeviceKey::load_or_create(&shop.dir.path().join("keys/device")).unwrap();
    assert_eq!(faults(edge, &known()), ["device"], "another one lies there");
    let right = Known { device: Some(made.fingerprint()), ..known() };
    assert_eq!(faults(edge, &right), [""; 0]);
    assert_eq!(faults(edge, &Known { root: Some(key(9).fingerprint()), ..right.clone() }), ["root"]);
    assert_eq!(faults(None, &right), ["root"], "without what head office said, nobody knows its root");
    assert_eq!(faults(None, &Known { root: None, ..right }), [""; 0]);
}

#[test]
fn the_other_reader_says_in_a_sentence_that_there_is_no_file() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("nowhere")] {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/verify.py");
        let ran = Command::new("python3").arg(script).arg(&path).output().expect("python3 is needed");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{said}");
        assert!(said.contains("cannot be read") && !said.contains("Traceback"), "{said}");
    }
}
