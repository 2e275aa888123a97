//! Bundles, coupons and tasks in SQLite.

use super::Sqlite;
use super::rows::{all, first, int, unsigned};
use crate::cloud::store::{Forgot, NewTask, Publish, Reply, StoreError, StoredBundle, Task};
use crate::money::Money;
use rusqlite::{Connection, Transaction, params};
use std::sync::Arc;

impl Publish for Sqlite {
    fn bundle_version(&self) -> Reply<'_, u64> {
        self.read(version)
    }

    fn latest_bundle(&self) -> Reply<'_, Option<StoredBundle>> {
        self.read(|db| {
            let sql = "SELECT * FROM bundle ORDER BY version DESC LIMIT 1";
            first(&mut db.prepare_cached(sql)?, [], |row| {
                Ok(StoredBundle {
                    version: unsigned(row.get("version")?)?,
                    payload: row.get("payload")?,
                    key_id: row.get("key_id")?,
                    signature: row.get("signature")?,
                })
            })
        })
    }

    fn publish(&self, bundle: StoredBundle, now_ms: i64) -> Reply<'_, bool> {
        self.write(move |tx| {
            if bundle.version != version(tx)? + 1 {
                return Ok(false);
            }
            tx.execute(
                "INSERT INTO bundle (version, payload, key_id, signature, published_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![int(bundle.version)?, bundle.payload, bundle.key_id, bundle.signature, now_ms],
            )?;
            Ok(true)
        })
    }

    fn issue_vouchers(&self, serials: Vec<String>, value: Money, now_ms: i64) -> Reply<'_, bool> {
        self.write(move |tx| {
            let known = "SELECT count(*) FROM voucher WHERE serial = ?1";
            let sql =
                "INSERT INTO voucher (serial, value_minor, currency, issued_ms) VALUES (?1, ?2, ?3, ?4)";
            for serial in &serials {
                if tx.prepare_cached(known)?.query_row([serial], |row| row.get::<_, i64>(0))? > 0 {
                    return Ok(false);
                }
            }
            for serial in &serials {
                let row = params![serial, value.minor, value.currency.code(), now_ms];
                tx.prepare_cached(sql)?.execute(row)?;
            }
            Ok(true)
        })
    }

    fn issue(&self, serials: Vec<String>, campaign: u32, now_ms: i64) -> Reply<'_, bool> {
        self.write(move |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO coupon (serial, campaign, issued_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )?;
            let mut fresh = 0;
            for serial in &serials {
                fresh += insert.execute(params![serial, campaign, now_ms])?;
            }
            Ok(fresh == serials.len())
        })
    }

    fn forget_member(&self, member: String, now_ms: i64) -> Reply<'_, Forgot> {
        let log = Arc::clone(&self.log);
        self.run(move |connection| {
            log.holds_erased();
            super::forgotten::forget(connection, &member, now_ms)
        })
    }

    fn add_members(&self, members: Vec<(String, [u8; 20])>, now_ms: i64) -> Reply<'_, bool> {
        self.write(move |tx| {
            let sql = "SELECT count(*) FROM member WHERE member = ?1";
            for (member, _) in &members {
                if tx.prepare_cached(sql)?.query_row([member], |row| row.get::<_, i64>(0))? > 0 {
                    return Ok(false);
                }
            }
            let sql = "INSERT INTO member (member, secret, joined_ms) VALUES (?1, ?2, ?3)";
            for (member, secret) in &members {
                tx.prepare_cached(sql)?.execute(params![member, secret, now_ms])?;
            }
            Ok(true)
        })
    }

    fn redeemed(&self, serial: String) -> Reply<'_, Option<(String, String)>> {
        self.read(move |db| redeemed(db, &serial))
    }

    fn tasks(&self) -> Reply<'_, Vec<Task>> {
        self.read(|db| {
            let sql = "SELECT * FROM task WHERE settled_ms IS NULL ORDER BY task DESC LIMIT 500";
            all(&mut db.prepare_cached(sql)?, [], |row| {
                Ok(Task {
                    number: row.get("task")?,
                    code: row.get("code")?,
                    words: row.get("words")?,
                    terminal: row.get("terminal")?,
                    raised_ms: row.get("raised_ms")?,
                })
            })
        })
    }

    fn settle_task(&self, number: i64, now_ms: i64) -> Reply<'_, bool> {
        self.write(move |tx| {
            let sql = "UPDATE task SET settled_ms = ?2 WHERE task = ?1 AND settled_ms IS NULL";
            Ok(tx.execute(sql, params![number, now_ms])? == 1)
        })
    }
}

pub(super) fn version(db: &Connection) -> Result<u64, StoreError> {
    unsigned(db.query_row("SELECT coalesce(max(version), 0) FROM bundle", [], |row| row.get(0))?)
}

/// Where and when a coupon was spent.
pub(super) fn redeemed(db: &Connection, serial: &str) -> Result<Option<(String, String)>, StoreError> {
    let sql = "SELECT terminal, at_words FROM coupon_redemption WHERE serial = ?1";
    first(&mut db.prepare_cached(sql)?, [serial], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Raises a task once for each subject.
pub(super) fn put_task(tx: &Transaction<'_>, task: &NewTask, now_ms: i64) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO task (code, subject, words, terminal, raised_ms) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        task.code,
        task.subject,
        task.words,
        task.terminal.as_ref().map(|terminal| terminal.as_str()),
        now_ms
    ])?;
    Ok(())
}

/// Raises a task, and once more when the same matter comes back after it was settled.
pub(super) fn reopen_task(tx: &Transaction<'_>, task: &NewTask, now_ms: i64) -> Result<(), StoreError> {
    put_task(tx, task, now_ms)?;
    tx.prepare_cached(
        "UPDATE task SET settled_ms = NULL, raised_ms = ?3
         WHERE code = ?1 AND subject = ?2 AND settled_ms IS NOT NULL",
    )?
    .execute(params![task.code, task.subject, now_ms])?;
    Ok(())
}
