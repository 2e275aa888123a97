//! Chance from a seed: the same seed and the same order give the same faults, trade numbers and pay codes.
//!
//! Deliberately not here: randomness for keys, which comes from the operating system.

use ring::digest::{Context, SHA256};

/// A number that depends on the seed and every part, and on nothing else.
pub(super) fn draw(seed: u64, parts: &[&str]) -> u64 {
    let bytes = mix(seed, parts);
    u64::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
}

/// Twenty-four hex digits, for the address of a phone page.
pub(super) fn token(seed: u64, parts: &[&str]) -> String {
    hex(&mix(seed, parts)[..12])
}

/// What the ledger keeps of a pay code: enough to see it come twice, not enough to pay with it.
pub(super) fn hash_of_code(code: &str) -> String {
    hex(&mix(0, &["pay code", code]))
}

fn mix(seed: u64, parts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(&seed.to_be_bytes());
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(draw(1, &["ab", "c"]), draw(1, &["a", "bc"]));
        assert_ne!(draw(1, &["ab"]), draw(2, &["ab"]));
        assert_eq!(draw(1, &["ab"]), draw(1, &["ab"]));
    }
}
