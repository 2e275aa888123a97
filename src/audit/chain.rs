//! Reads the journal: every record verified against itself and the one before it, and handed on.
//!
//! A record that does not hold is named once, and the chain is followed on from it: one wrong byte is one
//! finding and not a finding for each record after it.

use super::books::Books;
use super::file::File;
use super::mirror::{self, Kept, Mirror, Original};
use super::report::{Counts, Finding, Findings, Place};
use super::sealed::{self, Keys};
use super::{Error, code};
use crate::record::body::Parent;
use crate::record::chain::Broken;
use crate::record::header::HeaderError;
use crate::record::personal::may_be_erased;
use crate::record::{Body, Epoch, Hash, Header, Mode, Record, header_hash};
use std::collections::BTreeMap;

/// What the journal turned out to hold.
#[derive(Default)]
pub(super) struct Streams {
    /// Whose it is.
    pub(super) terminal: Option<String>,
    /// Where each epoch ends.
    pub(super) ends: BTreeMap<Epoch, (u64, Hash)>,
    /// How far the cloud has booked each.
    pub(super) booked: BTreeMap<Epoch, u64>,
    /// From which record on each epoch was read from the journal.
    pub(super) read_from: BTreeMap<Epoch, i64>,
    /// What records before those moved, by currency.
    pub(super) pruned: BTreeMap<String, i64>,
}

const EPOCHS: &str = "SELECT epoch, min(position) FROM record GROUP BY epoch ORDER BY 2";

const RECORDS: &str = "SELECT head, salt, body, hash, position, seq, kind, sale, wall_ms, training, receipt,
        serial, amount_minor, currency, sealed
    FROM record WHERE epoch = ?1 AND seq >= ?2 ORDER BY seq";

/// The same of a layout in which nothing is sealed.
const RECORDS_IN_THE_CLEAR: &str =
    "SELECT head, salt, body, hash, position, seq, kind, sale, wall_ms, training,
        receipt, serial, amount_minor, currency, 0
    FROM record WHERE epoch = ?1 AND seq >= ?2 ORDER BY seq";

/// The first record of an epoch that counts: the first from `kept_from` on, or the last before it.
const FIRST: &str = "SELECT coalesce(
        (SELECT CASE WHEN min(position) > ?2 AND min(seq) > 1 THEN NULL ELSE min(seq) END
            FROM record WHERE epoch = ?1 AND position >= ?2),
        (SELECT max(seq) FROM record WHERE epoch = ?1 AND position < ?2))";

/// What is read.
pub(super) struct Sources<'a> {
    pub(super) journal: &'a File,
    /// What opens its bodies; none where nothing is sealed.
    pub(super) keys: Option<&'a Keys>,
    pub(super) cloud: Option<&'a File>,
}

/// A row of the journal: the record, and the copies of its header in the columns.
struct Row {
    head: Vec<u8>,
    salt: [u8; 16],
    body: Vec<u8>,
    hash: Vec<u8>,
    position: i64,
    seq: i64,
    kind: String,
    sale: Option<Vec<u8>>,
    wall_ms: i64,
    training: i64,
    receipt: Option<i64>,
    serial: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
    sealed: bool,
}

/// Verifies the whole journal, holds it against the cloud's copy, and tells `books` what it says.
pub(super) fn read(
    sources: &Sources<'_>,
    books: &mut Books,
    findings: &mut Findings,
    counts: &mut Counts,
) -> Result<Streams, Error> {
    let Sources { journal, cloud, .. } = *sources;
    let kept_from = kept_from(journal)?;
    positions(journal, kept_from, findings)?;
    let mut epochs = vec![];
    journal.each(EPOCHS, [], |row| {
        epochs.push(row.get::<_, String>(0)?);
        Ok(())
    })?;
    let mut streams = Streams { terminal: terminal(journal)?, ..Streams::default() };
    counts.records_at_cloud = cloud.map(|_| 0);
    for text in epochs {
        let Ok(epoch) = text.parse::<Epoch>() else {
            findings.add(Finding::new(code::COLUMN, format!("{text:?} is not the name of an epoch.")));
            continue;
        };
        counts.epochs += 1;
        read_epoch(sources, (epoch, kept_from), &mut streams, books, findings, counts)?;
    }
    Ok(streams)
}

