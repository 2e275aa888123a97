//! Reads what can still be read of a journal that was set aside, without believing its pages.
//!
//! It goes through the bytes and takes each record whose header lies behind its own hash, as a row has it: `hash`,
//! `salt`, `head`, `body` (sql/till/journal). What hashes right is what the till wrote, wherever it lies. A record whose
//! header was torn, or lies across two pages, is not found; the list says which numbers are missing.
//!
//! Not here: setting files aside (`aside`). Nothing is written into a journal from here but the people who work at the
//! till, so that they can sign in.

use super::vault::{Opened, Vault};
use super::{End, Error, aside};
use crate::keys::SEAL_OVERHEAD_BYTES;
use crate::money::Money;
use crate::record::chain::Tip;
use crate::record::epochs::Left;
use crate::record::ids::{SaleId, StaffId};
use crate::record::{Body, Epoch, Header, Record, header_hash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Read at once.
const PIECE: usize = 1 << 20;

/// Kept from one piece for the next: more than the longest header and the body of a person take.
const OVERLAP: usize = 8 << 10;

/// The longest sealed body of a person: a name, a role and the hash of a PIN take some hundred bytes.
const PERSON_BYTES_MAX: usize = 2048;

/// Before a header, in its row: the hash, then the salt.
const BEFORE: usize = 32 + 16;

/// Records that a list names; more are counted.
pub const LISTED_MAX: usize = 10_000;

/// What is left of books that were set aside, and what of it the cloud lacks. Kept beside the files as `lacking.json`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Lacking {
    /// Where the files are, in the state directory.
    pub aside: String,
    /// Why they were set aside; none in lists of an older Till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Left>,
    /// What was found, as whoever looks after the till reads it.
    pub words: String,
    /// The epoch that they end with, if any of it could be read.
    pub epoch: Option<Epoch>,
    /// The last number of it that could be read.
    pub readable_to: u64,
    /// The last number of it that the cloud is known to have, or that a copy which was put back brings it.
    pub received: u64,
    /// Numbers after that which could not be read, first and last of each run.
    pub unreadable: Vec<(u64, u64)>,
    /// Records that the cloud is not known to have, in order.
    pub records: Vec<LackingRecord>,
    /// How many more there are than are listed.
    pub more: u64,
}

/// A record that the cloud is not known to have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LackingRecord {
    /// Which life of the journal.
    pub epoch: Epoch,
    /// Its number there.
    pub seq: u64,
    /// What it is.
    pub kind: String,
    /// By this machine's wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// The sale it belongs to.
    pub sale: Option<SaleId>,
    /// The receipt number it issues.
    pub receipt: Option<u64>,
    /// The amount it moves.
    pub amount: Option<Money>,
}

/// What a list comes to, for a person who has not the time to read it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct LackingSum {
    /// Where the files are, in the state directory.
    pub aside: String,
    /// The epoch that they end with.
    pub epoch: Option<Epoch>,
    /// The last number of it that the cloud is known to have, or that a copy which was put back brings it.
    pub received: u64,
    /// Records that the cloud is not known to have, those that are not listed too.
    pub records: u64,
    /// Receipts among those that are listed.
    pub receipts: u64,
    /// What these come to, by currency.
    pub worth: Vec<Money>,
    /// Records that could not be read.
    pub unreadable: u64,
}

impl Lacking {
    /// What it comes to.
    pub fn sum(&self) -> LackingSum {
        let mut worth: Vec<Money> = Vec::new();
        let receipts = || self.records.iter().filter(|record| record.kind == "receipt_issued");
        for amount in receipts().filter_map(|record| record.amount) {
            match worth.iter_mut().find(|sum| sum.currency == amount.currency) {
                // What is beyond 64 bits stays where it is: it is for eyes.
                Some(sum) => *sum = sum.plus(amount).unwrap_or(*sum),
                None => worth.push(amount),
            }
        }
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let run = |(first, last): &(u64, u64)| last.saturating_sub(*first).saturating_add(1);
        LackingSum {
            aside: self.aside.clone(),
            epoch: self.epoch,
            received: self.received,
            records: count(self.records.len()).saturating_add(self.more),
            receipts: count(receipts().count()),
            worth,
            unreadable: self.unreadable.iter().map(run).fold(0, u64::saturating_add),
        }
    }
}

/// What a new epoch is told of the books before it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Salvage {
    /// Where they ended, as far as can be said.
    pub end: Option<End>,
    /// Up to which number of that epoch the cloud is known to have them.
    pub received: Option<u64>,
    /// The people who worked here, as their records say.
    pub staff: Vec<Body>,
    /// What the cloud lacks.
    pub lacking: Lacking,
}

/// Where a list is kept, beside the files.
const LIST: &str = "lacking.json";

/// Keeps a list beside the files that it is about.
pub(super) fn keep(folder: &Path, lacking: &Lacking) -> Result<(), Error> {
    aside::put_whole(folder, LIST, &serde_json::to_vec_pretty(lacking).expect("a list is plain values"))
}

