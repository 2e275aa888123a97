//! The wallet's clock on the wire: Beijing wall time as `2024-01-02 03:04:05`, without a zone.
//!
//! Deliberately not here: reading any clock. Now is handed in, in Unix milliseconds.

use jiff::{
    Timestamp, Zoned,
    civil::DateTime,
    tz::{TimeZone, offset},
};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// `2024-01-02 03:04:05`.
pub(super) fn format(at_ms: i64) -> String {
    zoned(at_ms).strftime(FORMAT).to_string()
}

/// `20240102`, which trade numbers begin with.
pub(super) fn day(at_ms: i64) -> String {
    zoned(at_ms).strftime("%Y%m%d").to_string()
}

/// `2024-01-02T03:04:05+08:00`, as WeChat Pay writes times.
pub(super) fn rfc3339(at_ms: i64) -> String {
    zoned(at_ms).strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// Unix milliseconds of a time with its zone.
pub(super) fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Unix milliseconds of a time on the wire.
pub(super) fn parse(text: &str) -> Option<i64> {
    let zoned = DateTime::strptime(FORMAT, text).ok()?.to_zoned(zone()).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

fn zoned(at_ms: i64) -> Zoned {
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone())
}

fn zone() -> TimeZone {
    TimeZone::fixed(offset(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_eight_hours_ahead_of_greenwich() {
        assert_eq!(format(1_704_135_845_000), "2024-01-02 03:04:05");
        assert_eq!(parse("2024-01-02 03:04:05"), Some(1_704_135_845_000));
        assert_eq!(parse("2024-01-02T03:04:05Z"), None);
        assert_eq!(rfc3339(1_704_135_845_000), "2024-01-02T03:04:05+08:00");
        assert_eq!(parse_rfc3339("2024-01-02T03:04:05+08:00"), Some(1_704_135_845_000));
        assert_eq!(day(1_704_135_845_000), "20240102");
    }
}
