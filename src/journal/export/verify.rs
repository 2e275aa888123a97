//! Reads a journal that somebody hands over and says what of it can be believed, and what cannot.
//!
//! The same checks for an exported file and for the journal where it lies. **Invariant:** what cannot be checked is
//! said, never passed over. Not here: repairing anything.

mod columns;
mod lines;
mod witness;

use super::{EndLine, Received, RecordLine, Stream, Trust};
use crate::journal::edge::EdgeStore;
use crate::journal::{Error, Reader};
use crate::record::chain::Tip;
use crate::record::epochs::Left;
use crate::record::ids::{TerminalId, unhex};
use crate::record::personal::may_be_erased;
use crate::record::{Body, Epoch, Hash, Header, body_hash, header_hash};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
pub use columns::Columns;
use lines::Line;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead};

/// Faults that are told one by one; of more the number is told. A file with that many is not read line by line.
pub const FAULTS_MAX: usize = 100;

/// Records without a body that are named one by one: more than a shop's members have in years.
pub const ERASED_MAX: usize = 100_000;

/// Whom the reader knows from elsewhere, by fingerprint.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// The till's device key.
    pub device: Option<String>,
    /// Head office's root.
    pub root: Option<String>,
}

/// Something that does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// A stable word.
    pub code: &'static str,
    /// A sentence.
    pub words: String,
    /// The line of the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// In which stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// At which record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// What was checked, and what of it does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// Whose journal it is.
    pub terminal: Option<TerminalId>,
    /// The streams, in order.
    pub streams: Vec<Stream>,
    /// Records read.
    pub records: u64,
    /// Bodies that are the ones that were hashed.
    pub bodies: u64,
    /// Bodies that were erased because a member asked to be forgotten.
    pub erased: u64,
    /// In which records, by epoch; the first [`ERASED_MAX`] of them.
    pub erased_in: BTreeMap<String, Vec<u64>>,
    /// Bodies that lie sealed and could not be opened here.
    pub shut: u64,
    /// The fingerprint of the device key that signed the file's end.
    pub device: Option<String>,
    /// The fingerprint of the root that vouches for head office's keys.
    pub root: Option<String>,
    /// Heads that head office has signed and that are in the journal.
    pub witnessed: u64,
    /// Heads whose key is not among the keys at hand: nothing is known of them.
    pub unknown_heads: u64,
    /// The last of them in each stream: number, and when, by head office's clock in Unix milliseconds.
    pub witnessed_to: BTreeMap<String, (u64, i64)>,
    /// What does not hold; the first of it.
    pub faults: Vec<Fault>,
    /// How many faults there are in all.
    pub faults_in_all: u64,
}

impl Report {
    /// Whether everything that could be checked holds.
    pub fn is_good(&self) -> bool {
        self.faults_in_all == 0
    }
}

/// Reads an exported file.
///
/// # Errors
/// When the file cannot be read; what is wrong with it is in the report.
pub fn file(mut from: impl BufRead, known: &Known, mut progress: impl FnMut(u64)) -> io::Result<Report> {
    let mut walk = Walk::default();
    let mut end: Option<EndLine> = None;
    let mut number = 0_u64;
    while let Some((line, is_whole)) = lines::next(&mut from)? {
        number += 1;
        walk.line = Some(number);
        if end.take().is_some() {
            walk.fault("after_the_end", "There is something behind the line that the device signed.");
        }
        if !is_whole {
            walk.fault("cut", "The last line is not whole: the file was cut off.");
        }
        match line {
            Line::Record(line) => walk.line(&line),
            Line::End(last) => end = Some(last),
            Line::Neither => walk.fault("line", "This line is neither a record nor the end."),
            Line::Long => walk.fault("long", "This line is longer than any record may be."),
        }
        if number.is_multiple_of(500) {
            progress(walk.report.records);
        }
    }
    walk.line = None;
    match end {
        Some(end) => walk.end(&end, known),
        None => walk.fault("no_end", "The line that the device signs is missing: the file was cut off."),
    }
    Ok(walk.report)
}

/// Checks a journal where it lies, with what head office has signed of it.
///
/// # Errors
/// [`Error`] when it cannot be read at all.
pub fn journal(
    reader: &Reader,
    edge: Option<&EdgeStore>,
    known: &Known,
    progress: impl FnMut(u64),
) -> Result<Report, Error> {
    let mut walk = Walk::default();
    match reader.quick_check() {
        Err(Error::Damaged { words, .. }) => {
            walk.fault("damaged", format!("The file is damaged, whatever its records say: {words}."));
        }
        checked => checked?,
    }
    match walk.books(reader, progress) {
        Err(error) if error.is_damage() && !walk.report.is_good() => {
            walk.fault("unread", format!("What is behind the damage could not be read: {error}."));
        }
        walked => walked?,
    }
    walk.lies_beside(&reader.path.with_file_name("keys").join("device"), known);
    if let Some(edge) = edge {
        let trust = edge.paired()?.and_then(|bytes| serde_json::from_slice::<Trust>(&bytes).ok());
        let mut received = Vec::new();
        for epoch in edge.received_epochs()? {
            received.extend(edge.received_heads(epoch)?.iter().map(|head| Received::of(epoch, head)));
        }
        walk.witnesses(trust.as_ref(), &received, known);
    } else if known.root.is_some() {
        walk.fault(
            "root",
            "The root that was named could not be compared: edge.db, which knows head office's, is not here.",
        );
    }
    Ok(walk.report)
}

