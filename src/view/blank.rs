//! A view for tests and benches: of a till of which nothing is to be seen.

use super::{ClockView, Exposure, Selling, View, Ways};
use crate::money::Currency;
use crate::record::Epoch;
use crate::record::chain::Tip;
use std::collections::BTreeMap;

impl View {
    /// A till of which nothing is to be seen: tests say what differs.
    pub fn blank(tip: Tip) -> Self {
        Self {
            terminal: "till-1".parse().expect("a slug"),
            epoch: Epoch(1),
            standing: crate::record::epochs::Standing::Regular,
            tip,
            selling: Selling::Open,
            disk: None,
            shop: String::new(),
            currency: Currency::CNY,
            bundle_version: 0,
            staff: vec![],
            stations: BTreeMap::new(),
            held: vec![],
            desks: vec![],
            menu: vec![],
            ways: Ways::default(),
            exposure: Exposure::none(Currency::CNY),
            clock: ClockView::default(),
            leases: vec![],
            attention: vec![],
            notices: vec![],
            shift: None,
            between_shifts: None,
            carried: 0,
            recent: vec![],
            cases: std::sync::Arc::default(),
        }
    }
}
