//! A key for each member, so that what is known of one can be made unreadable and nothing else.
//!
//! One file of slots of 128 bytes (docs/PROTOCOL.md, "At rest"), each wrapped by the till's seal. A slot is written
//! once, may be marked as doomed, and is overwritten with zeros in its place: nothing is moved, so no old copy of it
//! is left in the file. On a disk that never writes in place (some flash, some file systems) an old block may outlive
//! that; the wrapping key is what protects it there. Not here: which records a key is for (`journal`), and when one
//! is destroyed (`journal`).

use super::file::{self, KeyError};
use super::seal::Seal;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Bytes of a slot: whole slots fill a disk's sector, so that a torn write tears one slot at most.
const SLOT: usize = 128;
/// The first slot says what the file is.
const MAGIC: &[u8; 16] = b"till-members-1\n\0";
const WRAPPED: usize = 32 + super::SEAL_OVERHEAD_BYTES;
const LABEL: &str = "member";

/// The record after which a key is not needed any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Until {
    /// In this epoch.
    pub epoch: u64,
    /// Its number.
    pub seq: u64,
}

/// A member's key, in hand.
#[derive(Debug)]
pub struct MemberKey {
    /// Random: says nothing of the member.
    pub id: [u8; 16],
    /// Opens what was sealed for the member.
    pub seal: Seal,
    /// Set once the member is to be forgotten.
    pub until: Option<Until>,
}

/// The file of keys. Only the ids are kept in memory: a key that was destroyed is gone for every reader at once.
#[derive(Debug)]
pub struct MemberKeys {
    path: PathBuf,
    file: Option<File>,
    by_id: BTreeMap<[u8; 16], u64>,
    by_tag: BTreeMap<[u8; 32], u64>,
    doomed: BTreeMap<u64, Until>,
    /// Slots that were looked at, the first one included.
    known: u64,
    head: Head,
}

/// What the first slot says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Head {
    /// What the file is.
    Whole,
    /// Something else, and no slot has yet shown that the file is what it should be.
    Doubted,
    /// Something else, and a slot has shown it: the first slot is written again with the next one.
    Torn,
}

struct Slot {
    id: [u8; 16],
    tag: [u8; 32],
    wrapped: [u8; WRAPPED],
    until: Option<Until>,
}

impl Slot {
    fn encode(&self) -> [u8; SLOT] {
        let mut out = [0; SLOT];
        out[..16].copy_from_slice(&self.id);
        out[16..48].copy_from_slice(&self.tag);
        out[48..48 + WRAPPED].copy_from_slice(&self.wrapped);
        if let Some(until) = self.until {
            out[108] = 1;
            out[109..117].copy_from_slice(&until.epoch.to_be_bytes());
            out[117..125].copy_from_slice(&until.seq.to_be_bytes());
        }
        out
    }

    /// None for a slot that was destroyed or never finished.
    fn decode(bytes: &[u8; SLOT]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (tag, rest) = rest.split_first_chunk::<32>()?;
        let (wrapped, rest) = rest.split_first_chunk::<WRAPPED>()?;
        let (flag, rest) = rest.split_first_chunk::<1>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let seq = rest.first_chunk::<8>()?;
        let until = Until { epoch: u64::from_be_bytes(*epoch), seq: u64::from_be_bytes(*seq) };
        let until = (flag == &[1]).then_some(until);
        (*id != [0; 16]).then_some(Self { id: *id, tag: *tag, wrapped: *wrapped, until })
    }
}

impl MemberKeys {
    /// The keys of a state directory. Nothing is opened or made yet.
    pub fn of_till(state_dir: &Path) -> Self {
        Self::at(&state_dir.join("keys").join("members"))
    }

    /// The keys in this file.
    pub fn at(path: &Path) -> Self {
        let (by_id, by_tag, doomed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { path: path.to_owned(), file: None, by_id, by_tag, doomed, known: 1, head: Head::Whole }
    }

    /// Whether the file is there. An empty one counts: a person says with it that the keys are lost.
    pub fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// A member's key; it is made, and durable, before it is handed out. Where its slot is damaged a new one is made.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn of(&mut self, seal: &Seal, member: &str) -> Result<MemberKey, KeyError> {
        self.with_tag(seal, seal.keyed_hash(LABEL, member.as_bytes()))
    }

