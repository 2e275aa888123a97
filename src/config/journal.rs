//! The room that the journal needs on its disk, as a configuration has it.

use serde::Deserialize;

/// Where a till begins to worry about its disk, and where it stops selling; in mebibytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// Below this people are told.
    pub warn_mib: u64,
    /// Below this nothing new is sold.
    pub floor_mib: u64,
    /// What is held back to finish what is under way; at most the floor.
    pub ballast_mib: u64,
}

impl Default for Journal {
    fn default() -> Self {
        Self { warn_mib: 256, floor_mib: 64, ballast_mib: 16 }
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
        Ok(())
    }
}