/// The lists of a state directory, newest first.
pub(super) fn lists(dir: &Path) -> Vec<Lacking> {
    let entries = std::fs::read_dir(dir.join("aside")).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries.map(|entry| entry.path()).collect();
    folders.sort();
    let list = |folder: &PathBuf| {
        let text = std::fs::read(folder.join(LIST)).ok();
        let read = text.and_then(|text| serde_json::from_slice::<Lacking>(&text).ok());
        // Books without a list that can be read may lack anything.
        read.or_else(|| {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let unknown = Lacking { aside: format!("aside/{name}"), more: 1, ..Lacking::default() };
            folder.join("journal.db").exists().then_some(unknown)
        })
    };
    folders.iter().rev().filter_map(list).collect()
}

/// Reads the files of one time that books were set aside. `received` is what the cloud has said that it has.
pub(super) fn salvage(
    aside: &Path,
    vault: &Vault,
    received: &BTreeMap<Epoch, Tip>,
) -> Result<Salvage, Error> {
    let mut found = Gathered::default();
    for name in ["journal.db", "journal.db-wal"] {
        let path = aside.join(name);
        match File::open(&path) {
            Ok(file) => carve(file, |piece, at| found.take(piece, at, vault, received))
                .map_err(Error::prepare(&path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::prepare(&path)(error)),
        }
    }
    Ok(found.close(received))
}

#[derive(Default)]
struct Gathered {
    /// The end of each epoch, with its time.
    ends: BTreeMap<Epoch, (Tip, i64)>,
    staff: BTreeMap<StaffId, (i64, Body)>,
    records: BTreeMap<(Epoch, u64), LackingRecord>,
    /// All that the cloud lacks, whether it is listed or not: a record may lie in the database and in its log.
    lacking: BTreeMap<Epoch, Runs>,
    more: u64,
}

/// Numbers, as runs of them: the last of each by its first. A journal has few holes.
#[derive(Default)]
struct Runs(BTreeMap<u64, u64>);

impl Runs {
    /// Takes a number in; whether it was not there before.
    fn take(&mut self, seq: u64) -> bool {
        let before = self.0.range(..=seq).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| seq <= last) {
            return false;
        }
        let joins = |(_, last): &(u64, u64)| last.checked_add(1) == Some(seq);
        let first = before.filter(joins).map_or(seq, |(first, _)| first);
        let last = seq.checked_add(1).and_then(|next| self.0.remove(&next)).unwrap_or(seq);
        self.0.insert(first, last);
        true
    }

    /// The runs of numbers after `after` that are not among these.
    fn gaps(&self, after: u64) -> Vec<(u64, u64)> {
        let (mut due, mut gaps) = (after.saturating_add(1), Vec::new());
        for (first, last) in &self.0 {
            if *first > due {
                gaps.push((due, first - 1));
            }
            due = last.saturating_add(1).max(due);
        }
        gaps
    }
}

impl Gathered {
    fn take(&mut self, piece: &[u8], at: usize, vault: &Vault, received: &BTreeMap<Epoch, Tip>) {
        let Some((header, length)) = header_at(piece, at) else { return };
        let (epoch, seq, wall_ms) = (header.epoch, header.seq, header.moment.wall_ms);
        let hash = header_hash(&piece[at..at + length]);
        let end = self.ends.entry(epoch).or_insert((Tip::START, wall_ms));
        if seq > end.0.seq {
            *end = (Tip { seq, head: hash }, wall_ms);
        }
        if header.kind == "staff_added"
            && let Some(body @ Body::StaffAdded { .. }) = body_after(piece, at, length, vault)
            && let Body::StaffAdded { staff, .. } = &body
            && self.staff.get(staff).is_none_or(|(known_ms, _)| *known_ms <= wall_ms)
        {
            self.staff.insert(staff.clone(), (wall_ms, body));
        }
        if seq <= received.get(&epoch).map_or(0, |tip| tip.seq)
            || !self.lacking.entry(epoch).or_default().take(seq)
        {
            return;
        }
        if self.records.len() >= LISTED_MAX {
            self.more += 1;
            return;
        }
        let Header { kind, sale, receipt, amount, .. } = header;
        self.records.insert((epoch, seq), LackingRecord { epoch, seq, kind, wall_ms, sale, receipt, amount });
    }

