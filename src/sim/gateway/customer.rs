//! The customer: what the person with the phone does, for all orders or for one.
//!
//! A manner is chosen when a trade begins and written into its row, so it outlives a restart. Deliberately not
//! here: carrying it out; `books` does, whenever a trade is looked at.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Orders that have a manner of their own; more are refused, as each stays in memory.
const MAX_ORDERS: usize = 10_000;
/// The longest a customer takes: a day.
pub(super) const MAX_AFTER_MS: i64 = 86_400_000;

/// What the customer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum Manner {
    /// Pays at once. A code on a display still waits for a phone.
    Pay,
    /// Is asked for a password and confirms so much later; a code on a display is scanned and paid by then.
    ConfirmAfter {
        /// Milliseconds from the request.
        after_ms: i64,
    },
    /// Types a password: the money moves after so many queries, or when somebody confirms.
    Password {
        /// Queries that still find the trade waiting; none: until a person confirms on `/play`.
        #[serde(default)]
        after_queries: Option<u32>,
    },
    /// Has not enough money.
    Refuse,
    /// Is asked for a password and says no so much later.
    RefuseAfter {
        /// Milliseconds from the request.
        after_ms: i64,
    },
    /// Does nothing until the trade is cancelled or closed; so much later the money moves all the same.
    PayAfterCancel {
        /// Milliseconds from the cancel.
        after_ms: i64,
    },
    /// Is asked for a password and walks away.
    WalkAway,
}

impl Manner {
    /// Whether its times are in range.
    pub fn is_sound(&self) -> bool {
        match self {
            Manner::ConfirmAfter { after_ms }
            | Manner::RefuseAfter { after_ms }
            | Manner::PayAfterCancel { after_ms } => (0..=MAX_AFTER_MS).contains(after_ms),
            Manner::Pay | Manner::Password { .. } | Manner::Refuse | Manner::WalkAway => true,
        }
    }
}

/// Who pays how. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Customers(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    usual: Option<Manner>,
    by_order: BTreeMap<String, Manner>,
}

impl Customers {
    /// What everybody does who has no manner of their own; none: they pay at once.
    pub fn set_usual(&self, manner: Option<Manner>) {
        self.lock().usual = manner;
    }

    /// What the customer of one order does, from its next request on. False: too many have one already.
    #[must_use]
    pub fn set(&self, out_trade_no: &str, manner: Manner) -> bool {
        let mut inner = self.lock();
        let has_room = inner.by_order.len() < MAX_ORDERS || inner.by_order.contains_key(out_trade_no);
        if has_room {
            inner.by_order.insert(out_trade_no.to_owned(), manner);
        }
        has_room
    }

    /// Everybody pays at once again.
    pub fn clear(&self) {
        *self.lock() = Inner::default();
    }

    /// What everybody does, and who does otherwise.
    pub fn all(&self) -> (Option<Manner>, BTreeMap<String, Manner>) {
        let inner = self.lock();
        (inner.usual, inner.by_order.clone())
    }

    /// What this order's customer was told to do, if anything.
    pub(super) fn of(&self, out_trade_no: &str) -> Option<Manner> {
        let inner = self.lock();
        inner.by_order.get(out_trade_no).copied().or(inner.usual)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What goes off an order's price when it is paid, and who bears it. Amounts in fen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Discount {
    /// Borne by the merchant: the merchant receives less.
    pub merchant: i64,
    /// Borne by the wallet: the buyer pays less.
    pub platform: i64,
    /// Paid in points: no invoice for this part.
    pub points: i64,
}

impl Discount {
    /// The same, but never more than the price: first the merchant's, then the wallet's, then the points.
    pub(super) fn within(self, total: i64) -> Discount {
        let merchant = self.merchant.clamp(0, total);
        let platform = self.platform.clamp(0, total - merchant);
        let points = self.points.clamp(0, total - merchant - platform);
        Discount { merchant, platform, points }
    }
}
