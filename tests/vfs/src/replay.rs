//! The files as they are after a power cut at a place of a tape.
//!
//! What was flushed before the cut is there. What was written after the last flush of its file is there whole, not at
//! all, or in sectors of 512 bytes, each by chance, in the order in which they were written: a later write may be there
//! where an earlier one is not. A name that was taken away may still be there until something is flushed after it.

use crate::chance::Chance;
use crate::{Op, Tape};
use std::collections::BTreeMap;
use std::path::Path;

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// What becomes of writes that were not flushed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unflushed {
    /// They are lost.
    Lost,
    /// They are all there.
    Kept,
    /// Each sector by chance.
    Torn,
}

#[derive(Clone, Debug)]
enum Pending {
    Write { at: u64, data: Vec<u8> },
    Truncate { size: u64 },
    Delete,
    Place { data: Vec<u8> },
}

#[derive(Clone, Default, Debug)]
struct File {
    /// On the disk for good; none where there is no such file.
    durable: Option<Vec<u8>>,
    pending: Vec<Pending>,
}

/// A tape that is gone through from its beginning.
#[derive(Debug)]
pub struct Replay<'t> {
    ops: &'t [Op],
    at: usize,
    files: BTreeMap<String, File>,
    told: u64,
}

impl<'t> Replay<'t> {
    /// Before the first operation.
    pub fn new(tape: &'t Tape) -> Self {
        let file = |bytes: &Vec<u8>| File { durable: Some(bytes.clone()), pending: vec![] };
        let files = tape.before.iter().map(|(name, bytes)| (name.clone(), file(bytes))).collect();
        Self { ops: &tape.ops, at: 0, files, told: 0 }
    }

    /// Operations before the cut.
    pub fn at(&self) -> usize {
        self.at
    }

    /// How much whoever wrote was told to be safe, before the cut.
    pub fn told(&self) -> u64 {
        self.told
    }

    /// Moves the cut behind the next operation. False at the end of the tape.
    pub fn step(&mut self) -> bool {
        let Some(op) = self.ops.get(self.at) else { return false };
        self.at += 1;
        match op {
            Op::Write { file, at, data } => {
                self.pend(file, Pending::Write { at: *at, data: data.clone() });
            }
            Op::Truncate { file, size } => self.pend(file, Pending::Truncate { size: *size }),
            Op::Delete { file } => self.pend(file, Pending::Delete),
            Op::Placed { file, data } => self.pend(file, Pending::Place { data: data.clone() }),
            Op::Sync { file } => {
                let file = self.files.entry(file.clone()).or_default();
                let pending = std::mem::take(&mut file.pending);
                for change in &pending {
                    apply(&mut file.durable, change);
                }
            }
            Op::Told(much) => self.told = *much,
        }
        true
    }

    fn pend(&mut self, file: &str, change: Pending) {
        self.files.entry(file.to_owned()).or_default().pending.push(change);
    }

    /// Writes the files as they are after the cut into an empty directory.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn cut(&self, unflushed: Unflushed, chance: &mut Chance, into: &Path) {
        for (name, file) in &self.files {
            let mut bytes = file.durable.clone();
            for change in &file.pending {
                match unflushed {
                    Unflushed::Lost => {}
                    Unflushed::Kept => apply(&mut bytes, change),
                    Unflushed::Torn => tear(&mut bytes, change, chance),
                }
            }
            if let Some(bytes) = bytes {
                std::fs::write(into.join(name), bytes).expect("the image can be written");
            }
        }
    }
}

fn apply(bytes: &mut Option<Vec<u8>>, change: &Pending) {
    match change {
        Pending::Write { at, data } => put(bytes.get_or_insert_default(), *at, data),
        Pending::Truncate { size } => bytes.get_or_insert_default().resize(index(*size), 0),
        Pending::Delete => *bytes = None,
        Pending::Place { data } => *bytes = Some(data.clone()),
    }
}

/// What of a change is there: each sector of a write by chance; a file that was being put in its place is the old one,
/// the new one, or a part of the new one.
fn tear(bytes: &mut Option<Vec<u8>>, change: &Pending, chance: &mut Chance) {
    match change {
        Pending::Write { at, data } => {
            let end = at + data.len() as u64;
            let mut from = *at;
            while from < end {
                let to = end.min((from / SECTOR + 1) * SECTOR);
                if chance.coin() {
                    put(bytes.get_or_insert_default(), from, &data[index(from - at)..index(to - at)]);
                }
                from = to;
            }
        }
        Pending::Place { data } => match chance.below(3) {
            0 => {}
            1 => *bytes = Some(data.clone()),
            _ => *bytes = Some(data[..index(chance.below(data.len() as u64 + 1))].to_vec()),
        },
        Pending::Truncate { .. } | Pending::Delete => {
            if chance.coin() {
                apply(bytes, change);
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, at: u64, data: &[u8]) {
    let (from, to) = (index(at), index(at) + data.len());
    if bytes.len() < to {
        bytes.resize(to, 0);
    }
    bytes[from..to].copy_from_slice(data);
}

fn index(place: u64) -> usize {
    usize::try_from(place).expect("files of tests fit into memory")
}