/// The position of the record from which on all are kept: those before it may be gone, and a state stands for them.
fn kept_from(journal: &File) -> Result<i64, Error> {
    let mut position = 1;
    if journal.has("brought_forward")? {
        journal.each("SELECT position FROM brought_forward", [], |row| {
            position = row.get(0)?;
            Ok(())
        })?;
    }
    Ok(position)
}

/// Positions go on without gaps from the first record that is kept.
fn positions(journal: &File, kept_from: i64, findings: &mut Findings) -> Result<(), Error> {
    let sql = "SELECT count(*), coalesce(min(position), ?1), coalesce(max(position), ?1 - 1) FROM record
        WHERE position >= ?1";
    journal.each(sql, [kept_from], |row| {
        let (count, first, last): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if first != kept_from || last - first + 1 != count {
            let words =
                format!("The journal holds {count} records at positions {first} to {last}: some are gone.");
            findings.add(Finding::new(code::POSITION, words));
        }
        Ok(())
    })
}

/// The till that the first legible header names.
fn terminal(journal: &File) -> Result<Option<String>, Error> {
    let read = || {
        let mut statement = journal.connection.prepare("SELECT head FROM record ORDER BY position")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Ok(header) = Header::decode(&row.get::<_, Vec<u8>>(0)?) {
                return Ok(Some(header.terminal.to_string()));
            }
        }
        Ok(None)
    };
    read().map_err(|source| journal.failed(source))
}

/// Reads one epoch: records that the journal keeps no longer from the cloud's copy, the others from the journal. Of what
/// lies before `kept_from` only the end of an epoch counts: the other rows there are what no state carries.
fn read_epoch(
    sources: &Sources<'_>,
    (epoch, kept_from): (Epoch, i64),
    streams: &mut Streams,
    books: &mut Books,
    findings: &mut Findings,
    counts: &mut Counts,
) -> Result<(), Error> {
    let Sources { journal, keys, cloud } = *sources;
    let name = epoch.to_string();
    let terminal = streams.terminal.clone().unwrap_or_default();
    let cloud_failed = |source| cloud.unwrap_or(journal).failed(source);
    let kept = cloud.map(|cloud| cloud.connection.prepare(mirror::SQL));
    let mut kept = kept.transpose().map_err(cloud_failed)?;
    let kept = kept.as_mut().map(|kept| kept.query([&terminal, &name]).and_then(Mirror::new));
    let mut mirror = kept.transpose().map_err(cloud_failed)?;

    let failed = |source| journal.failed(source);
    let mut statement =
        journal.connection.prepare(keys.map_or(RECORDS_IN_THE_CLEAR, |_| RECORDS)).map_err(failed)?;
    let first: Option<i64> =
        journal.connection.query_row(FIRST, (&name, kept_from), |row| row.get(0)).map_err(failed)?;
    let first = first.unwrap_or(1);
    streams.read_from.insert(epoch, first);
    let mut rows = statement.query((&name, first)).map_err(failed)?;
    let mut walk = Walk {
        journal,
        epoch,
        terminal: &terminal,
        seq: 0,
        head: Hash::NONE,
        position: i64::MIN,
        unknown: false,
    };
    if let Some(mirror) = &mut mirror {
        while let Some(kept) = mirror.before(first).map_err(cloud_failed)? {
            counts.records_pruned += 1;
            let Some(row) = Row::pruned(kept) else { continue };
            if let (Some(minor), Some(code)) = (row.moved(), row.currency.clone()) {
                let sum = streams.pruned.entry(code).or_default();
                *sum = sum.saturating_add(minor);
            }
            if let Some((header, body)) = walk.step(row, streams, findings)? {
                books.take(&header, body, findings);
            }
        }
    } else if first > 1 {
        let words = format!(
            "Records before {first} of epoch {epoch} are not kept by this till any more: name the cloud's database, which has them."
        );
        findings.add(Finding::new(code::PRUNED, words));
        walk.begin_at(first);
    }
    while let Some(row) = rows.next().map_err(failed)? {
        let row = Row::read(row).map_err(failed)?.unsealed(keys);
        counts.records += 1;
        if let Some(mirror) = &mut mirror {
            mirror.compare(&row.original()).map_err(cloud_failed)?;
        }
        if let Some((header, body)) = walk.step(row, streams, findings)? {
            books.take(&header, body, findings);
        }
    }
    streams.ends.insert(epoch, (walk.seq, walk.head));

    if let (Some(cloud), Some(mirror)) = (cloud, &mut mirror) {
        mirror.close(epoch, findings).map_err(|source| cloud.failed(source))?;
        counts.records_at_cloud = counts.records_at_cloud.map(|count| count + mirror.identical);
        counts.stops_to_send += mirror.waiting;
        let booked = mirror::watermark(cloud, &terminal, epoch, mirror.last.as_ref(), findings)?;
        streams.booked.insert(epoch, booked);
    }
    Ok(())
}

