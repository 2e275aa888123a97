//! Streams of records, and what is made of them: verdicts and projections.

use super::{NewTask, Reply};
use crate::money::Money;
use crate::record::Epoch;
use crate::record::chain::{Hash, Tip};
use crate::record::ids::{DeskId, IntentId, RefundId, SaleId, TerminalId};
use crate::record::lease::Lease;
use crate::record::money_moves::{ProviderName, Ruling};
use crate::record::queue_act::{QueueAct, Subject};
use serde::Serialize;

/// A record as it is kept: the bytes as they came, and what they are found by.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct StoredRecord {
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
    pub(crate) kind: String,
    pub(crate) sale: Option<SaleId>,
    pub(crate) head: Vec<u8>,
    pub(crate) salt: [u8; 16],
    pub(crate) body: Vec<u8>,
    /// Where the record puts its sale: `Some(None)` takes it off a desk.
    pub(crate) desk: Option<Option<DeskId>>,
}

/// Records of one stream, already checked against each other.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) terminal: TerminalId,
    pub(crate) epoch: Epoch,
    pub(crate) first_seq: u64,
    /// What the first record names as the one before.
    pub(crate) previous: Hash,
    pub(crate) records: Vec<StoredRecord>,
    /// Records of it that a manager holds back.
    pub(crate) held: Vec<u64>,
    /// Managers' acts behind it that were taken back before it was sent.
    pub(crate) taken_back: Vec<u64>,
    /// How the stream began, where the batch has its first record.
    pub(crate) beginning: Option<Beginning>,
    pub(crate) now_ms: i64,
}

/// How an epoch began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Beginning {
    pub(crate) standing: Standing,
    /// The epoch before, and its last number as the till knew it.
    pub(crate) parent: Option<(Epoch, u64)>,
}

/// Whether a stream is like any other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is.
    Regular,
    /// The till began it by itself when its journal was lost; nobody has looked yet.
    Provisional,
    /// It began so, and a manager has adopted it.
    Adopted,
}

impl Standing {
    /// Its name in tables and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Provisional => "provisional",
            Self::Adopted => "adopted",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Regular, Self::Provisional, Self::Adopted].into_iter().find(|standing| standing.word() == word)
    }
}

/// What became of a batch.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Ingested {
    /// Everything in it is safe, whether it came now or before.
    Received { tip: Tip, judged: u64, desks: Vec<DeskId> },
    /// Something before it is missing.
    Gap { expected: u64 },
    /// It is safe on a branch of its own, because a number was there already with another hash.
    Forked { seq: u64, tip: Tip, branch: Tip },
    /// The till was unpaired in the meantime.
    Stranger,
}

/// A stream.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct StreamRow {
    pub(crate) terminal: TerminalId,
    pub(crate) epoch: Epoch,
    pub(crate) tip: Tip,
    pub(crate) judged: u64,
    pub(crate) received_ms: i64,
    pub(crate) beginning: Beginning,
    /// Of a branch: the epoch that the till means, and the first number that differs.
    pub(crate) branch_of: Option<(Epoch, u64)>,
}

/// Records of one stream that nobody has judged yet.
#[derive(Clone, Debug)]
pub(crate) struct Unjudged {
    pub(crate) judged: u64,
    pub(crate) records: Vec<StoredRecord>,
}

/// The cloud's business answer to one record, before the unique keys have spoken.
#[derive(Clone, Debug)]
pub(crate) struct Judgement {
    pub(crate) seq: u64,
    pub(crate) sale: Option<SaleId>,
    pub(crate) effects: Vec<Effect>,
}

