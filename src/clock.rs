//! The one place that reads clocks and draws chance; everything inside takes them as parameters.
#![allow(clippy::disallowed_methods)] // this is the place

use crate::record::Moment;
use crate::record::ids::{Draw, unhex};
use crate::record::moment::BootId;
use nix::time::{ClockId, clock_gettime};
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the kernel does not name its start: each process is a start of its own, so that no deadline of
/// another one is measured by this one's clock.
static OWN_BOOT: LazyLock<[u8; 16]> = LazyLock::new(|| {
    tracing::warn!("The kernel does not say which start this is; deadlines end with this process.");
    let mut id = [0; 16];
    id.copy_from_slice(&draw()[..16]);
    id
});

/// Reads the machine's clocks.
#[derive(Clone, Debug)]
pub struct Clock {
    boot: BootId,
}

impl Clock {
    /// Looks up which start of the machine this is.
    pub fn new() -> Self {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let id: String = id.chars().filter(char::is_ascii_hexdigit).collect();
        Self { boot: BootId(unhex(&id).unwrap_or_else(|| *OWN_BOOT)) }
    }

    /// Unix milliseconds by the wall clock.
    pub fn unix_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }

    /// Milliseconds since the machine started, sleep included.
    pub fn monotonic_ms(&self) -> u64 {
        let Ok(time) = clock_gettime(ClockId::CLOCK_BOOTTIME) else { return 0 };
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        let nanoseconds = u64::try_from(time.tv_nsec()).unwrap_or(0);
        seconds.saturating_mul(1000).saturating_add(nanoseconds / 1_000_000)
    }

    /// All of it at once.
    pub fn moment(&self, cloud_offset_ms: Option<i64>) -> Moment {
        Moment {
            wall_ms: self.unix_ms(),
            boot: self.boot,
            monotonic_ms: self.monotonic_ms(),
            cloud_offset_ms,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// Thirty-two random bytes from the kernel.
///
/// # Panics
/// When the kernel has no chance to give: ids would repeat, and a wallet would answer for an old order.
pub fn draw() -> Draw {
    let mut draw = [0; 32];
    SystemRandom::new().fill(&mut draw).expect("the kernel gives random bytes");
    draw
}