/// A row of a journal as it lies: its body may be shut, or not be the one that was sealed.
pub struct Row {
    /// Its number by the column that found it.
    pub seq: u64,
    /// What lists go by; a file has none.
    pub columns: Option<Columns>,
    /// Its hash by the column beside it.
    pub hash: Hash,
    /// Its header's bytes.
    pub head: Vec<u8>,
    /// Its body.
    pub body: RowBody,
}

/// A body as it lies.
pub enum RowBody {
    /// Salt and bytes.
    Whole([u8; 16], Vec<u8>),
    /// Erased.
    Erased,
    /// Sealed, and the key is not here.
    Shut,
    /// Sealed, and changed since.
    Changed,
}

/// The chain, as far as it was followed.
#[derive(Default)]
struct Walk {
    report: Report,
    line: Option<u64>,
    place: Option<(Epoch, u64)>,
    tip: Option<Tip>,
    /// Hashes at numbers that head office may have signed are looked up at the end.
    hashes: BTreeMap<(Epoch, u64), Hash>,
    /// Where the row before lies.
    position: Option<i64>,
    /// What an epoch's successor says of how it was left.
    left: BTreeMap<Epoch, String>,
    /// The highest record of each epoch that head office has and that is not here.
    missing: BTreeMap<Epoch, u64>,
}

impl Walk {
    /// Every record where it lies, epoch after epoch.
    fn books(&mut self, reader: &Reader, mut progress: impl FnMut(u64)) -> Result<(), Error> {
        const PAGE: u32 = 500;
        for end in reader.epochs()? {
            let (mut next, kept_from) = (1, reader.kept_from(end.epoch)?);
            while next <= end.tip.seq {
                let rows = reader.rows(end.epoch, next, PAGE)?;
                let Some(last) = rows.last().map(|row| row.seq) else { break };
                for row in rows {
                    self.columns(&row);
                    // What is before a state that was brought forward is no chain any more.
                    if row.seq < kept_from { self.alone(&row) } else { self.row(&row) }
                }
                next = last.saturating_add(1);
                progress(self.report.records);
            }
            self.expect_end(end.epoch, end.tip);
        }
        Ok(())
    }

    fn fault(&mut self, code: &'static str, words: impl Into<String>) {
        self.report.faults_in_all += 1;
        if self.report.faults.len() < FAULTS_MAX {
            let (epoch, seq) = (self.place.map(|place| place.0), self.place.map(|place| place.1));
            self.report.faults.push(Fault { code, words: words.into(), line: self.line, epoch, seq });
        }
    }

    fn line(&mut self, line: &RecordLine) {
        let Some(head) = unhex_any(&line.head) else {
            return self.fault("header", "The header is not hexadecimal.");
        };
        let decode = |text: &String| BASE64.decode(text).ok();
        // One form or another, and no field that says nothing: whatever else stood there was never looked at.
        let whole = match (&line.salt, &line.body, &line.body_base64, line.erased) {
            (None, None, None, Some(true)) => None,
            (Some(salt), Some(body), None, None) => Some((salt, Some(body.clone().into_bytes()))),
            (Some(salt), None, Some(text), None) => Some((salt, decode(text))),
            (_, _, _, _) => return self.fault("line", "This line says more or less than a record does."),
        };
        let body = match whole.map(|(salt, body)| unhex::<16>(salt).zip(body)) {
            None => RowBody::Erased,
            Some(Some((salt, body))) => RowBody::Whole(salt, body),
            Some(None) => RowBody::Changed,
        };
        let hash = unhex::<32>(&line.hash).map_or(Hash::NONE, Hash);
        self.row(&Row { seq: 0, columns: None, hash, head, body });
    }

    /// Whether lists and sums, which read no header, say what the headers say.
    fn columns(&mut self, row: &Row) {
        let (Some(columns), Ok(header)) = (&row.columns, Header::decode(&row.head)) else { return };
        self.place = Some((header.epoch, header.seq));
        let unlike = columns.unlike(&header);
        if !unlike.is_empty() {
            let words = format!(
                "What lists and sums have of record {} is not what its header says: {}.",
                header.seq,
                unlike.join(", ")
            );
            self.fault("column", words);
        }
        if self.position.is_some_and(|before| before >= columns.position) {
            let words = format!("Record {} does not lie behind the one before it.", header.seq);
            self.fault("position", words);
        }
        self.position = Some(columns.position);
    }

