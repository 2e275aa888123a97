//! `M1.` member codes: a random reference and a one-time number, unsigned.
//!
//! A till only reads who it is; whether the number is right only the cloud can say, because no till holds a
//! member's secret. Not here: who the member is.

use super::{Kind, TokenError, base32};
use ring::hmac;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// How long one number lasts, in seconds (RFC 6238 section 5.2).
pub const TOTP_STEP_S: i64 = 30;
/// Numbers of this many steps before and after are taken too: clocks and hands are slow.
pub const TOTP_WINDOW: i64 = 1;

/// A member as tills and journals know him: 80 random bits, written as 16 characters of base32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberRef(pub [u8; 10]);

/// A scanned member code. What it says is a claim until the cloud has verified it.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberCode {
    /// Who it claims to be.
    pub member: MemberRef,
    /// The eight digits.
    pub totp: u32,
}

impl MemberCode {
    /// Reads what stands after `M1.`: `{member}.{eight digits}`.
    pub(super) fn parse(rest: &str) -> Result<Self, TokenError> {
        let (member, digits) =
            rest.split_once('.').ok_or(TokenError::Malformed("its one-time number is missing"))?;
        if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TokenError::Malformed("its one-time number is not eight digits"));
        }
        let totp = digits.parse().map_err(|_| TokenError::Malformed("its one-time number is unreadable"))?;
        Ok(Self { member: member.parse()?, totp })
    }

    /// Verifies the number against the member's secret at `at`, the corrected time of the scan in unix seconds.
    ///
    /// Returns the time step that matched: whoever keeps it can refuse the same number a second time.
    ///
    /// # Errors
    /// [`TokenError::StaleMemberCode`] when no step in the window matches.
    pub fn verify(&self, secret: &[u8], at: i64) -> Result<i64, TokenError> {
        let now = at.div_euclid(TOTP_STEP_S);
        (now - TOTP_WINDOW..=now + TOTP_WINDOW)
            .find(|step| totp(secret, *step) == self.totp)
            .ok_or(TokenError::StaleMemberCode)
    }
}

/// The code that a member's phone shows at `at`, in unix seconds.
pub fn member_code(member: MemberRef, secret: &[u8], at: i64) -> String {
    format!("{}.{member}.{:08}", Kind::Member.code(), totp(secret, at.div_euclid(TOTP_STEP_S)))
}

/// RFC 6238 with HMAC-SHA-256 and eight digits, for one time step.
fn totp(secret: &[u8], step: i64) -> u32 {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &step.to_be_bytes());
    truncated_digits(tag.as_ref())
}

/// Dynamic truncation to eight decimal digits (RFC 4226 section 5.3).
pub(super) fn truncated_digits(tag: &[u8]) -> u32 {
    let offset = usize::from(tag.last().map_or(0, |last| last & 15));
    let word = tag[offset..].iter().take(4).fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
    (word & 0x7FFF_FFFF) % 100_000_000
}

impl fmt::Display for MemberRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.0))
    }
}

impl fmt::Debug for MemberRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without the number: whoever reads a log within a minute must not be able to use it.
impl fmt::Debug for MemberCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemberCode({})", self.member)
    }
}

impl std::str::FromStr for MemberRef {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        base32::decode(text)?
            .try_into()
            .map(Self)
            .map_err(|_| TokenError::Malformed("a member's reference has 16 characters"))
    }
}

impl Serialize for MemberRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MemberRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, the rows of SHA-256.
    const RFC_6238: [(i64, u32); 6] = [
        (59, 46_119_246),
        (1_111_111_109, 68_084_774),
        (1_111_111_111, 67_062_674),
        (1_234_567_890, 91_819_424),
        (2_000_000_000, 90_698_825),
        (20_000_000_000, 77_737_706),
    ];
    const SECRET: &[u8] = b"12345678901234567890123456789012";

    #[test]
    fn the_numbers_of_rfc_6238_come_out() {
        for (at, digits) in RFC_6238 {
            assert_eq!(totp(SECRET, at / TOTP_STEP_S), digits);
        }
    }

    #[test]
    fn a_number_is_good_for_one_step_before_and_after() {
        let member = MemberRef(*b"0123456789");
        let code = member_code(member, SECRET, 1_111_111_111);
        let read = MemberCode::parse(code.strip_prefix("M1.").unwrap()).unwrap();
        assert_eq!(read.member, member);
        assert_eq!(read.verify(SECRET, 1_111_111_111), Ok(37_037_037));
        assert_eq!(read.verify(SECRET, 1_111_111_111 + 30), Ok(37_037_037));
        assert_eq!(read.verify(SECRET, 1_111_111_111 - 30), Ok(37_037_037));
        assert_eq!(read.verify(SECRET, 1_111_111_111 + 90), Err(TokenError::StaleMemberCode));
        assert_eq!(read.verify(b"another", 1_111_111_111), Err(TokenError::StaleMemberCode));
    }

    #[test]
    fn a_member_code_never_shows_its_number_in_a_log() {
        let read = MemberCode::parse("GAYTEMZUGU3DOOBZ.67062674").unwrap();
        assert_eq!(format!("{read:?}"), "MemberCode(GAYTEMZUGU3DOOBZ)");
    }

    #[test]
    fn a_broken_member_code_is_refused() {
        for rest in
            ["", ".", "GAYTEMZUGU3DOOBZ", "GAYTEMZUGU3DOOBZ.", "GAYTEMZUGU3DOOBZ.1234567", "AA.12345678"]
        {
            assert!(MemberCode::parse(rest).is_err(), "{rest}");
        }
        assert!(MemberCode::parse("GAYTEMZUGU3DOOBZ.+1234567").is_err());
        assert!(MemberCode::parse("gaytemzugu3doobz.12345678").is_err());
    }
}