    /// A key that belongs to nobody any more: for what is written of a member after the member's own key is gone.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn of_nobody(&mut self, seal: &Seal) -> Result<MemberKey, KeyError> {
        self.with_tag(seal, file::random()?)
    }

    /// The key with this id; none when it was destroyed.
    ///
    /// # Errors
    /// [`KeyError::Read`], also when there is no file at all: what was destroyed leaves its slot. [`KeyError::DoesNotOpen`]
    /// when the slot is damaged, or lies under another seal.
    pub fn find(&mut self, seal: &Seal, id: &[u8; 16]) -> Result<Option<MemberKey>, KeyError> {
        if !self.by_id.contains_key(id) {
            self.look(seal)?;
        }
        if self.file.is_none() {
            return Err(self.unread(io::ErrorKind::NotFound.into()));
        }
        let Some(number) = self.by_id.get(id).copied() else { return Ok(None) };
        let slot = self.read(number)?.filter(|slot| slot.id == *id);
        slot.map(|slot| open(seal, &slot)).transpose()
    }

    /// Marks a key as one that is not needed after this record. A later mark counts.
    ///
    /// # Errors
    /// [`KeyError::Write`].
    pub fn doom(&mut self, id: &[u8; 16], until: Until) -> Result<(), KeyError> {
        let Some(number) = self.by_id.get(id).copied() else { return Ok(()) };
        let Some(mut slot) = self.read(number)?.filter(|slot| slot.id == *id) else { return Ok(()) };
        if slot.until == Some(until) {
            return Ok(());
        }
        slot.until = Some(until);
        self.write(number, &slot.encode())?;
        self.doomed.insert(number, until);
        Ok(())
    }

    /// Whether any key waits to be destroyed.
    ///
    /// # Errors
    /// [`KeyError::Read`] or [`KeyError::Damaged`].
    pub fn any_doomed(&mut self, seal: &Seal) -> Result<bool, KeyError> {
        self.look(seal)?;
        Ok(!self.doomed.is_empty())
    }

    /// Destroys the doomed keys that `over` says are not needed any more. Says how many.
    ///
    /// # Errors
    /// [`KeyError::Write`]; those that are left are tried again the next time.
    pub fn destroy(&mut self, seal: &Seal, over: impl Fn(Until) -> bool) -> Result<usize, KeyError> {
        self.look(seal)?;
        let due: Vec<u64> =
            self.doomed.iter().filter(|(_, until)| over(**until)).map(|(number, _)| *number).collect();
        for number in &due {
            // Twice: with chance first, so that even a disk that skips zeros has written something else.
            let noise: [u8; 64] = file::random()?;
            let mut written = [0; SLOT];
            written[..64].copy_from_slice(&noise);
            written[64..].copy_from_slice(&noise);
            self.write(*number, &written)?;
            self.write(*number, &[0; SLOT])?;
            self.doomed.remove(number);
            self.by_id.retain(|_, known| known != number);
            self.by_tag.retain(|_, known| known != number);
        }
        Ok(due.len())
    }

    fn with_tag(&mut self, seal: &Seal, tag: [u8; 32]) -> Result<MemberKey, KeyError> {
        self.look(seal)?;
        if let Some(number) = self.by_tag.get(&tag).copied()
            && let Some(slot) = self.read(number)?.filter(|slot| slot.tag == tag)
        {
            match open(seal, &slot) {
                Err(KeyError::DoesNotOpen) => {
                    tracing::error!(
                        slot = number,
                        "A slot of keys/members is damaged: its member gets another."
                    );
                }
                opened => return opened,
            }
        }
        let (id, secret): ([u8; 16], [u8; 32]) = (file::random()?, file::random()?);
        let sealed = seal.seal(&secret, &wrapping(&id, &tag))?;
        let wrapped = sealed.try_into().map_err(|_| KeyError::DoesNotOpen)?;
        let slot = Slot { id, tag, wrapped, until: None };
        let number = self.known;
        self.write(number, &slot.encode())?;
        self.take(number, &slot);
        self.known = number + 1;
        Ok(MemberKey { id, seal: Seal::from_secret(&secret), until: None })
    }

    /// Takes in what was added to the file since the last look. Each slot stands in a place of its own and shows by its
    /// seal that it is one: where the first slot is damaged, the others count as soon as one of them opens.
    fn look(&mut self, seal: &Seal) -> Result<(), KeyError> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(source) => return Err(self.unread(source)),
            }
        }
        let Some(file) = &self.file else { return Ok(()) };
        let length = file.metadata().map_err(|source| self.unread(source))?.len();
        let slots = length.div_ceil(SLOT as u64);
        if slots > 0 && self.known == 1 {
            let mut magic = [0; MAGIC.len()];
            let read = file.read_exact_at(&mut magic, 0);
            // A first start that was cut off left a part of the first slot and nothing behind it.
            if slots > 1 && (read.is_err() || magic != *MAGIC) {
                self.head = Head::Doubted;
            }
        }
        for number in self.known..slots {
            if let Some(slot) = self.read(number)? {
                self.take(number, &slot);
            }
        }
        self.known = self.known.max(slots);
        if self.head == Head::Doubted {
            if !self.any_opens(seal)? {
                return Err(KeyError::Damaged(self.path.clone()));
            }
            tracing::error!("The first slot of keys/members is damaged; the others are read without it.");
            self.head = Head::Torn;
        }
        Ok(())
    }

    /// Whether any slot is one of this till's.
    fn any_opens(&self, seal: &Seal) -> Result<bool, KeyError> {
        for number in self.by_id.values() {
            if self.read(*number)?.is_some_and(|slot| open(seal, &slot).is_ok()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn take(&mut self, number: u64, slot: &Slot) {
        self.by_id.insert(slot.id, number);
        self.by_tag.insert(slot.tag, number);
        if let Some(until) = slot.until {
            self.doomed.insert(number, until);
        }
    }

    fn read(&self, number: u64) -> Result<Option<Slot>, KeyError> {
        let Some(file) = &self.file else { return Ok(None) };
        let mut bytes = [0; SLOT];
        match file.read_exact_at(&mut bytes, number * SLOT as u64) {
            Ok(()) => Ok(Slot::decode(&bytes)),
            // The last one was cut off while it was written: no record is sealed with it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(source) => Err(self.unread(source)),
        }
    }

    fn write(&mut self, number: u64, bytes: &[u8; SLOT]) -> Result<(), KeyError> {
        let failed = |source| KeyError::Write { path: self.path.clone(), source };
        file::make_folder(&self.path)?;
        let fresh = !self.path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)
            .map_err(failed)?;
        if number == 1 || self.head == Head::Torn {
            let mut first = [0; SLOT];
            first[..MAGIC.len()].copy_from_slice(MAGIC);
            file.write_all_at(&first, 0).map_err(failed)?;
        }
        file.write_all_at(bytes, number * SLOT as u64).and_then(|()| file.sync_all()).map_err(failed)?;
        if fresh {
            file::sync_folder(&self.path)?;
        }
        self.head = Head::Whole;
        self.file = Some(file);
        Ok(())
    }

    fn unread(&self, source: io::Error) -> KeyError {
        KeyError::Read { path: self.path.clone(), source }
    }
}

fn open(seal: &Seal, slot: &Slot) -> Result<MemberKey, KeyError> {
    let secret = seal.open(&slot.wrapped, &wrapping(&slot.id, &slot.tag))?;
    let secret: [u8; 32] = secret.try_into().map_err(|_| KeyError::DoesNotOpen)?;
    Ok(MemberKey { id: slot.id, seal: Seal::from_secret(&secret), until: slot.until })
}

/// What a wrapped key is bound to.
fn wrapping(id: &[u8; 16], tag: &[u8; 32]) -> Vec<u8> {
    [b"till/member-key/1\n".as_slice(), id, tag].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn keys() -> (tempfile::TempDir, PathBuf, Seal) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys").join("members");
        (dir, path, Seal::from_secret(&[7; 32]))
    }

    #[test]
    fn a_member_keeps_its_key_until_it_is_destroyed_for_every_reader_at_once() {
        let (_dir, path, seal) = keys();
        let mut keys = MemberKeys::at(&path);
        let made = keys.of(&seal, "ANNA").unwrap();
        let sealed = made.seal.seal(b"words", b"").unwrap();
        let other = keys.of(&seal, "BERT").unwrap();
        assert_ne!(made.id, other.id);
        let mut reader = MemberKeys::at(&path);
        let read = reader.find(&seal, &made.id).unwrap().unwrap();
        assert_eq!(read.seal.open(&sealed, b"").unwrap(), b"words");
        assert_eq!(MemberKeys::at(&path).of(&seal, "ANNA").unwrap().id, made.id);

        let until = Until { epoch: 3, seq: 9 };
        keys.doom(&made.id, until).unwrap();
        assert!(MemberKeys::at(&path).any_doomed(&seal).unwrap(), "it is remembered on disk");
        assert_eq!(keys.destroy(&seal, |found| found.seq < 9).unwrap(), 0);
        assert_eq!(keys.destroy(&seal, |found| found == until).unwrap(), 1);
        assert!(reader.find(&seal, &made.id).unwrap().is_none());
        assert!(reader.find(&seal, &other.id).unwrap().is_some());
        assert!(!keys.any_doomed(&seal).unwrap());
        assert_ne!(keys.of(&seal, "ANNA").unwrap().id, made.id, "whoever comes again is somebody new");
    }

    #[test]
    fn a_destroyed_key_leaves_zeros_in_its_place_and_no_name_was_ever_there() {
        let (_dir, path, seal) = keys();
        let mut keys = MemberKeys::at(&path);
        let made = keys.of(&seal, "ANNA").unwrap();
        assert!(!fs::read(&path).unwrap().windows(4).any(|part| part == b"ANNA"));
        keys.doom(&made.id, Until { epoch: 1, seq: 1 }).unwrap();
        keys.destroy(&seal, |_| true).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 2 * SLOT);
        assert!(bytes[SLOT..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_slot_that_was_cut_off_is_none_and_the_next_one_stands_behind_it() {
        let (_dir, path, seal) = keys();
        let mut keys = MemberKeys::at(&path);
        let first = keys.of(&seal, "ANNA").unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [whole.as_slice(), &[9; 50]].concat()).unwrap();
        let mut keys = MemberKeys::at(&path);
        assert_eq!(keys.of(&seal, "ANNA").unwrap().id, first.id);
        let next = keys.of(&seal, "BERT").unwrap();
        assert_eq!(MemberKeys::at(&path).find(&seal, &next.id).unwrap().unwrap().id, next.id);
        fs::write(&path, vec![1; 3 * SLOT]).unwrap();
        assert!(matches!(MemberKeys::at(&path).any_doomed(&seal), Err(KeyError::Damaged(_))));
    }

    #[test]
    fn a_damaged_first_slot_costs_nothing_and_is_written_again() {
        let (_dir, path, seal) = keys();
        let mut keys = MemberKeys::at(&path);
        let (anna, bert) = (keys.of(&seal, "ANNA").unwrap(), keys.of(&seal, "BERT").unwrap());
        let whole = fs::read(&path).unwrap();
        let torn = |first: &[u8]| fs::write(&path, [first, &whole[first.len()..]].concat()).unwrap();
        for first in [[0xa5; SLOT].as_slice(), &[0; SLOT], &[0xa5; SLOT + 40]] {
            torn(first);
            let mut keys = MemberKeys::at(&path);
            assert_eq!(keys.find(&seal, &bert.id).unwrap().unwrap().id, bert.id);
            assert!(!keys.any_doomed(&seal).unwrap());
        }
        let other = Seal::from_secret(&[8; 32]);
        assert!(matches!(MemberKeys::at(&path).find(&other, &anna.id), Err(KeyError::Damaged(_))));
        torn(&[0xa5; SLOT]);
        let mut keys = MemberKeys::at(&path);
        assert_eq!(keys.of(&seal, "ANNA").unwrap().id, anna.id);
        keys.doom(&anna.id, Until { epoch: 1, seq: 1 }).unwrap();
        assert_eq!(fs::read(&path).unwrap()[..MAGIC.len()], *MAGIC);
        assert_eq!(keys.destroy(&seal, |_| true).unwrap(), 1);
        assert!(MemberKeys::at(&path).find(&seal, &anna.id).unwrap().is_none());
    }

    #[test]
    fn under_another_seal_nothing_opens() {
        let (_dir, path, seal) = keys();
        let made = MemberKeys::at(&path).of(&seal, "ANNA").unwrap();
        let other = Seal::from_secret(&[8; 32]);
        assert!(matches!(MemberKeys::at(&path).find(&other, &made.id), Err(KeyError::DoesNotOpen)));
    }
}