    /// A record that others may be missing around: it is itself, and that is all that can be said.
    fn alone(&mut self, row: &Row) {
        let hash = header_hash(&row.head);
        let Ok(header) = Header::decode(&row.head) else {
            return self.fault("header", format!("The header of record {} cannot be read.", row.seq));
        };
        self.place = Some((header.epoch, header.seq));
        if row.hash != hash {
            let words = format!("The hash beside record {} is not the hash of its header.", header.seq);
            self.fault("hash", words);
        }
        self.report.records += 1;
        self.body(&header, &row.body);
    }

    fn row(&mut self, row: &Row) {
        self.report.records += 1;
        let hash = header_hash(&row.head);
        let header = match Header::decode(&row.head) {
            Ok(header) => header,
            Err(error) => {
                self.fault("header", format!("The header of a record cannot be read: {error}."));
                self.tip = None;
                return;
            }
        };
        let (epoch, seq) = (header.epoch, header.seq);
        self.place = Some((epoch, seq));
        if row.hash != hash {
            self.fault("hash", format!("The hash beside record {seq} is not the hash of its header."));
        }
        self.follow(&header);
        self.body(&header, &row.body);
        self.tip = Some(Tip { seq, head: hash });
        self.hashes.insert((epoch, seq), hash);
        if let Some(stream) = self.report.streams.last_mut() {
            (stream.seq, stream.head) = (seq, hash);
        }
    }

    /// Whether a header is the next of its stream.
    fn follow(&mut self, header: &Header) {
        let seq = header.seq;
        match &self.report.terminal {
            None => self.report.terminal = Some(header.terminal.clone()),
            Some(terminal) if *terminal != header.terminal => {
                let words = format!("Record {seq} is of {}, and the file of {terminal}.", header.terminal);
                self.fault("stranger", words);
            }
            Some(_) => {}
        }
        let same = self.report.streams.last().is_some_and(|stream| stream.epoch == header.epoch);
        if !same {
            if self.report.streams.iter().any(|stream| stream.epoch == header.epoch) {
                let words = format!("Record {seq} goes on with an epoch that was over.");
                self.fault("sequence", words);
            }
            let (epoch, first_seq) = (header.epoch, seq);
            self.report.streams.push(Stream { epoch, first_seq, seq, head: Hash::NONE });
            if seq <= 1 && (seq == 0 || header.previous != Hash::NONE || header.kind != "genesis") {
                self.fault("link", "The first record of an epoch is not its genesis.");
            }
            return;
        }
        let Some(tip) = self.tip else { return };
        if Some(seq) != tip.seq.checked_add(1) {
            let words = format!("Record {seq} stands where record {} is due.", tip.seq.saturating_add(1));
            self.fault("sequence", words);
        } else if header.previous != tip.head {
            self.fault("link", format!("Record {seq} does not follow from the record before it."));
        }
    }

    fn body(&mut self, header: &Header, body: &RowBody) {
        let seq = header.seq;
        match body {
            RowBody::Whole(salt, bytes) if body_hash(salt, bytes) == header.body_hash => {
                self.report.bodies += 1;
                if header.kind == "genesis" {
                    self.began(header.epoch, bytes);
                }
            }
            RowBody::Whole(..) | RowBody::Changed => {
                self.fault("body", format!("The body of record {seq} is not the one that its header names."));
            }
            RowBody::Erased if may_be_erased(&header.kind) => {
                self.report.erased += 1;
                if self.report.erased <= u64::try_from(ERASED_MAX).unwrap_or(u64::MAX) {
                    self.report.erased_in.entry(header.epoch.to_string()).or_default().push(seq);
                }
            }
            RowBody::Erased => {
                // Anybody may have written that kind: it moves no terminal.
                let kind = header.kind.escape_debug();
                self.fault("erased", format!("Record {seq} has no body, and a {kind} speaks of no member."));
            }
            RowBody::Shut => self.report.shut += 1,
        }
    }

    /// A genesis says how the books before it were left, where that was not in order.
    fn began(&mut self, epoch: Epoch, body: &[u8]) {
        if let Ok(Body::Genesis { parent: Some(parent), found: Some(found), .. }) =
            serde_json::from_slice(body)
        {
            let after = parent.seq;
            let words = match found.why {
                Left::Restored => {
                    format!("The genesis of epoch {epoch} declares a restore after record {after}.")
                }
                Left::Damaged => format!(
                    "The genesis of epoch {epoch} says that these books were damaged after record {after}."
                ),
                Left::Missing => format!(
                    "The genesis of epoch {epoch} says that these books were missing after record {after}."
                ),
            };
            self.left.insert(parent.epoch, words);
        }
    }

    /// Whether the stream that was just read ends where it should.
    fn expect_end(&mut self, epoch: Epoch, end: Tip) {
        let found = self.hashes.get(&(epoch, end.seq)).copied();
        if found != Some(end.head) {
            self.place = Some((epoch, end.seq));
            let words = format!("The end should be record {}, which is missing or another.", end.seq);
            self.fault("end", words);
        }
    }
}

fn unhex_any(text: &str) -> Option<Vec<u8>> {
    text.as_bytes().chunks(2).map(|pair| unhex::<1>(str::from_utf8(pair).ok()?).map(|[byte]| byte)).collect()
}
