//! Joins the journal with what the cloud made of it: payments, refunds, receipts, coupons, visits, orders.
//!
//! Only what the cloud has booked is asked for: records that it has not received or not booked are a finding
//! of their own, and what follows from them is not a second one.

mod orders;
mod payments;
mod receipts;

use super::Error;
use super::books::Books;
use super::chain::Streams;
use super::code;
use super::file::File;
use super::report::{Counts, Finding, Findings, Place};

/// One till's part of the cloud's database, beside that till's journal.
struct Side<'a> {
    cloud: &'a File,
    terminal: &'a str,
    streams: &'a Streams,
    books: &'a Books,
}

/// Compares everything that the cloud keeps of this till.
pub(super) fn join(
    cloud: &File,
    streams: &Streams,
    books: &Books,
    findings: &mut Findings,
    counts: &mut Counts,
) -> Result<(), Error> {
    let Some(terminal) = streams.terminal.as_deref() else { return Ok(()) };
    let side = Side { cloud, terminal, streams, books };
    side.streams_of_others(findings)?;
    side.payments(findings)?;
    side.refunds(findings)?;
    side.receipts(findings)?;
    side.coupons(findings)?;
    side.visits(findings)?;
    side.orders(findings)?;
    let sql = "SELECT count(*) FROM verdict WHERE terminal = ?1 AND ruling = 'refused'";
    cloud.each(sql, [terminal], |row| {
        counts.verdicts_refused = u64::try_from(row.get::<_, i64>(0)?).ok();
        Ok(())
    })
}

impl Side<'_> {
    /// Whether the cloud has booked the record at this place.
    fn has_booked(&self, place: Place) -> bool {
        self.streams.booked.get(&place.epoch).is_some_and(|booked| place.seq <= *booked)
    }

    /// Whether the cloud refused what the record at this place says.
    fn has_refused(&self, place: Place) -> Result<bool, Error> {
        let sql =
            "SELECT 1 FROM verdict WHERE terminal = ?1 AND epoch = ?2 AND seq = ?3 AND ruling = 'refused'";
        let seq = i64::try_from(place.seq).unwrap_or(i64::MAX);
        let mut refused = false;
        self.cloud.each(sql, (self.terminal, place.epoch.to_string(), seq), |_| {
            refused = true;
            Ok(())
        })?;
        Ok(refused)
    }

    /// Epochs of this till that its journal does not hold, and second branches.
    fn streams_of_others(&self, findings: &mut Findings) -> Result<(), Error> {
        let sql = "SELECT epoch, high FROM stream WHERE terminal = ?1 ORDER BY opened_ms, epoch";
        self.cloud.each(sql, [self.terminal], |row| {
            let (epoch, high): (String, i64) = (row.get(0)?, row.get(1)?);
            if !epoch.parse().is_ok_and(|epoch| self.streams.ends.contains_key(&epoch)) {
                let words = format!(
                    "The cloud has {high} records of epoch {epoch}, which this journal does not hold."
                );
                findings.add(Finding::new(code::RECORD_ONLY_AT_CLOUD, words));
            }
            Ok(())
        })?;
        let sql = "SELECT epoch, seq FROM fork WHERE terminal = ?1 ORDER BY epoch, seq";
        self.cloud.each(sql, [self.terminal], |row| {
            let (epoch, seq): (String, i64) = (row.get(0)?, row.get(1)?);
            let words =
                format!("The cloud was sent record {seq} of epoch {epoch} twice, with different contents.");
            findings.add(Finding::new(code::FORK, words));
            Ok(())
        })
    }
}
