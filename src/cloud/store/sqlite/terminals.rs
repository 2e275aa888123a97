//! Tills, pairings and notices in SQLite.

use super::Sqlite;
use super::publish::version;
use super::rows::{all, bytes, first, int, parsed, unsigned};
use super::streams::latest_streams;
use crate::cloud::store::terminals::{PENDING_MAX, PENDING_OF_NAME_MAX, REFUSED_TOLD};
use crate::cloud::store::{
    Complete, Decision, News, Notice, NoticeBody, Pairing, PairingState, Reply, StoreError, Terminal,
    Terminals,
};
use crate::record::ids::TerminalId;
use rusqlite::{Connection, Row, Transaction, params};

/// Notices in one answer: a till that was away for days takes them in several.
const NOTICES_MAX: usize = 200;

impl Terminals for Sqlite {
    fn ask_pairing(&self, pairing: Pairing) -> Reply<'_, Option<PairingState>> {
        self.write(move |tx| {
            let known: Option<String> = first(
                &mut tx.prepare_cached("SELECT state FROM pairing WHERE terminal = ?1 AND public_key = ?2")?,
                params![pairing.terminal.as_str(), pairing.public_key],
                |row| Ok(row.get(0)?),
            )?;
            if let Some(word) = known {
                return state(&word).map(Some);
            }
            let (waiting, of_name): (i64, i64) = tx.query_row(
                "SELECT count(*), count(*) FILTER (WHERE terminal = ?1) FROM pairing WHERE state = 'pending'",
                [pairing.terminal.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if waiting >= PENDING_MAX || of_name >= PENDING_OF_NAME_MAX {
                return Ok(None);
            }
            tx.execute(
                "INSERT INTO pairing (terminal, public_key, name, state, asked_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    pairing.terminal.as_str(),
                    pairing.public_key,
                    pairing.name,
                    PairingState::Pending.word(),
                    pairing.asked_ms
                ],
            )?;
            Ok(Some(PairingState::Pending))
        })
    }

    fn pairings_of(&self, terminal: TerminalId) -> Reply<'_, Vec<Pairing>> {
        self.read(move |db| {
            // All that wait, and the one that is approved; only of the refused there can be more than are read.
            let sql = "SELECT * FROM pairing WHERE terminal = ?1
                       ORDER BY state = 'refused', decided_ms DESC LIMIT ?2";
            let most = PENDING_MAX + 1 + REFUSED_TOLD;
            all(&mut db.prepare_cached(sql)?, params![terminal.as_str(), most], pairing)
        })
    }

    fn pairings(&self) -> Reply<'_, Vec<Pairing>> {
        self.read(|db| {
            let sql = "SELECT * FROM pairing ORDER BY state = 'pending' DESC, asked_ms DESC LIMIT 1000";
            all(&mut db.prepare_cached(sql)?, [], pairing)
        })
    }

    fn decide_pairing(
        &self,
        terminal: TerminalId,
        key: [u8; 32],
        decision: Decision,
        now_ms: i64,
    ) -> Reply<'_, bool> {
        self.write(move |tx| {
            let to = match decision {
                Decision::Approve => PairingState::Approved,
                Decision::Refuse => PairingState::Refused,
            };
            let changed = tx.execute(
                "UPDATE pairing SET state = ?3, decided_ms = ?4
                 WHERE terminal = ?1 AND public_key = ?2 AND state = 'pending'",
                params![terminal.as_str(), key, to.word(), now_ms],
            )?;
            if changed == 1 && decision == Decision::Approve {
                tx.execute(
                    "UPDATE pairing SET state = 'refused', decided_ms = ?3
                     WHERE terminal = ?1 AND public_key <> ?2 AND state = 'approved'",
                    params![terminal.as_str(), key, now_ms],
                )?;
                tx.execute(
                    "INSERT INTO terminal (terminal, public_key, name, paired_ms, heard_ms)
                     SELECT terminal, public_key, name, ?3, 0 FROM pairing
                     WHERE terminal = ?1 AND public_key = ?2
                     ON CONFLICT (terminal) DO UPDATE SET public_key = excluded.public_key,
                         name = excluded.name, paired_ms = excluded.paired_ms",
                    params![terminal.as_str(), key, now_ms],
                )?;
            }
            Ok(changed == 1)
        })
    }

    fn terminal(&self, id: TerminalId) -> Reply<'_, Option<Terminal>> {
        self.read(move |db| {
            let sql = "SELECT * FROM terminal WHERE terminal = ?1";
            first(&mut db.prepare_cached(sql)?, [id.as_str()], terminal)
        })
    }

    fn terminals(&self) -> Reply<'_, Vec<Terminal>> {
        self.read(|db| {
            all(&mut db.prepare_cached("SELECT * FROM terminal ORDER BY terminal LIMIT 10000")?, [], terminal)
        })
    }

    fn heard(&self, id: TerminalId, now_ms: i64) -> Reply<'_, ()> {
        self.write(move |tx| {
            tx.execute(
                "UPDATE terminal SET heard_ms = ?2 WHERE terminal = ?1 AND heard_ms < ?2",
                params![id.as_str(), now_ms],
            )?;
            Ok(())
        })
    }

    fn news(&self, terminal: TerminalId, after: u64, now_ms: i64) -> Reply<'_, News> {
        self.snapshot(move |tx| {
            let notices = notices(tx, &terminal, after, now_ms)?;
            let complete = if notices.len() < NOTICES_MAX { Complete::All } else { Complete::Part };
            let (bundle_version, (streams, streams_told)) = (version(tx)?, latest_streams(tx, &terminal)?);
            Ok(News { notices, complete, bundle_version, streams, streams_told })
        })
    }
}

