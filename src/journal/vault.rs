//! Bodies at rest: sealed when they are written, opened when they are read (docs/PROTOCOL.md, "At rest").
//!
//! **Invariant:** a secret is made only where nothing was sealed yet; a file that was sealed with another one is
//! refused and left as it is. **Invariant:** a member's key is durable before a body lies under it, and it is
//! destroyed only when no body under it is owed to anybody. Not here: the secrets themselves (`keys`), and which
//! bodies speak of whom (`record::personal`).

use super::{Error, journal_path};
use crate::keys::{KeyError, MemberKey, MemberKeys, Seal, Until};
use crate::record::personal::{self, About};
use crate::record::{Body, Broken, Hash, Record, header_hash};
use rusqlite::{Connection, OptionalExtension};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a sealed body begins with: it lies under the till's key alone,
const OF_TILL: u8 = 1;
/// or under a member's key as well.
const OF_MEMBER: u8 = 2;

/// A body that always lies under a member's key, the latest.
const OF_MEMBERS: &str = "SELECT head, body FROM
    (SELECT position, kind, sealed, head, body FROM record ORDER BY position DESC LIMIT ?1)
    WHERE sealed = 1 AND kind IN ('member_recognised', 'member_forgotten') ORDER BY position DESC LIMIT 1";

/// Records looked at for one: some weeks of a shop. A shop without members does so at each start.
const LOOKED_BACK: u32 = 50_000;

const SALT_BYTES: usize = 16;
const KEY_ID_BYTES: usize = 16;

/// A body as it was before it was put away.
pub(super) enum Opened {
    /// Salt and bytes.
    Whole([u8; SALT_BYTES], Vec<u8>),
    /// The key of its member was destroyed.
    Erased,
    /// The key of its member is damaged.
    Lost,
}

/// Puts bodies away and fetches them.
#[derive(Debug)]
pub(super) struct Vault {
    path: PathBuf,
    seal: Option<Seal>,
    members: Mutex<MemberKeys>,
}

impl Vault {
    /// For the writer, which needs the secret and may make it where nothing is sealed yet.
    pub(super) fn to_write(dir: &Path, connection: &Connection) -> Result<Self, Error> {
        let path = journal_path(dir);
        if mark(connection).map_err(Error::open(&path))?.is_some() {
            let vault = Self::to_read(dir, connection)?;
            vault.seal()?;
            vault.check_members(connection)?;
            return Ok(vault);
        }
        let seal = Seal::of_till(dir)?;
        connection
            .execute("INSERT INTO seal (one, mark) VALUES (1, ?1)", [seal.mark()])
            .map_err(Error::open(&path))?;
        Ok(Self { path, seal: Some(seal), members: Mutex::new(MemberKeys::of_till(dir)) })
    }

    /// For readers, which can read headers without the secret.
    pub(super) fn to_read(dir: &Path, connection: &Connection) -> Result<Self, Error> {
        let path = journal_path(dir);
        let mark = mark(connection).map_err(Error::open(&path))?;
        let held = if mark.is_some() { Seal::held_for(dir)? } else { vec![] };
        let any = !held.is_empty();
        let seal = held.into_iter().find(|seal| Some(seal.mark()) == mark);
        if any && seal.is_none() {
            return Err(Error::OtherSeal { path });
        }
        Ok(Self { path, seal, members: Mutex::new(MemberKeys::of_till(dir)) })
    }

