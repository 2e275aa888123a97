//! Who is signed in at a screen, and who typed too many wrong PINs.
//!
//! Not here: checking a PIN (`staff`), and the record of signing in (`counter`).

use super::EdgeStore;
use crate::journal::{Error, row};
use crate::record::ids::{StaffId, StationId};
use rusqlite::{OptionalExtension, Row};

/// Sessions kept; with more, those that expire first end. A till has a handful of screens.
pub const SESSIONS_MAX: u32 = 256;

/// Wrong PINs in a row before a person is locked out: a four-digit PIN then takes years to guess.
pub const LOCK_OUT_AFTER: u32 = 5;

/// The first lock-out in milliseconds: five minutes. Each further wrong PIN doubles it.
pub const LOCK_OUT_MS: i64 = 5 * 60 * 1000;

/// The longest lock-out in milliseconds: four hours, half a shift.
pub const LOCK_OUT_MS_MAX: i64 = 4 * 60 * 60 * 1000;

/// Somebody signed in at a screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Who.
    pub staff: StaffId,
    /// Where.
    pub station: StationId,
    /// When it ends by this machine's wall clock, milliseconds since 1970.
    pub expires_ms: i64,
}

impl EdgeStore {
    /// Keeps a session under the hash of its token, and forgets those that are over at `now_ms`.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn create_session(&self, token_hash: &[u8; 32], session: &Session, now_ms: i64) -> Result<(), Error> {
        const TOO_MANY: &str = "DELETE FROM session WHERE token_hash NOT IN
            (SELECT token_hash FROM session ORDER BY expires_ms DESC LIMIT ?1)";
        self.write(|transaction| {
            transaction.execute("DELETE FROM session WHERE expires_ms <= ?1", [now_ms])?;
            transaction.execute(
                "INSERT OR REPLACE INTO session (token_hash, staff, station, expires_ms)
                VALUES (?1, ?2, ?3, ?4)",
                (token_hash, session.staff.as_str(), session.station.as_str(), session.expires_ms),
            )?;
            transaction.execute(TOO_MANY, [SESSIONS_MAX]).map(drop)
        })
    }

    /// The session of a token's hash, unless it is over at `now_ms`.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn session(&self, token_hash: &[u8; 32], now_ms: i64) -> Result<Option<Session>, Error> {
        const SQL: &str = "SELECT staff, station, expires_ms FROM session
            WHERE token_hash = ?1 AND expires_ms > ?2";
        self.read(|connection| {
            connection.prepare_cached(SQL)?.query_row((token_hash, now_ms), session).optional()
        })
    }

    /// Ends a session; none under that hash is no error.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn end_session(&self, token_hash: &[u8; 32]) -> Result<(), Error> {
        let sql = "DELETE FROM session WHERE token_hash = ?1";
        self.write(|transaction| transaction.execute(sql, [token_hash]).map(drop))
    }

    /// Counts a wrong PIN and says how many there were in a row. From [`LOCK_OUT_AFTER`] on each one locks
    /// the person out, longer each time.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn note_failed_pin(&self, staff: &StaffId, at_ms: i64) -> Result<u32, Error> {
        self.write(|transaction| {
            let before: Option<u32> = transaction
                .query_row("SELECT attempts FROM failed_pin WHERE staff = ?1", [staff.as_str()], |row| {
                    row.get(0)
                })
                .optional()?;
            let attempts = before.unwrap_or(0).saturating_add(1);
            let until = lock_out_ms(attempts).map(|ms| at_ms.saturating_add(ms));
            transaction.execute(
                "INSERT OR REPLACE INTO failed_pin (staff, attempts, locked_until_ms) VALUES (?1, ?2, ?3)",
                (staff.as_str(), attempts, until),
            )?;
            Ok(attempts)
        })
    }

    /// Forgets a person's wrong PINs, after a right one.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn clear_failed_pins(&self, staff: &StaffId) -> Result<(), Error> {
        let sql = "DELETE FROM failed_pin WHERE staff = ?1";
        self.write(|transaction| transaction.execute(sql, [staff.as_str()]).map(drop))
    }

    /// Until when a person is locked out, by this machine's wall clock in milliseconds since 1970; it may
    /// have passed. `now_ms` is what that clock says: where it fell back, the lock-out lasts from now on no longer than
    /// the longest one does, and that is written down.
    ///
    /// # Errors
    /// [`Error::ReadEdge`], or [`Error::WriteEdge`].
    pub fn locked_until(&self, staff: &StaffId, now_ms: i64) -> Result<Option<i64>, Error> {
        let sql = "SELECT locked_until_ms FROM failed_pin WHERE staff = ?1";
        let until = self.read(|connection| {
            connection.query_row(sql, [staff.as_str()], |row| row.get::<_, Option<i64>>(0)).optional()
        })?;
        let longest_ms = now_ms.saturating_add(LOCK_OUT_MS_MAX);
        let Some(until_ms) = until.flatten() else { return Ok(None) };
        if until_ms <= longest_ms {
            return Ok(Some(until_ms));
        }
        let shorter = "UPDATE failed_pin SET locked_until_ms = ?2 WHERE staff = ?1";
        self.write(|transaction| transaction.execute(shorter, (staff.as_str(), longest_ms)).map(drop))?;
        Ok(Some(longest_ms))
    }
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        staff: row::parsed(0, row.get::<_, String>(0)?.parse())?,
        station: row::parsed(1, row.get::<_, String>(1)?.parse())?,
        expires_ms: row.get(2)?,
    })
}