    fn close(self, received: &BTreeMap<Epoch, Tip>) -> Salvage {
        // The last epoch is the one that was written last; a wall clock is the only word on that in torn books.
        let last = self.ends.iter().max_by_key(|(_, (_, wall_ms))| *wall_ms);
        let read = last.map(|(epoch, (tip, _))| End { epoch: *epoch, tip: *tip });
        // Where nothing can be read, what the cloud has said is all that is known.
        let told = received.iter().max_by_key(|(_, tip)| tip.seq);
        let told = told.map(|(epoch, tip)| End { epoch: *epoch, tip: *tip });
        let epoch = read.or(told).map(|end| end.epoch);
        let known = epoch.and_then(|epoch| received.get(&epoch)).copied();
        let end = match (read.filter(|read| known.is_none_or(|known| known.seq < read.tip.seq)), known) {
            (Some(read), _) => Some(read),
            (None, Some(tip)) => epoch.map(|epoch| End { epoch, tip }),
            (None, None) => read,
        };
        let received = known.map(|tip| tip.seq);
        let of_last = epoch.and_then(|epoch| self.lacking.get(&epoch));
        let unreadable = of_last.map(|runs| runs.gaps(received.unwrap_or(0))).unwrap_or_default();
        let lacking = Lacking {
            aside: String::new(),
            why: None,
            words: String::new(),
            epoch,
            readable_to: read.map_or(0, |end| end.tip.seq),
            received: received.unwrap_or(0),
            unreadable,
            records: self.records.into_values().collect(),
            more: self.more,
        };
        Salvage { end, received, staff: self.staff.into_values().map(|(_, body)| body).collect(), lacking }
    }
}

/// Hands every place to `look` at which a header could begin, with what follows in hand.
fn carve(mut file: File, mut look: impl FnMut(&[u8], usize)) -> io::Result<()> {
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE + 2 * OVERLAP);
    loop {
        let read = file.by_ref().take(PIECE as u64).read_to_end(&mut piece);
        // A sector that cannot be read ends the search; what came before counts.
        let over = !matches!(read, Ok(read) if read > 0);
        let tail = if over { 3 } else { OVERLAP };
        let last = piece.len().saturating_sub(tail).max(BEFORE);
        for at in BEFORE..last {
            // A header begins with its format, one, and the length of the till's name.
            if piece[at] == 0 && piece[at + 1] == 1 && (1..=16).contains(&piece[at + 2]) {
                look(&piece, at);
            }
        }
        if over {
            return Ok(());
        }
        // What was looked at goes, but for the hash and the salt before the next place.
        piece.drain(..last - BEFORE);
    }
}

/// The header that begins here, if its own hash stands before it, and its length.
fn header_at(piece: &[u8], at: usize) -> Option<(Header, usize)> {
    let (header, length) = Header::decode_prefix(piece.get(at..)?).ok()?;
    let hash = piece.get(at.checked_sub(BEFORE)?..at - 16)?;
    (header_hash(&piece[at..at + length]).0 == hash).then_some((header, length))
}

/// The body behind a header, if it is the one that the header names. A sealed one does not say where it ends: each
/// length is tried, and the right one proves itself.
fn body_after(piece: &[u8], at: usize, length: usize, vault: &Vault) -> Option<Body> {
    let salt: [u8; 16] = piece.get(at - 16..at)?.try_into().ok()?;
    let (head, rest) = piece.get(at..)?.split_at_checked(length)?;
    let open =
        |salt, body: &[u8]| Record::open(head.to_vec(), salt, body.to_vec()).ok().map(|record| record.body);
    let mut json = serde_json::Deserializer::from_slice(rest).into_iter::<serde::de::IgnoredAny>();
    if let Some(Ok(_)) = json.next()
        && let Some(body) = rest.get(..json.byte_offset())
        && let Some(body) = open(salt, body)
    {
        return Some(body);
    }
    let hash = header_hash(head);
    (SEAL_OVERHEAD_BYTES..=rest.len().min(PERSON_BYTES_MAX)).find_map(|end| {
        match vault.open(hash, 0, &rest[..end]) {
            Ok(Opened::Whole(salt, body)) => open(salt, &body),
            Ok(Opened::Erased | Opened::Lost) | Err(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;
    use crate::journal::sample::Pen;

    #[test]
    fn records_beyond_what_a_list_names_count_once_and_holes_between_them_show() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let count = u64::try_from(LISTED_MAX).unwrap() + 60;
        let records = Pen::new(1).many(count - 1);
        for some in records.chunks(500) {
            journal.append(some).unwrap();
        }
        journal.close().unwrap();
        let journal = Journal::open(dir.path()).unwrap().set_aside(Left::Damaged, "a test").unwrap();
        let aside = dir.path().join("aside/0001");
        // Everything lies in the log, too, and one of them is torn in both.
        let mut bytes = std::fs::read(aside.join("journal.db")).unwrap();
        let hole = &records[LISTED_MAX + 40];
        let at = |bytes: &[u8]| bytes.windows(hole.head.len()).position(|window| window == hole.head);
        while let Some(at) = at(&bytes) {
            bytes[at] = 0xa5;
        }
        std::fs::write(aside.join("journal.db"), &bytes).unwrap();
        std::fs::write(aside.join("journal.db-wal"), &bytes).unwrap();
        let lacking = journal.salvage(&BTreeMap::new()).unwrap().lacking;
        assert_eq!(lacking.records.len(), LISTED_MAX);
        assert_eq!((lacking.sum().records, lacking.more), (count - 1, 59));
        assert_eq!(lacking.unreadable, [(hole.header.seq, hole.header.seq)]);
    }
}
