//! Quotas and leases in SQLite: each change names the state that it expects.

use super::Sqlite;
use super::rows::{all, first, int, unsigned};
use crate::cloud::store::leases::{BEYOND_NUMBERS, LeaseRow, Leases, NewLease, Quota};
use crate::cloud::store::{Reply, StoreError};
use crate::record::Epoch;
use crate::record::ids::TerminalId;
use crate::record::lease::Lease;
use rusqlite::{Row, Transaction, params};

impl Leases for Sqlite {
    fn set_quota(&self, campaign: u32, total: u64) -> Reply<'_, bool> {
        self.write(move |tx| {
            let changed = tx.execute(
                "INSERT INTO campaign_quota (campaign, total) VALUES (?1, ?2)
                 ON CONFLICT (campaign) DO UPDATE SET total = ?2 WHERE let_out <= ?2",
                params![campaign, int(total)?],
            )?;
            Ok(changed == 1)
        })
    }

    fn quotas(&self) -> Reply<'_, Vec<Quota>> {
        self.read(|db| {
            // What was let out and is in no lease here went out before this database was put back.
            let sql = "SELECT q.campaign, q.total, coalesce(sum(l.used), 0) AS spent,
                     coalesce(sum((l.uses - l.used - l.returned) * (l.lost_ms IS NULL)), 0) AS leased,
                     coalesce(sum((l.uses - l.used - l.returned) * (l.lost_ms IS NOT NULL)), 0)
                         + q.granted - coalesce(sum(l.uses), 0) AS lost
                 FROM campaign_quota AS q LEFT JOIN lease AS l ON l.campaign = q.campaign
                 GROUP BY q.campaign ORDER BY q.campaign";
            all(&mut db.prepare_cached(sql)?, [], |row| {
                Ok(Quota {
                    campaign: row.get("campaign")?,
                    total: unsigned(row.get("total")?)?,
                    spent: unsigned(row.get("spent")?)?,
                    leased: unsigned(row.get("leased")?)?,
                    lost: unsigned(row.get("lost")?)?,
                })
            })
        })
    }

    fn lease(&self, wanted: NewLease) -> Reply<'_, Option<LeaseRow>> {
        self.write_granted(move |tx| {
            let (terminal, epoch) = (wanted.terminal.as_str(), wanted.epoch.to_string());
            let told_again = first(
                &mut tx.prepare_cached(
                    "SELECT number, uses, until_s FROM lease
                     WHERE terminal = ?1 AND epoch = ?2 AND campaign = ?3 AND number > ?4
                       AND lost_ms IS NULL AND used + returned = 0
                     ORDER BY number LIMIT 1",
                )?,
                params![terminal, epoch, wanted.campaign, int(wanted.has)?],
                lease_row,
            )?;
            if told_again.is_some() {
                return Ok(told_again);
            }
            let free: Option<i64> = first(
                &mut tx.prepare_cached("SELECT total - let_out FROM campaign_quota WHERE campaign = ?1")?,
                [wanted.campaign],
                |row| Ok(row.get(0)?),
            )?;
            // A part of what is left, so that the last ones do not all lie at one till.
            let part = free.unwrap_or(0).saturating_add(PART - 1) / PART;
            let uses = part.min(i64::from(wanted.most));
            if uses <= 0 {
                return Ok(None);
            }
            let moved = tx.execute(
                "UPDATE campaign_quota SET let_out = let_out + ?2, granted = granted + ?2
                 WHERE campaign = ?1 AND let_out + ?2 <= total",
                params![wanted.campaign, uses],
            )?;
            if moved == 0 {
                return Ok(None);
            }
            let last: i64 = tx.query_row(
                "SELECT coalesce(max(number), 0) FROM lease WHERE terminal = ?1 AND epoch = ?2 AND campaign = ?3",
                params![terminal, epoch, wanted.campaign],
                |row| row.get(0),
            )?;
            // A cloud that was restored has forgotten some: numbers go on from the till's, too.
            let last = last.max(int(wanted.has)?);
            let number = last.checked_add(1).ok_or_else(|| StoreError::Damaged(format!("a lease {last}")))?;
            tx.execute(
                "INSERT INTO lease (terminal, epoch, campaign, number, uses, until_s, granted_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![terminal, epoch, wanted.campaign, number, uses, int(wanted.until_s)?, wanted.now_ms],
            )?;
            let uses = u32::try_from(uses).map_err(|_| StoreError::Damaged(format!("a lease of {uses}")))?;
            Ok(Some(LeaseRow { number: unsigned(number)?, uses, until_s: wanted.until_s }))
        })
    }

    fn write_off(&self, terminal: TerminalId, now_ms: i64) -> Reply<'_, u64> {
        self.write(move |tx| {
            let open = "terminal = ?1 AND lost_ms IS NULL AND used + returned < uses";
            let held: i64 = tx.query_row(
                &format!("SELECT coalesce(sum(uses - used - returned), 0) FROM lease WHERE {open}"),
                [terminal.as_str()],
                |row| row.get(0),
            )?;
            let sql = format!("UPDATE lease SET lost_ms = ?2 WHERE {open}");
            tx.execute(&sql, params![terminal.as_str(), now_ms])?;
            unsigned(held)
        })
    }
}

