//! The people who work here: roles, and PINs kept as slow hashes.
//!
//! Not here: sessions and lock-outs, which are not history (`pages`, `journal::edge`).

use ring::pbkdf2;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// What a person may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sells.
    Cashier,
    /// Sells, approves, and decides about the queue.
    Manager,
}

/// Rounds of PBKDF2-HMAC-SHA256: what OWASP's password storage page asks for (600,000). A four-digit
/// PIN falls to anyone who holds the file whatever the number; it buys the time to notice.
pub const PIN_ROUNDS: u32 = 600_000;

/// A PIN has this many digits at least.
pub const PIN_DIGITS_MIN: usize = 4;

/// And this many at most.
pub const PIN_DIGITS_MAX: usize = 8;

/// A PIN's hash with what it takes to check one against it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinHash {
    salt: [u8; 16],
    rounds: NonZeroU32,
    hash: [u8; 32],
}

impl std::fmt::Debug for PinHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinHash")
    }
}

/// A PIN that nobody should have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WeakPin {
    /// Not 4 to 8 digits.
    #[error("a PIN has 4 to 8 digits")]
    Length,
    /// One digit repeated, or a run such as 1234.
    #[error("that PIN is the first one a thief tries: choose another")]
    Obvious,
}

impl PinHash {
    /// Hashes a PIN with a salt that an edge drew. Takes about a tenth of a second: never on the
    /// till's own thread.
    ///
    /// # Errors
    /// [`WeakPin`] when the PIN is too short, too long or obvious.
    pub fn new(pin: &str, salt: [u8; 16]) -> Result<Self, WeakPin> {
        Self::with_rounds(pin, salt, NonZeroU32::new(PIN_ROUNDS).unwrap_or(NonZeroU32::MIN))
    }

    /// As [`PinHash::new`] with another number of rounds, which the hash remembers.
    ///
    /// # Errors
    /// [`WeakPin`] as there.
    pub fn with_rounds(pin: &str, salt: [u8; 16], rounds: NonZeroU32) -> Result<Self, WeakPin> {
        let digits = pin.as_bytes();
        if !(PIN_DIGITS_MIN..=PIN_DIGITS_MAX).contains(&digits.len())
            || !digits.iter().all(u8::is_ascii_digit)
        {
            return Err(WeakPin::Length);
        }
        let runs = |step: i16| digits.windows(2).all(|two| i16::from(two[1]) - i16::from(two[0]) == step);
        if runs(0) || runs(1) || runs(-1) {
            return Err(WeakPin::Obvious);
        }
        let mut hash = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, digits, &mut hash);
        Ok(Self { salt, rounds, hash })
    }

    /// Whether `pin` is the one. Takes as long as making it did.
    pub fn admits(&self, pin: &str) -> bool {
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, self.rounds, &self.salt, pin.as_bytes(), &self.hash)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_admits_only_itself() {
        let hash = PinHash::with_rounds("4071", [1; 16], NonZeroU32::MIN).unwrap();
        assert!(hash.admits("4071"));
        assert!(!hash.admits("4072"));
        assert!(!hash.admits(""));
    }

    #[test]
    fn the_pins_a_thief_tries_first_are_refused() {
        for pin in ["0000", "1234", "8765", "999999"] {
            assert_eq!(PinHash::new(pin, [0; 16]), Err(WeakPin::Obvious), "{pin}");
        }
        for pin in ["123", "123456789", "12a4", ""] {
            assert_eq!(PinHash::new(pin, [0; 16]), Err(WeakPin::Length), "{pin}");
        }
    }
}
