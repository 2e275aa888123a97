//! What lies in a state directory, with and without its keys.

use crate::journal::sample::{Pen, sale};
use crate::journal::{Error, Journal, Reader, migrations, settings};
use crate::record::{Body, Epoch, Record};
use std::fs;
use std::path::Path;

const MEMBER: &str = "GEZDGNBVGY3TQOJQ";
const BUYER: &str = "158****1562";

fn recognised(pen: &mut Pen, of: u64) -> Record {
    let json = format!(
        r#"{{"kind":"member_recognised","member":"{MEMBER}","source":"code","code_proof":"12345678"}}"#
    );
    pen.write(&json, |header| header.sale = Some(sale(of)))
}

fn approved(pen: &mut Pen, of: u64) -> Record {
    let money = r#"{"minor":1280,"currency":"CNY"}"#;
    let json = format!(
        r#"{{"kind":"approved","intent":"11111111111111111111111111111111","settled":{{"trade":"2026112222001",
        "total":{money},"received":{money},"buyer_paid":{money},"invoice":{money},
        "merchant_funded":{{"minor":0,"currency":"CNY"}},"platform_funded":{{"minor":0,"currency":"CNY"}},
        "buyer":"{BUYER}"}}}}"#
    );
    pen.write(&json, |header| header.sale = Some(sale(of)))
}

fn forgotten(pen: &mut Pen) -> Record {
    pen.write(&format!(r#"{{"kind":"member_forgotten","member":"{MEMBER}"}}"#), |_| ())
}

fn loaded(journal: &Journal) -> Vec<Record> {
    journal.load_whole().unwrap().tail.map(Result::unwrap).collect()
}

/// Every file of a directory that has these words in it.
fn holding(dir: &Path, words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, words));
        } else if fs::read(&path).unwrap().windows(words.len()).any(|part| part == words.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn no_body_lies_in_the_clear_and_every_one_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(1);
    let records = [pen.genesis(), recognised(&mut pen, 1), approved(&mut pen, 1)];
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&records).unwrap();
    journal.save_snapshot(Epoch(1), pen.end().tip, format!("{MEMBER} was here").into_bytes()).unwrap();
    for words in [MEMBER, "12345678", BUYER, "2026112222001", "time_zone", "was here"] {
        assert_eq!(holding(dir.path(), words), [""; 0], "{words}");
    }
    assert_eq!(loaded(&journal), records);
    assert_eq!(journal.load().unwrap().snapshot.unwrap().bytes, format!("{MEMBER} was here").into_bytes());
    drop(journal);
    assert_eq!(loaded(&Journal::open(dir.path()).unwrap()), records);
}

#[test]
fn without_its_key_a_journal_is_refused_with_a_sentence_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(1);
    let records = pen.many(3);
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&records).unwrap();
    journal.close().unwrap();
    let (key, away) = (dir.path().join("keys/seal"), dir.path().join("away"));
    fs::rename(&key, &away).unwrap();
    let before = fs::read(dir.path().join("journal.db")).unwrap();

    let error = Journal::open(dir.path()).unwrap_err();
    assert!(matches!(error, Error::NoSeal { .. }) && error.is_permanent(), "{error}");
    assert!(!key.exists(), "no new key is made for what another one has sealed");
    let reader = Reader::open(dir.path()).unwrap();
    assert!(!reader.opens_bodies());
    assert_eq!(reader.rows(Epoch(1), 1, 9).unwrap().len(), 4, "headers are read without it");
    assert!(matches!(reader.raw(Epoch(1), 1, 9, 9999).unwrap_err(), Error::NoSeal { .. }));

    crate::keys::Seal::load_or_create(&key).unwrap();
    let error = Journal::open(dir.path()).unwrap_err();
    assert!(matches!(error, Error::OtherSeal { .. }) && error.to_string().contains("put the right one back"));
    assert!(matches!(Reader::open(dir.path()).unwrap_err(), Error::OtherSeal { .. }));
    assert_eq!(fs::read(dir.path().join("journal.db")).unwrap(), before, "byte for byte");

    fs::rename(&away, &key).unwrap();
    assert_eq!(loaded(&Journal::open(dir.path()).unwrap()), records);
}

#[test]
fn who_is_forgotten_cannot_be_read_and_the_rest_can() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(1);
    let mut records = vec![pen.genesis(), recognised(&mut pen, 1), approved(&mut pen, 1)];
    records.push(pen.receipt(sale(1), 1, 1280));
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&records).unwrap();
    let reader = journal.reader().unwrap();
    let before = records.len();
    records.push(forgotten(&mut pen));
    // Who pays while head office is away is forgotten with the rest.
    records.push(approved(&mut pen, 1));
    journal.append(&records[before..]).unwrap();
    assert!(journal.owes_forgetting().unwrap());
    assert_eq!(journal.forget(|_, seq| seq <= 5).unwrap(), 0, "record 6 is not received yet");
    assert_eq!(loaded(&journal), records, "until then everything can still be sent");

    assert_eq!(journal.forget(|epoch, seq| epoch == Epoch(1) && seq <= 6).unwrap(), 1);
    assert!(!journal.owes_forgetting().unwrap());
    let erased = |record: &Record| matches!(record.body, Body::Erased { .. });
    let seqs = |records: &[Record]| {
        records.iter().filter(|record| erased(record)).map(|record| record.header.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(&loaded(&journal)), [2, 3, 5, 6]);
    assert_eq!(seqs(&reader.records(Epoch(1), 1, 99, usize::MAX).unwrap()), [2, 3, 5, 6]);
    assert_eq!(loaded(&journal)[3], records[3], "the receipt stays");

    // What is still written of that sale says nothing either, once it is received.
    let late = approved(&mut pen, 1);
    journal.append(&[late]).unwrap();
    assert_eq!(journal.forget(|_, seq| seq <= 7).unwrap(), 1);
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(seqs(&loaded(&journal)), [2, 3, 5, 6, 7]);
    assert_eq!(journal.end().unwrap().unwrap(), pen.end());
}