/// How long a wrong PIN locks out; none while it is not one too many.
fn lock_out_ms(attempts: u32) -> Option<i64> {
    let doublings = attempts.checked_sub(LOCK_OUT_AFTER)?;
    let factor = 2_i64.checked_pow(doublings).unwrap_or(i64::MAX);
    Some(LOCK_OUT_MS.saturating_mul(factor).min(LOCK_OUT_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, EdgeStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = EdgeStore::open(dir.path()).unwrap();
        (dir, store)
    }

    fn mia_until(expires_ms: i64) -> Session {
        Session { staff: "mia".parse().unwrap(), station: "front".parse().unwrap(), expires_ms }
    }

    #[test]
    fn a_session_holds_until_it_expires_or_ends() {
        let (_dir, store) = store();
        store.create_session(&[1; 32], &mia_until(100), 0).unwrap();
        assert_eq!(store.session(&[1; 32], 99).unwrap(), Some(mia_until(100)));
        assert_eq!(store.session(&[1; 32], 100).unwrap(), None);
        assert_eq!(store.session(&[2; 32], 0).unwrap(), None);
        store.end_session(&[1; 32]).unwrap();
        assert_eq!(store.session(&[1; 32], 0).unwrap(), None);
    }

    #[test]
    fn sessions_do_not_pile_up() {
        let (_dir, store) = store();
        for number in 0..=SESSIONS_MAX {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&number.to_be_bytes());
            store.create_session(&hash, &mia_until(1000 + i64::from(number)), 0).unwrap();
        }
        assert_eq!(store.session(&[0; 32], 0).unwrap(), None, "the one that expires first");
        store.create_session(&[9; 32], &mia_until(9999), 5000).unwrap();
        let left = store.read(|connection| {
            connection.query_row("SELECT count(*) FROM session", [], |row| row.get::<_, i64>(0))
        });
        assert_eq!(left.unwrap(), 1, "those that are over are forgotten");
    }

    #[test]
    fn wrong_pins_lock_a_person_out_for_longer_each_time() {
        let (_dir, store) = store();
        let (mia, tom) = ("mia".parse().unwrap(), "tom".parse().unwrap());
        for attempt in 1..LOCK_OUT_AFTER {
            assert_eq!(store.note_failed_pin(&mia, 1000).unwrap(), attempt);
        }
        assert_eq!(store.locked_until(&mia, 1000).unwrap(), None);
        store.note_failed_pin(&mia, 1000).unwrap();
        assert_eq!(store.locked_until(&mia, 1000).unwrap(), Some(1000 + LOCK_OUT_MS));
        store.note_failed_pin(&mia, 1000).unwrap();
        assert_eq!(store.locked_until(&mia, 1000).unwrap(), Some(1000 + 2 * LOCK_OUT_MS));
        for _ in 0..80 {
            store.note_failed_pin(&mia, 1000).unwrap();
        }
        assert_eq!(store.locked_until(&mia, 1000).unwrap(), Some(1000 + LOCK_OUT_MS_MAX));
        assert_eq!(store.locked_until(&tom, 1000).unwrap(), None);
        store.clear_failed_pins(&mia).unwrap();
        assert_eq!(store.locked_until(&mia, 1000).unwrap(), None);
        assert_eq!(store.note_failed_pin(&mia, 1000).unwrap(), 1);
    }
}
