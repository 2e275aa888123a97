//! What the cloud remembers, as a set of questions and guarded changes that any SQL engine can carry.
//!
//! Each method is one transaction. **Invariant:** whatever may happen once only is a unique key or an
//! UPDATE that names the state it expects; a caller learns from the answer whether it was first.
//! Not here: SQL (`sqlite`), and deciding what a record means (`judge`).

pub(crate) mod leases;
pub(crate) mod ledger;
pub(crate) mod orders;
pub(crate) mod publish;
pub(crate) mod sqlite;
pub(crate) mod streams;
pub(crate) mod terminals;

use std::future::Future;
use std::pin::Pin;

pub use leases::Quota;
pub(crate) use leases::{Leases, NewLease};
pub(crate) use ledger::Ledger;
pub use ledger::{LedgerCount, Movement};
pub(crate) use orders::{
    Advance, GivenUp, LATE_REFUSED, NewOrder, NewRefund, NewRequest, OrderRow, OrderState, Orders,
    PendingRefund, RefundRow, RefundState, Registered, Requested, Reserved, WISH_MS,
};
pub use publish::Task;
pub(crate) use publish::{Forgot, NewTask, Publish, StoredBundle};
pub use streams::Standing;
pub(crate) use streams::{
    Again, Batch, Beginning, DeskSale, Effect, Gaps, Ingested, Judged, Judgement, PaymentChange,
    StoredRecord, StreamRow, Streams, Unjudged,
};
pub(crate) use terminals::{Complete, News, Notice, NoticeBody, Terminal, Terminals};
pub use terminals::{Decision, Pairing, PairingState};

/// What a store's method returns: boxed, so that a store can be kept as `Arc<dyn Store>`.
pub(crate) type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Everything that the cloud asks of its store.
pub(crate) trait Store:
    Terminals + Streams + Orders + Leases + Ledger + Publish + Send + Sync
{
}

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be used.
    #[error(
        "cannot use the folder {path} for the cloud's store: check that it exists and belongs to this user"
    )]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The engine says no.
    #[error("the cloud's store does not answer")]
    Sql(#[from] rusqlite::Error),
    /// A setting that money depends on did not take.
    #[error("the store's setting {0} did not take: use a local disk, not a network share")]
    NotDurable(&'static str),
    /// Written by a newer program.
    #[error("the store has layout {found}, this program knows up to {known}: install the newer one again")]
    Newer {
        /// Layout of the file.
        found: i64,
        /// Newest one known here.
        known: i64,
    },
    /// A server has the store open, perhaps of an older program.
    #[error(
        "the store has layout {found} and this program brings it to {known}, but a server runs on it: stop the \
         server first, then start the new one"
    )]
    ServerRuns {
        /// Layout of the file.
        found: i64,
        /// Newest one known here.
        known: i64,
    },
    /// A row that no program of ours wrote.
    #[error("the store holds {0}, which this program did not write: restore it from a backup")]
    Damaged(String),
    /// A bug of ours; nothing of an unfinished transaction is kept.
    #[error("this call of the store ended in a bug of the program: its log says where, please report it")]
    Panicked,
    /// Too many calls wait, or the store's thread has ended.
    #[error("the store is stopping")]
    Stopped,
}

impl StoreError {
    /// Whether trying again without a person's help is pointless.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::NotDurable(_)
            | Self::Newer { .. }
            | Self::ServerRuns { .. }
            | Self::Damaged(_)
            | Self::Folder { .. } => true,
            Self::Sql(_) | Self::Panicked | Self::Stopped => false,
        }
    }
}
