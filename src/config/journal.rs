//! The room that the journal needs on its disk, and how long it keeps records, as a configuration has it.

use serde::Deserialize;

/// The fewest days of which records are kept: returns, late money and questions of customers come within a month.
const KEEP_DAYS_MIN: u16 = 31;

/// Where a till begins to worry about its disk, and where it stops selling, in mebibytes; and how long it keeps records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// Below this people are told.
    pub warn_mib: u64,
    /// Below this nothing new is sold.
    pub floor_mib: u64,
    /// What is held back to finish what is under way; at most the floor.
    pub ballast_mib: u64,
    /// Business days of which records are kept once head office has ruled on them; none given means all.
    pub keep_days: Option<u16>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { warn_mib: 256, floor_mib: 64, ballast_mib: 16, keep_days: None }
    }
}

impl Journal {
    /// What is wrong with it, in words.
    pub(super) fn check(self) -> Result<(), String> {
        /// More than any disk of a counter has.
        const MIB_MAX: u64 = 1024 * 1024;
        if self.warn_mib > MIB_MAX {
            return Err(format!("warn_mib is {}: at most {MIB_MAX} make sense", self.warn_mib));
        }
        if self.floor_mib > self.warn_mib {
            return Err("floor_mib is more than warn_mib: people are told before selling stops".to_owned());
        }
        if self.ballast_mib > self.floor_mib {
            return Err(
                "ballast_mib is more than floor_mib: it would take the room that is sold on".to_owned()
            );
        }
        if let Some(days) = self.keep_days.filter(|days| *days < KEEP_DAYS_MIN) {
            return Err(format!(
                "keep_days is {days}: at least {KEEP_DAYS_MIN}, because goods come back and customers ask for a month"
            ));
        }
        Ok(())
    }
}