#[test]
fn a_journal_of_an_older_till_is_sealed_at_its_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let mut pen = Pen::new(1);
    let records =
        [pen.genesis(), recognised(&mut pen, 1), approved(&mut pen, 1), pen.receipt(sale(1), 1, 1280)];
    {
        let old = migrations::Schema {
            application_id: migrations::JOURNAL.application_id,
            migrations: &migrations::JOURNAL.migrations[..1],
        };
        let mut connection = settings::open_to_write(&path).unwrap();
        settings::make_durable(&connection, &path).unwrap();
        old.migrate(&mut connection, &path, &dir.path().join("backups")).unwrap();
        for (position, record) in (1_i64..).zip(&records) {
            let header = &record.header;
            let sql = "INSERT INTO record (position, epoch, seq, kind, sale, wall_ms, training, receipt,
                amount_minor, currency, hash, salt, head, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
            let values = rusqlite::params![
                position,
                header.epoch.to_string(),
                position,
                header.kind,
                header.sale.map(|sale| sale.0),
                header.moment.wall_ms,
                header.receipt.map(|number| i64::try_from(number).unwrap()),
                header.amount.map(|amount| amount.minor),
                header.amount.map(|amount| amount.currency.code()),
                record.hash.0,
                record.salt,
                record.head,
                record.bytes,
            ];
            connection.execute(sql, values).unwrap();
        }
    }
    let mut journal = Journal::open(dir.path()).unwrap();
    assert_eq!(loaded(&journal), records);
    let copy = dir.path().join("backups/journal.db.1").display().to_string();
    assert_eq!(holding(dir.path(), MEMBER), [copy.as_str()], "only the copy from before is in the clear");
    assert_eq!(holding(dir.path(), BUYER), [copy.as_str()]);
    journal.append(&[forgotten(&mut pen)]).unwrap();
    journal.forget(|_, _| true).unwrap();
    let gone = loaded(&journal).iter().filter(|record| matches!(record.body, Body::Erased { .. })).count();
    assert_eq!(gone, 3, "what was sealed late is forgotten as well");
}

/// Numbers of the records that nobody can read.
fn unreadable(journal: &Journal) -> Vec<u64> {
    let lost = |record: &Record| matches!(record.body, Body::Unreadable { .. });
    loaded(journal).iter().filter(|record| lost(record)).map(|record| record.header.seq).collect()
}

#[test]
fn a_damaged_key_of_a_member_stops_neither_the_next_sale_nor_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(1);
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&[pen.genesis(), recognised(&mut pen, 1), approved(&mut pen, 1)]).unwrap();
    let keys = dir.path().join("keys/members");
    let mut bytes = fs::read(&keys).unwrap();
    bytes[128 + 60] ^= 1;
    fs::write(&keys, bytes).unwrap();

    journal.append(&[approved(&mut pen, 1)]).unwrap();
    let next = [recognised(&mut pen, 2), approved(&mut pen, 2)];
    journal.append(&next).unwrap();
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(unreadable(&journal), [2, 3], "what lay under that key, and nothing after it");
    assert_eq!(loaded(&journal)[4..], next);
    let raw = journal.reader().unwrap().raw(Epoch(1), 1, 9, 9999).unwrap();
    assert_eq!(raw.len(), 6, "the upload goes on");
    assert_eq!(journal.end().unwrap().unwrap(), pen.end());
}

#[test]
fn without_the_keys_of_members_a_journal_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(1);
    let records = [pen.genesis(), recognised(&mut pen, 1), approved(&mut pen, 1), pen.moved(sale(2))];
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&records).unwrap();
    journal.close().unwrap();
    let (keys, away) = (dir.path().join("keys/members"), dir.path().join("away"));
    fs::rename(&keys, &away).unwrap();

    let error = Journal::open(dir.path()).unwrap_err();
    assert!(
        matches!(error, Error::NoMembers { .. }) && error.is_permanent() && !error.is_damage(),
        "{error}"
    );
    assert!(error.to_string().contains("put keys/members back"), "{error}");
    let unread = Reader::open(dir.path()).unwrap().raw(Epoch(1), 1, 9, 9999).unwrap_err();
    assert!(matches!(unread, Error::NoMembers { .. }), "it does not go up as erased: {unread}");
    assert!(!keys.exists(), "no new file takes its place");

    fs::write(&keys, "").unwrap();
    let given_up = loaded(&Journal::open(dir.path()).unwrap());
    assert_eq!(given_up.iter().filter(|record| matches!(record.body, Body::Erased { .. })).count(), 2);
    fs::rename(&away, &keys).unwrap();
    assert_eq!(loaded(&Journal::open(dir.path()).unwrap()), records);
}

#[test]
fn no_room_for_a_members_key_is_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(1);
    let mut journal = Journal::open(dir.path()).unwrap();
    journal.append(&[pen.genesis()]).unwrap();
    let keys = dir.path().join("keys/members");
    std::os::unix::fs::symlink("/dev/full", &keys).unwrap();
    let record = recognised(&mut pen, 1);
    let error = journal.append(std::slice::from_ref(&record)).unwrap_err();
    assert!(error.is_disk_full() && !error.is_permanent(), "{error}");
    fs::remove_file(&keys).unwrap();
    journal.append(std::slice::from_ref(&record)).unwrap();
    assert_eq!(loaded(&journal)[1], record);
}