/// One lease is at most this part of what is free.
const PART: i64 = 4;

fn lease_row(row: &Row<'_>) -> Result<LeaseRow, StoreError> {
    Ok(LeaseRow {
        number: unsigned(row.get("number")?)?,
        uses: row.get("uses")?,
        until_s: unsigned(row.get("until_s")?)?,
    })
}

/// A lease that a till says it has: of one that this database does not know, or with other uses, the most counts as let
/// out. What had been let out without being known is less by it, so it does not count twice.
pub(super) fn hold(tx: &Transaction<'_>, lease: &Lease, now_ms: i64) -> Result<(), StoreError> {
    let Lease { terminal, epoch, campaign, number, uses, until_s } = lease;
    if *number >= BEYOND_NUMBERS {
        // The record is parked: nothing could be numbered after it.
        return Err(StoreError::Damaged(format!("a lease with the number {number}")));
    }
    let known = tx
        .prepare_cached(
            "SELECT count(*) FROM lease
             WHERE terminal = ?1 AND epoch = ?2 AND campaign = ?3 AND number = ?4 AND uses >= ?5",
        )?
        .query_row(params![terminal.as_str(), epoch.to_string(), campaign, int(*number)?, uses], |row| {
            row.get::<_, i64>(0)
        })?;
    if known > 0 || *uses == 0 || *number == 0 {
        return Ok(());
    }
    tx.prepare_cached("INSERT INTO campaign_quota (campaign, total) VALUES (?1, 0) ON CONFLICT DO NOTHING")?
        .execute([campaign])?;
    tx.prepare_cached(
        "INSERT INTO lease (terminal, epoch, campaign, number, uses, until_s, granted_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (terminal, epoch, campaign, number) DO UPDATE SET uses = excluded.uses",
    )?
    .execute(params![
        terminal.as_str(),
        epoch.to_string(),
        campaign,
        int(*number)?,
        uses,
        int(*until_s)?,
        now_ms
    ])?;
    // Beyond what is known to have been let out it was let out, too.
    tx.prepare_cached(
        "UPDATE campaign_quota SET let_out = let_out + beyond, granted = granted + beyond
         FROM (SELECT max(0, (SELECT sum(uses) FROM lease WHERE campaign = ?1)
             - (SELECT granted FROM campaign_quota WHERE campaign = ?1)) AS beyond)
         WHERE campaign = ?1",
    )?
    .execute([campaign])?;
    Ok(())
}

/// A use of a lease. False when nothing was left of it.
pub(super) fn use_one(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    epoch: Epoch,
    campaign: u32,
    lease: u64,
) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE lease SET used = used + 1
             WHERE terminal = ?1 AND epoch = ?2 AND campaign = ?3 AND number = ?4 AND used + returned < uses",
        )?
        .execute(params![terminal.as_str(), epoch.to_string(), campaign, int(lease)?])?;
    Ok(changed == 1)
}

/// Uses that a till gives back: free again, unless the lease was written off. False when it gives back more than it has.
pub(super) fn take_back(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    epoch: Epoch,
    campaign: u32,
    lease: u64,
    uses: u32,
) -> Result<bool, StoreError> {
    let key = params![terminal.as_str(), epoch.to_string(), campaign, int(lease)?, uses];
    let lost: Option<bool> = first(
        &mut tx.prepare_cached(
            "SELECT lost_ms IS NOT NULL FROM lease
             WHERE terminal = ?1 AND epoch = ?2 AND campaign = ?3 AND number = ?4 AND used + returned + ?5 <= uses",
        )?,
        key,
        |row| Ok(row.get(0)?),
    )?;
    match lost {
        None => Ok(false),
        // What was written off stays spent.
        Some(true) => Ok(true),
        Some(false) => {
            tx.prepare_cached(
                "UPDATE lease SET returned = returned + ?5
                 WHERE terminal = ?1 AND epoch = ?2 AND campaign = ?3 AND number = ?4",
            )?
            .execute(key)?;
            tx.prepare_cached("UPDATE campaign_quota SET let_out = let_out - ?2 WHERE campaign = ?1")?
                .execute(params![campaign, uses])?;
            Ok(true)
        }
    }
}
