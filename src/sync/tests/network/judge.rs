//! What has to be so: read from the files that are left, by questions of its own.

use super::till::{SimTill, id, key};
use super::{COUPONS, Counts};
use crate::journal::{End, Reader};
use crate::keys::CloudKeys;
use crate::record::Epoch;
use crate::record::body::Body;
use crate::record::chain::Tip;
use crate::record::witness::{ReceivedHead, contradiction};
use rusqlite::{Connection, OpenFlags, params};
use std::collections::BTreeSet;
use std::path::Path;

fn open(cloud: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    Connection::open_with_flags(cloud.join("cloud.db"), flags).unwrap()
}

fn number(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// What the cloud has of an epoch: hashes in order, and how far they are judged.
fn copy_of(db: &Connection, till: usize, epoch: Epoch) -> (Vec<String>, i64) {
    let (terminal, name) = (id(till).to_string(), epoch.to_string());
    let key = params![terminal, name];
    let mut query =
        db.prepare("SELECT seq, hash FROM record WHERE terminal = ?1 AND epoch = ?2 ORDER BY seq").unwrap();
    let rows: Vec<(usize, String)> = query
        .query_map(key, |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
        .unwrap()
        .map(|row| row.map(|(seq, hash)| (usize::try_from(seq).unwrap(), hash)).unwrap())
        .collect();
    assert!(rows.iter().zip(1..).all(|((seq, _), due)| *seq == due), "a gap in {epoch} of {till}");
    let sql = "SELECT judged FROM stream WHERE terminal = ?1 AND epoch = ?2";
    let judged = db.query_row(sql, key, |row| row.get(0)).unwrap_or(0);
    (rows.into_iter().map(|(_, hash)| hash).collect(), judged)
}

fn hashes(reader: &Reader, epoch: Epoch) -> Vec<String> {
    let mut all = vec![];
    loop {
        let next = reader.raw(epoch, all.len() as u64 + 1, 5_000, usize::MAX).unwrap();
        if next.is_empty() {
            return all;
        }
        all.extend(next.iter().map(|raw| raw.hash.to_string()));
    }
}

/// Whatever happened: the cloud has nothing but a beginning of what each till wrote.
pub(super) fn prefixes(cloud: &Path, tills: &[SimTill]) {
    let db = open(cloud);
    for till in tills {
        let reader = Reader::open(&till.dir).unwrap();
        for end in reader.epochs().unwrap() {
            let (theirs, ours) = (copy_of(&db, till.number, end.epoch).0, hashes(&reader, end.epoch));
            assert!(
                ours.starts_with(&theirs),
                "the cloud's {} of till {} is no prefix",
                end.epoch,
                till.number
            );
        }
    }
    assert_eq!(
        number(&db, "SELECT count(*) FROM stream WHERE branch_of IS NOT NULL"),
        0,
        "a fork of nothing"
    );
}

/// When all is level again.
pub(super) fn judge(cloud: &Path, tills: &[SimTill], saw: &mut Counts) {
    prefixes(cloud, tills);
    let db = open(cloud);
    let keys = CloudKeys::load_or_create(&cloud.join("keys")).unwrap().key_set(0, 0, i64::MAX);
    let mut told: BTreeSet<(usize, String, u64, String)> = BTreeSet::new();
    for till in tills {
        let reader = Reader::open(&till.dir).unwrap();
        assert_eq!(key(till.number).public().len(), 32);
        for end in reader.epochs().unwrap() {
            let (epoch, Tip { seq, .. }) = (end.epoch, end.tip);
            *saw.entry("records").or_default() += seq;
            let (theirs, judged) = copy_of(&db, till.number, epoch);
            assert_eq!(theirs.len() as u64, seq, "{epoch} of till {} is not all there", till.number);
            assert_eq!(
                u64::try_from(judged).unwrap(),
                seq,
                "{epoch} of till {} is not ruled on",
                till.number
            );
            assert_eq!(till.edge.watermark(epoch).unwrap(), end.tip);
            assert_eq!(till.edge.attempts(epoch).unwrap(), [], "what was received has no attempts");
            let heads = till.edge.received_heads(epoch).unwrap();
            assert!(heads.iter().any(|head| head.seq == seq), "no signed head at the end of {epoch}");
            assert!(heads.iter().all(|head| head.verify(&id(till.number), epoch, &keys).is_ok()));
            let is_ours = |head: &ReceivedHead| {
                reader.holds(End { epoch, tip: Tip { seq: head.seq, head: head.head } })
            };
            assert_eq!(contradiction(end.tip.seq, &heads, is_ours).unwrap(), None);
            for record in reader.of_kind(epoch, 1, "noted").unwrap() {
                let Body::Noted { verdict } = record.body else { continue };
                told.insert((till.number, verdict.epoch.to_string(), verdict.seq, verdict.code));
            }
        }
    }
    let mut query = db.prepare("SELECT terminal, epoch, seq, code FROM verdict").unwrap();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let terminal: String = row.get(0).unwrap();
        let till = terminal.trim_start_matches("till-").parse().unwrap();
        let seq = u64::try_from(row.get::<_, i64>(2).unwrap()).unwrap();
        let verdict = (till, row.get::<_, String>(1).unwrap(), seq, row.get::<_, String>(3).unwrap());
        assert!(told.contains(&verdict), "a till was never told {verdict:?}");
        *saw.entry("verdicts").or_default() += 1;
    }
    effects(&db, tills);
}

/// Each effect exactly once, and the sums on both sides the same.
fn effects(db: &Connection, tills: &[SimTill]) {
    let count: u64 = tills.iter().map(|till| till.receipts.0).sum();
    let worth: i64 = tills.iter().map(|till| till.receipts.1).sum();
    assert_eq!(number(db, "SELECT count(*) FROM receipt"), i64::try_from(count).unwrap());
    assert_eq!(number(db, "SELECT coalesce(sum(total_minor), 0) FROM receipt"), worth);
    for coupon in 0..COUPONS {
        let takers = tills.iter().filter(|till| till.took(coupon)).count();
        assert!(takers <= tills.len());
    }
    let taken: BTreeSet<usize> = tills.iter().flat_map(|till| till.coupons.iter().copied()).collect();
    let takings: usize = tills.iter().map(|till| till.coupons.len()).sum();
    let came: BTreeSet<usize> = tills.iter().flat_map(|till| till.check_ins.iter().copied()).collect();
    let times: usize = tills.iter().map(|till| till.check_ins.len()).sum();
    let count = |code: &str| {
        let sql = "SELECT count(*) FROM verdict WHERE code = ?1";
        usize::try_from(db.query_row(sql, [code], |row| row.get::<_, i64>(0)).unwrap()).unwrap()
    };
    assert_eq!(number(db, "SELECT count(*) FROM coupon_redemption"), i64::try_from(taken.len()).unwrap());
    assert_eq!(count("coupon_redeemed"), taken.len(), "each coupon counts once");
    assert_eq!(count("coupon_already_used"), takings - taken.len(), "and every other taking is refused");
    assert_eq!(number(db, "SELECT count(*) FROM task"), i64::try_from(takings - taken.len()).unwrap());
    assert_eq!(number(db, "SELECT count(*) FROM check_in"), i64::try_from(came.len()).unwrap());
    assert_eq!(count("check_in_counted"), came.len(), "each member's visit counts once a day");
    assert_eq!(count("check_in_repeated"), times - came.len(), "and every other coming is known as that");
    assert_eq!(count("member_unknown") + count("member_code_wrong"), 0, "each code was the phone's");
    assert_eq!(count("parked") + count("receipt_gap") + count("receipt_twice") + count("fork"), 0);
}
