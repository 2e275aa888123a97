//! The same code twice in a moment: one scan where the sale wants one, two where it can want two.
//!
//! How soon is soon is measured beside the scanner, against the window of the configuration. Not here: a pay code
//! that comes again later, which `pay` refuses.

use super::Till;
use super::event::RawScan;
use crate::record::ids::StationId;
use crate::scan::label::LabelProfile;
use crate::scan::{self, Scanned};
use crate::view::Phase;

impl Till {
    /// Whether this scan is the one before it, read twice by a hand that held the code too long.
    ///
    /// Two bottles are two scans, for as long as the basket is open. Once it is not, and for codes that stand for
    /// one thing only, such as a wallet, a coupon, a member or a desk, the second reading says nothing new: a desk's
    /// code would even undo what its first reading did.
    pub(super) fn is_read_twice(&self, station: &StationId, scan: &RawScan, labels: &[LabelProfile]) -> bool {
        if scan.repeat_of_ms.is_none() {
            return false;
        }
        let basket = self.front(station).is_none_or(|sale| sale.phase() == Phase::Basket);
        let one_thing = matches!(
            scan::classify(&scan.data, scan.aim.as_ref().map(<[u8; 3]>::as_slice), labels),
            Scanned::PayCode(_) | Scanned::Token(_) | Scanned::Desk { .. }
        );
        !basket || one_thing
    }
}
