//! A till for tests and benches: how most of them open, and a bundle with one thing to sell.

use super::{Opening, Sources};
use crate::bundle::{Bundle, Content};
use crate::clock::{self, Clock};
use crate::inbox::InForce;
use crate::money::Currency;
use crate::receipt::Stamp;
use crate::token::KeySet;
use std::collections::{BTreeMap, BTreeSet};

impl Opening {
    /// One station, nothing to sell, no wallet, no cloud: tests say what differs.
    pub fn blank() -> Self {
        Self {
            terminal: "till-1".parse().expect("a slug"),
            stations: vec!["front".parse().expect("a slug")],
            bundle: no_bundle(),
            kept: None,
            code_key: [7; 32],
            stamp: Stamp::new([0; 32], |_| [0; 64]),
            wallets: BTreeSet::new(),
            phones: crate::counter::PhonesPay::AtTheWallet,
            code_ms: crate::counter::CODE_MS_MAX,
            sources: Sources { clock: Clock::new(), draw: clock::draw },
            received: BTreeMap::new(),
            signed: BTreeMap::new(),
            room: crate::journal::Room { ballast_bytes: 0, ..Default::default() },
        }
    }
}

impl InForce {
    /// Water at 2.00, by its bar code 6901234000016, and no keys.
    pub fn of_water() -> Self {
        let content = Content {
            version: 1,
            items: serde_json::from_value(serde_json::json!([{
                "sku": "water", "name": "Water", "gtins": ["06901234000016"], "unit": "piece",
                "price": {"minor": 200, "currency": "CNY"},
                "tax": {"code": "A", "rate_ppm": 130_000, "included": "price"},
            }]))
            .expect("an item"),
            ..no_bundle().content
        };
        let bytes = serde_json::to_vec(&content).expect("plain values");
        Self { bundle: Bundle::open(&bytes).expect("one item"), keys: KeySet::new(1, 0, i64::MAX) }
    }
}

fn no_bundle() -> Bundle {
    Bundle::empty(Currency::CNY, jiff::tz::TimeZone::UTC, "UTC", 0)
}