/// What a record changes in the cloud's books.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Spends a coupon; the first writer wins.
    Redeem { serial: String, campaign: u32, at_ms: i64, at_words: String },
    /// Spends a voucher; the first writer wins.
    SpendVoucher { serial: String, amount: Money, at_ms: i64, at_words: String },
    /// Something for head office to do, which is nobody's mistake.
    Task { code: &'static str, words: String },
    /// Counts a member once a day, if the code that was shown is right for the corrected time.
    CheckIn { member: String, business_date: String, totp: Option<u32>, at_s: i64 },
    /// An attempt to move money moved on.
    Payment { intent: IntentId, change: PaymentChange },
    /// Money goes back.
    RefundDrawn { refund: RefundId, intent: IntentId, amount: Money },
    /// How that ended: `refunded` or `refused`.
    RefundEnded { refund: RefundId, state: &'static str },
    /// A till took a proof for a payment: it stands if the payment is known here and its money was not given back.
    ProofShown { intent: IntentId },
    /// A till has taken a lease in.
    LeaseReceived(Lease),
    /// A till gave goods for an order that it was told is paid: somebody has to know if its money went back meanwhile.
    GoodsGiven { intent: IntentId },
    /// A use of a lease was made.
    LeaseUsed { campaign: u32, lease: u64 },
    /// A till gave uses of a lease back: nothing behind this record makes them.
    LeaseReturned { campaign: u32, lease: u64, uses: u32 },
    /// A receipt was numbered.
    Receipt { number: u64, business_date: String, total: Money },
    /// The till gave an order up: no phone may pay it any more.
    Abandon { intent: IntentId },
    /// A verdict that needs no key.
    Rule { ruling: Ruling, code: &'static str, words: String },
    /// A manager's act about an earlier record.
    Act { subject: Subject, act: QueueAct, again: Again },
}

/// What an earlier record is judged as now; none where it never came.
#[derive(Clone, Debug)]
pub(crate) struct Again(pub(crate) Option<Box<Judgement>>);

/// How a payment changes.
#[derive(Clone, Debug)]
pub(crate) enum PaymentChange {
    /// It was drawn.
    Drawn { provider: ProviderName, carrier: &'static str, amount: Money },
    /// Its state has a new word.
    State(&'static str),
    /// Money arrived: `approved` or `paid_late`.
    Settled { state: &'static str, trade: String, received: Money, wallet: Option<ProviderName> },
}

/// What judging changed that somebody waits for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Judged {
    /// Verdicts that went out as notices.
    pub(crate) verdicts: usize,
    /// Orders that must be taken back at the wallet.
    pub(crate) abandoned: usize,
}

/// What stands on a desk.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct DeskSale {
    pub(crate) sale: SaleId,
    pub(crate) terminal: TerminalId,
    /// How many of its records have arrived.
    pub(crate) version: u64,
    /// Its till lost its books and takes no wallets and coupons until a manager adopts what it began.
    pub(crate) cash_only: bool,
    pub(crate) changed_ms: i64,
}

/// Numbers for head office.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Gaps {
    pub(crate) redemptions: u64,
    pub(crate) check_ins: u64,
    pub(crate) receipts: u64,
    pub(crate) orders_under_way: u64,
}

pub(crate) trait Streams {
    /// Takes a batch whole or not at all, and moves the watermark with it.
    fn ingest(&self, batch: Batch) -> Reply<'_, Ingested>;
    fn streams(&self) -> Reply<'_, Vec<StreamRow>>;
    /// Some streams of a till, without branches, in order of their epochs, from behind `after` on.
    fn streams_after(
        &self,
        terminal: TerminalId,
        after: Option<Epoch>,
        most: usize,
    ) -> Reply<'_, Vec<StreamRow>>;
    /// A record by its place, as the till names it from a stream: a branch has its own side of it.
    fn record_at(&self, stream: (TerminalId, Epoch), subject: Subject) -> Reply<'_, Option<StoredRecord>>;
    /// The records of a sale, oldest first.
    fn sale_records(&self, sale: SaleId) -> Reply<'_, Vec<StoredRecord>>;
    fn desk_sale(&self, desk: DeskId) -> Reply<'_, Option<DeskSale>>;
    /// Streams with records to judge, the one that has waited longest first.
    fn waiting(&self) -> Reply<'_, Vec<(TerminalId, Epoch)>>;
    /// The next records of a stream to judge; none when all are judged.
    fn unjudged(&self, stream: (TerminalId, Epoch)) -> Reply<'_, Option<Unjudged>>;
    /// Books what was judged after `from`, in one transaction; nothing when somebody else has.
    fn judge(
        &self,
        stream: (TerminalId, Epoch),
        from: u64,
        judgements: Vec<Judgement>,
        now_ms: i64,
    ) -> Reply<'_, Judged>;
    fn raise(&self, task: NewTask, now_ms: i64) -> Reply<'_, ()>;
    fn gaps(&self) -> Reply<'_, Gaps>;
}
