//! When something happened, as an edge read it: four clocks side by side.
//!
//! Records are never ordered by wall time; their sequence is their order.

use crate::record::ids::{hex, unhex};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One start of the machine, as the kernel names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct BootId(pub [u8; 16]);

impl Serialize for BootId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for BootId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        unhex(&text).map(Self).ok_or_else(|| serde::de::Error::custom("a boot id has 32 hexadecimal digits"))
    }
}

/// Wall clock, boot, monotonic clock, and how far the cloud's clock was ahead when last heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970 by this machine's wall clock, which may be wrong.
    pub wall_ms: i64,
    /// Which start of the machine.
    pub boot: BootId,
    /// Milliseconds since that start, sleep included.
    pub monotonic_ms: u64,
    /// Cloud time minus wall time in milliseconds, when the cloud was last heard.
    pub cloud_offset_ms: Option<i64>,
}

/// A point on the monotonic clock of one boot. On any other boot it is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Deadline {
    /// The boot whose clock counts.
    pub boot: BootId,
    /// Milliseconds since that boot.
    pub monotonic_ms: u64,
}

/// Why a clock is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// It moved by itself: the wall clock went elsewhere than the monotonic one.
    Jumped,
    /// It says a time before this program was made.
    BeforeBuild,
    /// It says a time before the bundle in force was made.
    BeforeBundle,
    /// It says a time before the newest record whose time could be believed.
    BeforeRecords,
    /// It says a time long after that record, and nobody has confirmed it.
    FarAhead,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Jumped, Self::BeforeBuild, Self::BeforeBundle, Self::BeforeRecords, Self::FarAhead];

    /// What a manager is told.
    pub fn words(self) -> &'static str {
        match self {
            Self::Jumped => {
                "The clock was moved by more than a minute: coupons, vouchers, member codes and phone orders wait until head office has told the time. Cash and wallets go on."
            }
            Self::BeforeBuild => {
                "The clock says a time before this program was made; its battery may be empty. Coupons, vouchers, member codes and phone orders wait until head office has told the time. Cash and wallets go on."
            }
            Self::BeforeBundle => {
                "The clock runs behind the prices that head office has sent. Coupons, vouchers, member codes and phone orders wait until it has told the time. Cash and wallets go on."
            }
            Self::BeforeRecords => {
                "The clock runs behind what this till has already written down. Coupons, vouchers, member codes and phone orders wait until head office has told the time. Cash and wallets go on."
            }
            Self::FarAhead => {
                "The clock is more than a month ahead of the last sale. Coupons, vouchers, member codes and phone orders wait until head office has told the time. Cash and wallets go on."
            }
        }
    }
}

impl Moment {
    /// Wall time, corrected by the cloud's clock where it is known, in Unix milliseconds.
    pub fn corrected_ms(&self) -> i64 {
        self.wall_ms.saturating_add(self.cloud_offset_ms.unwrap_or(0))
    }

    /// The same in Unix seconds, never below zero.
    pub fn unix_s(&self) -> u64 {
        u64::try_from(self.corrected_ms() / 1000).unwrap_or(0)
    }

    /// The point `ms` after this moment.
    pub fn after_ms(&self, ms: u64) -> Deadline {
        Deadline { boot: self.boot, monotonic_ms: self.monotonic_ms.saturating_add(ms) }
    }

    /// How long ago `then` was, in milliseconds: by the monotonic clock of the same boot, else by the corrected wall
    /// clocks, which may be wrong. Never below nothing.
    pub fn since_ms(&self, then: &Self) -> u64 {
        if then.boot == self.boot {
            return self.monotonic_ms.saturating_sub(then.monotonic_ms);
        }
        u64::try_from(self.corrected_ms().saturating_sub(then.corrected_ms())).unwrap_or(0)
    }

    /// Whether `deadline` has passed: later on its own boot, or on any other boot.
    pub fn is_past(&self, deadline: Deadline) -> bool {
        deadline.boot != self.boot || self.monotonic_ms >= deadline.monotonic_ms
    }

    /// The shop's date for this moment, corrected by the cloud's clock where it is known: the calendar date in its zone of the time less the cut, so
    /// that a sale at half past one still belongs to the evening before when the day is cut at four.
    pub fn business_date(&self, zone: &TimeZone, cut_minutes: u16) -> Date {
        let at = Timestamp::from_millisecond(self.corrected_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
        let shifted = at.saturating_sub(SignedDuration::from_mins(i64::from(cut_minutes)));
        zone.to_datetime(shifted.unwrap_or(at)).date()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_business_day_is_cut_in_the_shops_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = |text: &str| Moment {
            wall_ms: text.parse::<Timestamp>().unwrap().as_millisecond(),
            ..Moment::default()
        };
        let date = |text: &str| at(text).business_date(&zone, 4 * 60).to_string();
        assert_eq!(date("2026-11-22T03:59:59+08:00"), "2026-11-21");
        assert_eq!(date("2026-11-22T04:00:00+08:00"), "2026-11-22");
        assert_eq!(date("2026-11-22T23:59:59+08:00"), "2026-11-22");
    }

    #[test]
    fn a_deadline_of_another_boot_is_due() {
        let now = Moment { monotonic_ms: 10, ..Moment::default() };
        assert!(!now.is_past(now.after_ms(1)));
        assert!(now.is_past(now.after_ms(0)));
        assert!(now.is_past(Deadline { boot: BootId([1; 16]), monotonic_ms: u64::MAX }));
    }
}