fn notices(
    db: &Connection,
    terminal: &TerminalId,
    after: u64,
    now_ms: i64,
) -> Result<Vec<Notice>, StoreError> {
    let sql = "SELECT number, kind, body FROM notice
               WHERE terminal = ?1 AND number > ?2 AND (until_ms IS NULL OR until_ms > ?3)
               ORDER BY number LIMIT ?4";
    // A number beyond what can be kept is after everything.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let most = i64::try_from(NOTICES_MAX).unwrap_or(i64::MAX);
    all(&mut db.prepare_cached(sql)?, params![terminal.as_str(), after, now_ms, most], |row| {
        Ok(Notice { number: unsigned(row.get(0)?)?, kind: row.get(1)?, body: row.get(2)? })
    })
}

/// Numbers a notice and keeps it.
pub(super) fn put_notice(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    notice: &NoticeBody,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let number = next_number(tx, "notice", terminal, now_ms)?;
    tx.prepare_cached(
        "INSERT INTO notice (terminal, number, kind, body, until_ms, made_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        terminal.as_str(),
        int(number)?,
        notice.kind,
        notice.body.to_string(),
        notice.until_ms,
        now_ms
    ])?;
    Ok(number)
}

/// The next number of a till's own series in `notice` or `verdict`. The table's key guards it.
///
/// Numbers rise with the clock: a store that was put back to an earlier day goes on above all that its tills have taken
/// already, and none of them passes over what is new.
pub(super) fn next_number(
    tx: &Connection,
    table: &'static str,
    terminal: &TerminalId,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let sql = format!("SELECT max(coalesce(max(number), 0) + 1, ?2) FROM {table} WHERE terminal = ?1");
    unsigned(tx.prepare_cached(&sql)?.query_row(params![terminal.as_str(), now_ms.max(1)], |row| row.get(0))?)
}

fn state(word: &str) -> Result<PairingState, StoreError> {
    PairingState::of_word(word).ok_or_else(|| StoreError::Damaged(format!("the pairing state {word:?}")))
}

fn pairing(row: &Row<'_>) -> Result<Pairing, StoreError> {
    Ok(Pairing {
        terminal: parsed(&row.get::<_, String>("terminal")?)?,
        public_key: bytes(row, "public_key")?,
        name: row.get("name")?,
        state: state(&row.get::<_, String>("state")?)?,
        asked_ms: row.get("asked_ms")?,
    })
}

fn terminal(row: &Row<'_>) -> Result<Terminal, StoreError> {
    Ok(Terminal {
        id: parsed(&row.get::<_, String>("terminal")?)?,
        public_key: bytes(row, "public_key")?,
        name: row.get("name")?,
        heard_ms: row.get("heard_ms")?,
    })
}