    /// Without the file of members' keys what lies under them would pass for erased, and go up so.
    fn check_members(&self, connection: &Connection) -> Result<(), Error> {
        if self.members().is_there() {
            return Ok(());
        }
        let last = connection
            .query_row(OF_MEMBERS, [LOOKED_BACK], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()
            .map_err(Error::open(&self.path))?;
        let Some((head, body)) = last else { return Ok(()) };
        match self.seal()?.open(&body, &bound(header_hash(&head))) {
            Ok(opened) if opened.first() == Some(&OF_MEMBER) => {
                Err(Error::NoMembers { path: self.path.clone() })
            }
            // What is damaged is found where it is read.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// A reader that shares this one's secret has nothing to look for.
    fn seal(&self) -> Result<&Seal, Error> {
        self.seal.as_ref().ok_or_else(|| self.shut())
    }

    /// Whether bodies can be read here.
    pub(super) fn is_open(&self) -> bool {
        self.seal.is_some()
    }

    /// Why nothing can be read here.
    pub(super) fn shut(&self) -> Error {
        Error::NoSeal { path: self.path.clone() }
    }

    /// A record's body as it is put away. `of_sale` says who the member of its sale is, where that is asked.
    pub(super) fn close(
        &self,
        record: &Record,
        of_sale: impl FnOnce() -> Result<Customer, Error>,
    ) -> Result<Vec<u8>, Error> {
        let seal = self.seal()?;
        let bound = bound(record.hash);
        let whole = [record.salt.as_slice(), &record.bytes].concat();
        let Some(key) = self.key_for(seal, record, of_sale)? else {
            return Ok(seal.seal(&[&[OF_TILL], whole.as_slice()].concat(), &bound)?);
        };
        let inner = key.seal.seal(&whole, &bound)?;
        let forgets = matches!(record.body, Body::MemberForgotten { .. });
        if forgets || key.until.is_some() {
            let until = Until { epoch: record.header.epoch.0, seq: record.header.seq };
            self.members().doom(&key.id, until)?;
        }
        Ok(seal.seal(&[&[OF_MEMBER], key.id.as_slice(), &inner].concat(), &bound)?)
    }

    /// The same for bytes that are no record any more.
    pub(super) fn close_unread(&self, hash: Hash, salt: &[u8], body: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.seal()?.seal(&[&[OF_TILL], salt, body].concat(), &bound(hash))?)
    }

    fn key_for(
        &self,
        seal: &Seal,
        record: &Record,
        of_sale: impl FnOnce() -> Result<Customer, Error>,
    ) -> Result<Option<MemberKey>, Error> {
        let customer = match personal::about(record) {
            About::Nobody => return Ok(None),
            About::Member(member) => Customer::Member(member),
            About::MemberOfSale => of_sale()?,
        };
        let mut members = self.members();
        Ok(match customer {
            Customer::Nobody => None,
            Customer::Member(member) => Some(members.of(seal, &member)?),
            Customer::Forgotten => {
                let key = members.of_nobody(seal)?;
                let until = Until { epoch: record.header.epoch.0, seq: record.header.seq };
                Some(MemberKey { until: Some(until), ..key })
            }
        })
    }

    /// Fetches a body that was put away under `hash`.
    pub(super) fn open(&self, hash: Hash, seq: u64, sealed: &[u8]) -> Result<Opened, Error> {
        let seal = self.seal()?;
        let broken = || Error::Unsealable { seq, source: Broken::BodyHash { seq } };
        let bound = bound(hash);
        let opened = seal.open(sealed, &bound).map_err(|_| broken())?;
        match opened.split_first() {
            Some((&OF_TILL, whole)) => split(whole).ok_or_else(broken),
            Some((&OF_MEMBER, rest)) => {
                let (id, inner) = rest.split_first_chunk::<KEY_ID_BYTES>().ok_or_else(broken)?;
                let key = match self.members().find(seal, id) {
                    Ok(Some(key)) => key,
                    Ok(None) => return Ok(Opened::Erased),
                    Err(KeyError::DoesNotOpen) => return Ok(Opened::Lost),
                    Err(KeyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                        return Err(Error::NoMembers { path: self.path.clone() });
                    }
                    Err(error) => return Err(error.into()),
                };
                let whole = key.seal.open(inner, &bound).map_err(|_| broken())?;
                split(&whole).ok_or_else(broken)
            }
            Some(_) | None => Err(broken()),
        }
    }

    /// Seals other bytes of this till, such as a snapshot.
    pub(super) fn seal_bytes(&self, bytes: &[u8], aad: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.seal()?.seal(bytes, aad)?)
    }

    /// Opens them again; none where they are not what they were.
    pub(super) fn open_bytes(&self, sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        self.seal.as_ref()?.open(sealed, aad).ok()
    }

    /// Whether a member waits to be forgotten.
    pub(super) fn owes_forgetting(&self) -> Result<bool, Error> {
        Ok(self.members().any_doomed(self.seal()?)?)
    }

    /// Destroys the keys of members whose last record is safe elsewhere.
    pub(super) fn forget(&self, is_safe: impl Fn(Until) -> bool) -> Result<usize, Error> {
        Ok(self.members().destroy(self.seal()?, is_safe)?)
    }

    fn members(&self) -> MutexGuard<'_, MemberKeys> {
        // What is in memory is an index of the file, and is looked up again.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The customer of a sale.
pub(super) enum Customer {
    /// Unknown.
    Nobody,
    /// A member.
    Member(String),
    /// A member who was forgotten.
    Forgotten,
}

impl Customer {
    /// As the last recognition in a sale says.
    #[allow(clippy::wildcard_enum_match_arm)] // one kind is asked for
    pub(super) fn of(recognised: &Record) -> Self {
        match &recognised.body {
            Body::MemberRecognised { member, .. } => Self::Member(member.clone()),
            // Nobody can say who that was: what follows is not kept for longer than it is owed either.
            Body::Erased { .. } | Body::Unreadable { .. } => Self::Forgotten,
            _ => Self::Nobody,
        }
    }
}

/// Salt and bytes; a body always has some.
fn split(whole: &[u8]) -> Option<Opened> {
    let (salt, bytes) = whole.split_first_chunk::<SALT_BYTES>()?;
    (!bytes.is_empty()).then(|| Opened::Whole(*salt, bytes.to_vec()))
}

/// What a sealed body is bound to: the hash of its header, which has terminal, epoch, number and body hash in it.
fn bound(hash: Hash) -> Vec<u8> {
    [b"till/sealed-body/1\n".as_slice(), &hash.0].concat()
}

fn mark(connection: &Connection) -> rusqlite::Result<Option<[u8; 32]>> {
    connection.query_row("SELECT mark FROM seal", [], |row| row.get(0)).optional()
}

impl From<KeyError> for Error {
    fn from(source: KeyError) -> Self {
        Self::Key(source)
    }
}

#[cfg(test)]
mod tests;
