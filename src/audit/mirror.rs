//! The cloud's copy of one epoch, read side by side with the journal: every record byte for byte.
//!
//! Both sides come in the order of their numbers, so that neither is held in memory.

use super::code;
use super::file::File;
use super::report::{Finding, Findings, Place};
use crate::record::personal::may_be_erased;
use crate::record::{Epoch, Hash};
use rusqlite::Rows;

/// The statement that a [`Mirror`] reads from: the till's name, then the epoch.
pub(super) const SQL: &str = "SELECT seq, hash, head, salt, body FROM record
    WHERE terminal = ?1 AND epoch = ?2 ORDER BY seq";

/// A record as the cloud keeps it.
pub(super) struct Kept {
    pub(super) seq: i64,
    hash: String,
    pub(super) head: Vec<u8>,
    pub(super) salt: Vec<u8>,
    pub(super) body: Vec<u8>,
}

/// A record as the journal keeps it.
pub(super) struct Original<'a> {
    pub(super) seq: i64,
    pub(super) hash: Hash,
    pub(super) kind: &'a str,
    pub(super) head: &'a [u8],
    pub(super) salt: &'a [u8],
    pub(super) body: &'a [u8],
}

/// Numbers in a row, first and last of each.
#[derive(Default)]
struct Spans(Vec<(i64, i64)>);

impl Spans {
    fn push(&mut self, seq: i64) {
        match self.0.last_mut() {
            Some((_, last)) if *last + 1 == seq => *last = seq,
            Some(_) | None => self.0.push((seq, seq)),
        }
    }
}

/// Compares one epoch.
pub(super) struct Mirror<'s> {
    rows: Rows<'s>,
    next: Option<Kept>,
    missing: Spans,
    differing: Spans,
    alone: Spans,
    /// The last number of the journal, and whether that record is the mark of a clean stop.
    end: (i64, bool),
    /// Records that are the same on both sides.
    pub(super) identical: u64,
    /// Marks of a clean stop that have yet to go up.
    pub(super) waiting: u64,
    /// The last record that the cloud has.
    pub(super) last: Option<(i64, String)>,
}

impl<'s> Mirror<'s> {
    pub(super) fn new(rows: Rows<'s>) -> rusqlite::Result<Self> {
        let mut mirror = Self {
            rows,
            next: None,
            missing: Spans::default(),
            differing: Spans::default(),
            alone: Spans::default(),
            end: (0, false),
            identical: 0,
            waiting: 0,
            last: None,
        };
        mirror.advance()?;
        Ok(mirror)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        self.next = match self.rows.next()? {
            Some(row) => Some(Kept {
                seq: row.get(0)?,
                hash: row.get(1)?,
                head: row.get(2)?,
                salt: row.get(3)?,
                body: row.get(4)?,
            }),
            None => None,
        };
        if let Some(next) = &self.next {
            self.last = Some((next.seq, next.hash.clone()));
        }
        Ok(())
    }

    /// The next record before `seq`, which the journal keeps no longer: it is the cloud's word alone.
    pub(super) fn before(&mut self, seq: i64) -> rusqlite::Result<Option<Kept>> {
        let Some(kept) = self.next.take_if(|next| next.seq < seq) else { return Ok(None) };
        self.advance()?;
        Ok(Some(kept))
    }

    /// Holds the journal's next record against the cloud's.
    pub(super) fn compare(&mut self, original: &Original<'_>) -> rusqlite::Result<()> {
        self.end = (original.seq, original.kind == "stopped");
        while let Some(seq) = self.next.as_ref().map(|next| next.seq).filter(|seq| *seq < original.seq) {
            self.alone.push(seq);
            self.advance()?;
        }
        let Some(kept) = self.next.as_ref().filter(|next| next.seq == original.seq) else {
            self.missing.push(original.seq);
            return Ok(());
        };
        // What speaks of a member is erased at each side when its time has come; the headers say the same.
        let erased = (original.body.is_empty() || kept.body.is_empty()) && may_be_erased(original.kind);
        let same = kept.hash == original.hash.to_string()
            && kept.head == original.head
            && (erased || (kept.salt == original.salt && kept.body == original.body));
        if same {
            self.identical += 1;
        } else {
            self.differing.push(original.seq);
        }
        self.advance()
    }

    /// Says what did not match, after the journal's last record.
    pub(super) fn close(&mut self, epoch: Epoch, findings: &mut Findings) -> rusqlite::Result<()> {
        while let Some(seq) = self.next.as_ref().map(|next| next.seq) {
            self.alone.push(seq);
            self.advance()?;
        }
        // The mark of a clean stop is written when nothing is sent any more. It goes up at the next start.
        if let ((end, true), Some(last)) = (self.end, self.missing.0.last().copied())
            && last == (end, end)
        {
            self.missing.0.pop();
            self.waiting += 1;
        }
        let sides = [
            (
                code::RECORD_NOT_AT_CLOUD,
                &self.missing,
                "not at the cloud: start the till while the network is up",
            ),
            (code::RECORD_DIFFERS, &self.differing, "at the cloud with other contents than in the journal"),
            (code::RECORD_ONLY_AT_CLOUD, &self.alone, "at the cloud and not in this journal"),
        ];
        for (code, spans, words) in sides {
            for (first, last) in &spans.0 {
                let which = match first == last {
                    true => format!("Record {first} of epoch {epoch} is"),
                    false => format!("Records {first} to {last} of epoch {epoch} are"),
                };
                let seq = u64::try_from(*first).unwrap_or(0);
                findings.add(Finding::new(code, format!("{which} {words}.")).at(Place { epoch, seq }));
            }
        }
        Ok(())
    }
}

/// The cloud's watermark of one epoch against the last record that it has, and how far it has booked.
pub(super) fn watermark(
    cloud: &File,
    terminal: &str,
    epoch: Epoch,
    last: Option<&(i64, String)>,
    findings: &mut Findings,
) -> Result<u64, super::Error> {
    let mut stream: Option<(i64, String, i64)> = None;
    let sql = "SELECT high, head, judged FROM stream WHERE terminal = ?1 AND epoch = ?2";
    cloud.each(sql, [terminal, &epoch.to_string()], |row| {
        stream = Some((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(())
    })?;
    let mark = stream.as_ref().map(|(high, head, _)| (*high, head.clone()));
    if mark.as_ref() != last {
        let says = mark.map_or("nothing".to_owned(), |(high, _)| format!("record {high}"));
        let has = last.map_or("nothing".to_owned(), |(seq, _)| format!("record {seq}"));
        let words =
            format!("The cloud's watermark of epoch {epoch} is at {says}, its records end with {has}.");
        findings.add(Finding::new(code::WATERMARK, words));
    }
    let (high, booked) = stream.map_or((0, 0), |(high, _, judged)| (high, judged));
    if booked < high {
        let words = format!(
            "The cloud has {high} records of epoch {epoch} and has booked {booked} of them: let it run on."
        );
        findings.add(Finding::new(code::NOT_BOOKED, words));
    }
    Ok(u64::try_from(booked).unwrap_or(0))
}
