//! The words that findings are known by, for programs. They are never renamed.

// The chain.
/// Positions of the journal have a gap.
pub(super) const POSITION: &str = "position";
/// A header cannot be read.
pub(super) const HEADER: &str = "header";
/// A number is missing or repeated.
pub(super) const SEQUENCE: &str = "sequence";
/// The hash of the record before is another.
pub(super) const LINK: &str = "link";
/// The stored hash is not the header's.
pub(super) const HASH: &str = "hash";
/// A body is not the one that was hashed.
pub(super) const BODY: &str = "body";
/// A body says nothing that can be understood.
pub(super) const UNREADABLE: &str = "unreadable";
/// A column is not what the header says.
pub(super) const COLUMN: &str = "column";
/// An epoch does not begin as it should.
pub(super) const GENESIS: &str = "genesis";
/// A record of another till or epoch.
pub(super) const STRANGER: &str = "stranger";

// Sales and receipts.
/// A receipt number was left out.
pub(super) const RECEIPT_GAP: &str = "receipt_gap";
/// A receipt number came twice, or a sale has two.
pub(super) const RECEIPT_TWICE: &str = "receipt_twice";
/// A receipt has no number.
pub(super) const RECEIPT_WITHOUT_NUMBER: &str = "receipt_without_number";
/// A receipt's total is not the fixed total.
pub(super) const RECEIPT_TOTAL: &str = "receipt_total";
/// A receipt's total is not the money that came in.
pub(super) const RECEIPT_MONEY: &str = "receipt_money";
/// Money came in and no receipt was issued.
pub(super) const MONEY_WITHOUT_RECEIPT: &str = "money_without_receipt";
/// A fixed total is not the sum of its lines.
pub(super) const TOTAL_SUM: &str = "total_sum";
/// A coupon was redeemed twice at this till.
pub(super) const COUPON_TWICE: &str = "coupon_twice";

// Intents within the journal.
/// One intent was drawn twice.
pub(super) const INTENT_TWICE: &str = "intent_twice";
/// An outcome speaks of an intent that was not drawn.
pub(super) const OUTCOME_WITHOUT_INTENT: &str = "outcome_without_intent";
/// Money for one intent was booked twice.
pub(super) const APPROVED_TWICE: &str = "approved_twice";

// Journal and gateway.
/// Paid in the journal, not at the wallet.
pub(super) const APPROVED_NOT_CAPTURED: &str = "approved_not_captured";
/// Two amounts for one payment.
pub(super) const AMOUNT_DIFFERS: &str = "amount_differs";
/// Two trade numbers for one payment.
pub(super) const TRADE_DIFFERS: &str = "trade_differs";
/// Money went back at one side only.
pub(super) const REFUND_DIFFERS: &str = "refund_differs";
/// Money that came late was not given back in full.
pub(super) const LATE_MONEY_KEPT: &str = "late_money_kept";
/// Money was taken for a payment that the till gave up or was refused.
pub(super) const GIVEN_UP_BUT_KEPT: &str = "given_up_but_kept";
/// Money was taken for a payment that the till is still unsure of.
pub(super) const OPEN_BUT_CAPTURED: &str = "open_but_captured";
/// Money was taken that the journal knows nothing of.
pub(super) const CAPTURE_WITHOUT_INTENT: &str = "capture_without_intent";
/// The wallet took the money twice.
pub(super) const CAPTURED_TWICE: &str = "captured_twice";
/// The wallet's books contradict themselves.
pub(super) const LEDGER: &str = "ledger";
/// The sums of both sides differ.
pub(super) const SUMS: &str = "sums";

// Journal and cloud.
/// Records that the till keeps no longer, and no cloud's database to read them from.
pub(super) const PRUNED: &str = "pruned";
/// Records that the cloud does not have.
pub(super) const RECORD_NOT_AT_CLOUD: &str = "record_not_at_cloud";
/// Records that the cloud has with other bytes.
pub(super) const RECORD_DIFFERS: &str = "record_differs";
/// Records that only the cloud has.
pub(super) const RECORD_ONLY_AT_CLOUD: &str = "record_only_at_cloud";
/// The cloud's watermark is not the end of what it has.
pub(super) const WATERMARK: &str = "watermark";
/// The cloud has received records and not booked them.
pub(super) const NOT_BOOKED: &str = "not_booked";
/// The cloud holds a second branch.
pub(super) const FORK: &str = "fork";
/// A payment differs.
pub(super) const PAYMENT_AT_CLOUD: &str = "payment_at_cloud";
/// A refund differs.
pub(super) const REFUND_AT_CLOUD: &str = "refund_at_cloud";
/// A receipt differs.
pub(super) const RECEIPT_AT_CLOUD: &str = "receipt_at_cloud";
/// A coupon's redemption differs.
pub(super) const COUPON_AT_CLOUD: &str = "coupon_at_cloud";
/// A check-in differs.
pub(super) const CHECK_IN_AT_CLOUD: &str = "check_in_at_cloud";
/// An order that a phone pays differs.
pub(super) const ORDER_AT_CLOUD: &str = "order_at_cloud";
