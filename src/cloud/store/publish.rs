//! What head office does: bundles, coupons, tasks.

use super::Reply;
use crate::record::ids::TerminalId;

/// A bundle as it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredBundle {
    pub(crate) version: u64,
    pub(crate) payload: Vec<u8>,
    pub(crate) key_id: String,
    pub(crate) signature: Vec<u8>,
}

/// Something that needs a manager.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// Its number.
    pub number: i64,
    /// Stable word: `coupon_already_used`, `fork`, `unreadable`, `receipt_gap`, `receipt_twice`, …
    pub code: String,
    /// What it is about, a sentence.
    pub words: String,
    /// The till it is about.
    pub terminal: Option<String>,
    /// When it was raised, Unix milliseconds.
    pub raised_ms: i64,
}

/// A task before it has a number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NewTask {
    pub(crate) code: &'static str,
    /// What keeps one matter from becoming two tasks.
    pub(crate) subject: String,
    pub(crate) words: String,
    pub(crate) terminal: Option<TerminalId>,
}

pub(crate) trait Publish {
    fn bundle_version(&self) -> Reply<'_, u64>;
    fn latest_bundle(&self) -> Reply<'_, Option<StoredBundle>>;
    /// Publishes the next version; false when that number is taken or leaves a gap.
    fn publish(&self, bundle: StoredBundle, now_ms: i64) -> Reply<'_, bool>;
    /// Records the serials of coupons that are handed out; false when one is taken.
    /// Puts vouchers in the books; false when a serial was there already, and then none is good.
    fn issue_vouchers(
        &self,
        serials: Vec<String>,
        value: crate::money::Money,
        now_ms: i64,
    ) -> Reply<'_, bool>;
    fn issue(&self, serials: Vec<String>, campaign: u32, now_ms: i64) -> Reply<'_, bool>;
    /// Adds members by reference and secret. False, and none added, when a reference is taken.
    fn add_members(&self, members: Vec<(String, [u8; 20])>, now_ms: i64) -> Reply<'_, bool>;
    fn redeemed(&self, serial: String) -> Reply<'_, Option<(String, String)>>;
    /// Open tasks, newest first, at most 500.
    fn tasks(&self) -> Reply<'_, Vec<Task>>;
    fn settle_task(&self, number: i64, now_ms: i64) -> Reply<'_, bool>;
}