/// One epoch's chain, as far as it was followed.
struct Walk<'a> {
    journal: &'a File,
    epoch: Epoch,
    terminal: &'a str,
    seq: u64,
    head: Hash,
    position: i64,
    /// What the next record names as the one before cannot be compared.
    unknown: bool,
}

impl Walk<'_> {
    /// Nothing is known of what is before this record.
    fn begin_at(&mut self, seq: i64) {
        self.seq = u64::try_from(seq - 1).unwrap_or(0);
        self.unknown = true;
    }

    /// Verifies the next record and gives what it says, where that can be believed.
    fn step(
        &mut self,
        row: Row,
        streams: &Streams,
        findings: &mut Findings,
    ) -> Result<Option<(Header, Body)>, Error> {
        let stored = u64::try_from(row.seq).unwrap_or(0);
        let place = Place { epoch: self.epoch, seq: stored };
        let mut add = |code, words: String| findings.add(Finding::new(code, words).at(place));
        let hash = header_hash(&row.head);
        if hash.0 != *row.hash {
            add(code::HASH, format!("The hash beside record {stored} is not the hash of its header."));
        }
        if row.position <= self.position {
            add(code::POSITION, format!("Record {stored} was written before the record that it follows."));
        }
        self.position = row.position;
        let header = match Header::decode(&row.head) {
            Ok(header) => header,
            Err(HeaderError::Newer(found)) => {
                let path = self.journal.path().to_owned();
                return Err(Error::NewerRecord { path, seq: stored, found });
            }
            Err(error) => {
                add(code::HEADER, format!("The header of record {stored} cannot be read: {error}."));
                (self.seq, self.head) = (stored, hash);
                return Ok(None);
            }
        };
        for column in row.differing(&header) {
            add(code::COLUMN, format!("Record {stored}: the column {column} is not what its header says."));
        }
        self.follow(&header, &mut add);
        (self.seq, self.head, self.unknown) = (header.seq, hash, false);
        match row.record() {
            Ok(record) => {
                self.begin(&record, streams, &mut add);
                if let Body::Unreadable { kind_name } = &record.body {
                    let words = format!(
                        "Record {stored} of the kind {kind_name:?} says nothing that this Till can read."
                    );
                    add(code::UNREADABLE, words);
                }
                Ok(Some((record.header, record.body)))
            }
            Err(Broken::BodyHash { .. }) => {
                add(code::BODY, format!("The body of record {stored} is not the one that its header names."));
                Ok(None)
            }
            Err(error) => {
                add(code::HEADER, format!("Record {stored} cannot be read: {error}."));
                Ok(None)
            }
        }
    }

    /// Whether this header is the next one of the chain.
    fn follow(&self, header: &Header, add: &mut impl FnMut(&'static str, String)) {
        let seq = header.seq;
        if header.epoch != self.epoch || header.terminal.as_str() != self.terminal {
            add(
                code::STRANGER,
                format!("Record {seq} is of {} and epoch {}.", header.terminal, header.epoch),
            );
        }
        if seq != self.seq + 1 {
            add(code::SEQUENCE, format!("Record {seq} stands where record {} is due.", self.seq + 1));
        } else if header.previous != self.head && !self.unknown {
            add(code::LINK, format!("Record {seq} does not follow from the record before it."));
        }
    }

    /// An epoch begins with its genesis, and one that names its parent goes on where that ended.
    fn begin(&self, record: &Record, streams: &Streams, add: &mut impl FnMut(&'static str, String)) {
        let seq = record.header.seq;
        let Body::Genesis { parent, .. } = &record.body else {
            if seq == 1 {
                let kind = &record.header.kind;
                add(
                    code::GENESIS,
                    format!("Epoch {} begins with {kind} and without its genesis.", self.epoch),
                );
            }
            return;
        };
        if seq != 1 {
            add(code::GENESIS, format!("Record {seq} begins an epoch in the middle of another."));
        }
        let Some(Parent { epoch, seq, head }) = parent else { return };
        if streams.ends.get(epoch).is_some_and(|end| *end != (*seq, *head)) {
            let words =
                format!("Epoch {} goes on from record {seq} of {epoch}, which ends elsewhere.", self.epoch);
            add(code::GENESIS, words);
        }
    }
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            head: row.get(0)?,
            salt: row.get(1)?,
            body: row.get(2)?,
            hash: row.get(3)?,
            position: row.get(4)?,
            seq: row.get(5)?,
            kind: row.get(6)?,
            sale: row.get(7)?,
            wall_ms: row.get(8)?,
            training: row.get(9)?,
            receipt: row.get(10)?,
            serial: row.get(11)?,
            amount: row.get(12)?,
            currency: row.get(13)?,
            sealed: row.get(14)?,
        })
    }

    /// A record that only the cloud has: its header is all that the columns could say. None where that cannot be read.
    fn pruned(kept: Kept) -> Option<Self> {
        let Kept { seq, head, salt, body, .. } = kept;
        let header = Header::decode(&head).ok()?;
        Some(Self {
            salt: salt.try_into().ok()?,
            hash: header_hash(&head).0.to_vec(),
            // All of them were written before the first that the journal keeps.
            position: seq - i64::MAX,
            seq,
            sale: header.sale.map(|sale| sale.0.to_vec()),
            wall_ms: header.moment.wall_ms,
            training: i64::from(header.mode == Mode::Training),
            receipt: header.receipt.and_then(|number| i64::try_from(number).ok()),
            serial: header.serial,
            amount: header.amount.map(|amount| amount.minor),
            currency: header.amount.map(|amount| amount.currency.code().to_owned()),
            sealed: body.is_empty(),
            kind: header.kind,
            head,
            body,
        })
    }

    /// What it adds to the money that wallets moved.
    fn moved(&self) -> Option<i64> {
        match self.kind.as_str() {
            _ if self.training == 1 => None,
            "approved" | "paid_late" => self.amount,
            "refunded" => self.amount.map(|minor| -minor),
            _ => None,
        }
    }

    /// With its body as it was written: of no bytes where it was erased, and as it lies there where it does not open.
    fn unsealed(mut self, keys: Option<&Keys>) -> Self {
        let Some(keys) = keys.filter(|_| self.sealed) else { return self };
        match keys.open(&header_hash(&self.head).0, &self.body) {
            sealed::Body::Whole(salt, body) => (self.salt, self.body) = (salt, body),
            sealed::Body::Erased => (self.salt, self.body) = ([0; 16], vec![]),
            sealed::Body::Shut => {}
        }
        self
    }

    fn record(self) -> Result<Record, Broken> {
        let erased = self.sealed && self.body.is_empty() && may_be_erased(&self.kind);
        if erased { Record::erased(self.head) } else { Record::open(self.head, self.salt, self.body) }
    }

    fn original(&self) -> Original<'_> {
        let (head, salt, body) = (&self.head, &self.salt, &self.body);
        Original { seq: self.seq, hash: header_hash(head), kind: &self.kind, head, salt, body }
    }

    /// The columns that are not what the header says.
    fn differing(&self, header: &Header) -> Vec<&'static str> {
        let same = [
            ("seq", u64::try_from(self.seq) == Ok(header.seq)),
            ("kind", self.kind == header.kind),
            ("sale", self.sale.as_deref() == header.sale.as_ref().map(|sale| &sale.0[..])),
            ("wall_ms", self.wall_ms == header.moment.wall_ms),
            ("training", (self.training == 1) == (header.mode == Mode::Training)),
            ("receipt", self.receipt.and_then(|number| u64::try_from(number).ok()) == header.receipt),
            ("serial", self.serial == header.serial),
            ("amount_minor", self.amount == header.amount.map(|amount| amount.minor)),
            ("currency", self.currency.as_deref() == header.amount.map(|amount| amount.currency.code())),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(column, _)| column).collect()
    }
}
