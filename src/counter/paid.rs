//! The last sales that were paid, as screens remember them, and how the paper of each stands.
//!
//! Not here: what is on the receipt (`receipt`), and papers that ask for a person (`papers`).

use crate::money::Money;
use crate::record::ids::{SaleId, StationId};
use crate::record::{Moment, Record};
use crate::sale::{Intent, IntentState, Sale};
use crate::view::PaidView;
use serde::{Deserialize, Serialize};

/// A sale that was paid.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Paid {
    pub(super) sale: SaleId,
    pub(super) station: StationId,
    pub(super) receipt: u64,
    pub(super) total: Money,
    pub(super) change: Option<Money>,
    pub(super) wallet: Option<String>,
    pub(super) at: Moment,
    pub(super) paper: PaperWord,
}

/// How the paper of a paid sale stands, in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PaperWord {
    Waiting,
    Printing,
    Printed,
    Unconfirmed,
    Failed,
}

impl Paid {
    pub(super) fn of(sale: &Sale, record: &Record, total: Money) -> Self {
        let change = Money::sum(sale.cash.iter().map(|cash| cash.change), total.currency);
        let approved = |intent: &&Intent| intent.state == IntentState::Approved;
        Self {
            sale: sale.id,
            station: sale.station.clone(),
            receipt: record.header.receipt.unwrap_or(0),
            total,
            change: change.ok().filter(|_| !sale.cash.is_empty()),
            wallet: sale
                .intents
                .iter()
                .find(approved)
                .map(|intent| format!("{:?}", intent.provider).to_lowercase()),
            at: record.header.moment,
            paper: PaperWord::Waiting,
        }
    }

    pub(super) fn view(&self) -> PaidView {
        PaidView {
            sale: self.sale,
            receipt: self.receipt,
            total: self.total,
            change: self.change,
            wallet: self.wallet.clone(),
            paper: match self.paper {
                PaperWord::Waiting => "waiting",
                PaperWord::Printing => "printing",
                PaperWord::Printed => "printed",
                PaperWord::Unconfirmed => "unconfirmed",
                PaperWord::Failed => "failed",
            },
            at_ms: self.at.wall_ms,
        }
    }
}
