//! What the cloud makes of a record that it has safely received: a pure reading, before the unique keys speak.
//!
//! **Invariant:** every record gets a judgement, so that none blocks the ones behind it; what cannot be read
//! or does not add up is refused by a verdict, and stays received. Practice counts nowhere. Not here: booking
//! (`store::sqlite::judge`), and when judging happens (`projector`).

pub(crate) mod words;

use crate::cloud::store::{Again, Effect, Judgement, PaymentChange, StoredRecord};
use crate::money::{Money, MoneyError};
use crate::offer::Discount;
use crate::record::body::{Body, LineTotal};
use crate::record::giving_back::{Means, TenderShare};
use crate::record::money_moves::{Carrier, ProvenBy, Ruling, Settled};
use crate::record::{Header, Mode, Record};
use crate::tax::{TaxAmount, TaxIn};
use crate::token::{KeySet, Token};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What records are judged with.
pub(crate) struct Judge<'a> {
    /// The cloud's own keys.
    pub(crate) keys: &'a KeySet,
    /// The shop's zone, for words such as "at 10:42".
    pub(crate) zone: &'a TimeZone,
}

impl Judge<'_> {
    /// Judges one record.
    pub(crate) fn judge(&self, stored: &StoredRecord) -> Judgement {
        let effects = match Record::kept(stored.head.clone(), stored.salt, stored.body.clone()) {
            Ok(record) => self.effects(&record),
            Err(_) => vec![unreadable(&stored.kind)],
        };
        Judgement { seq: stored.seq, sale: stored.sale, effects }
    }

    fn effects(&self, record: &Record) -> Vec<Effect> {
        if let Body::Unreadable { kind_name } = &record.body {
            return vec![unreadable(kind_name)];
        }
        match record.header.mode {
            Mode::Live => self.live(&record.header, &record.body),
            Mode::Training => vec![],
        }
    }

    fn live(&self, header: &Header, body: &Body) -> Vec<Effect> {
        let date = || header.business_date.to_string();
        match body {
            Body::CouponRedeemed { campaign, token, .. } => vec![self.redemption(header, *campaign, token)],
            Body::VoucherRedeemed { value, token } => vec![self.voucher(header, *value, token)],
            Body::MemberRecognised { member, code_proof, .. } => vec![Effect::CheckIn {
                member: member.clone(),
                business_date: date(),
                totp: code_proof.as_ref().and_then(|digits| digits.parse().ok()),
                at_s: header.moment.corrected_ms() / 1000,
            }],
            Body::TotalFixed { lines, discounts, taxes, total, .. } => {
                let sums = sums_hold(lines, discounts, taxes, *total);
                if sums == Ok(true) { vec![] } else { vec![refused("sums_differ", words::SUMS)] }
            }
            Body::QueueActed { subject: Some(subject), act, .. } => {
                vec![Effect::Act { subject: *subject, act: *act, again: Again(None) }]
            }
            Body::ReceiptIssued { total } => match header.receipt {
                Some(number) => vec![Effect::Receipt { number, business_date: date(), total: *total }],
                None => vec![refused("receipt_without_number", words::NO_NUMBER)],
            },
            // Of what somebody else was let out this till has nothing to say.
            Body::LeaseReceived { lease }
                if (&lease.terminal, lease.epoch) == (&header.terminal, header.epoch) =>
            {
                vec![Effect::LeaseReceived(lease.clone())]
            }
            Body::LeaseUsed { campaign, lease } => {
                vec![Effect::LeaseUsed { campaign: *campaign, lease: *lease }]
            }
            Body::LeaseReturned { campaign, lease, uses, .. } => {
                vec![Effect::LeaseReturned { campaign: *campaign, lease: *lease, uses: *uses }]
            }
            Body::RefundDrawn { refund, intent, amount, .. } => {
                vec![Effect::RefundDrawn { refund: *refund, intent: *intent, amount: *amount }]
            }
            Body::Refunded { refund } => vec![Effect::RefundEnded { refund: *refund, state: "refunded" }],
            Body::RefundRetried { refund } => vec![Effect::RefundEnded { refund: *refund, state: "drawn" }],
            Body::PaymentResolved { intent, .. } => {
                vec![Effect::Payment { intent: *intent, change: PaymentChange::State("cancelled") }]
            }
            Body::RefundRefused { refund, .. } => {
                vec![Effect::RefundEnded { refund: *refund, state: "refused" }]
            }
            Body::IntentDrawn { intent, provider, amount, carrier, .. } => {
                let carrier = match carrier {
                    // Whether the till called the wallet, or the cloud: that is all that is told apart here.
                    Carrier::PayCode { .. } | Carrier::WalletCode {} => "pay_code",
                    Carrier::Order(_) => "order",
                };
                let change = PaymentChange::Drawn { provider: *provider, carrier, amount: *amount };
                vec![Effect::Payment { intent: *intent, change }]
            }
            Body::Approved { intent, settled: of } => {
                let payment = Effect::Payment { intent: *intent, change: settled("approved", of) };
                match of.proven_by {
                    ProvenBy::Notice => vec![payment, Effect::GoodsGiven { intent: *intent }],
                    // Eight digits can be guessed, and the money behind a proof of either kind may have been given back
                    // before the till saw it: what the wallet knows decides.
                    ProvenBy::PaidProof | ProvenBy::TypedProof => {
                        vec![payment, Effect::ProofShown { intent: *intent }]
                    }
                }
            }
            Body::PaidLate { intent, settled: of } => {
                vec![Effect::Payment { intent: *intent, change: settled("paid_late", of) }]
            }
            Body::Abandoned { intent, .. } => vec![
                Effect::Payment { intent: *intent, change: PaymentChange::State("abandoned") },
                Effect::Abandon { intent: *intent },
            ],
            Body::Declined { intent, .. }
            | Body::Pending { intent }
            | Body::Unsure { intent, .. }
            | Body::Cancelling { intent, .. }
            | Body::Cancelled { intent, .. }
            | Body::CancelUnsure { intent, .. }
            | Body::Tombstoned { intent } => {
                vec![Effect::Payment { intent: *intent, change: PaymentChange::State(body.kind()) }]
            }
            Body::ReturnOpened { shares, .. } => vouchers_owed(shares).into_iter().collect(),
            Body::Genesis { .. }
            | Body::EpochAdopted { .. }
            | Body::Booted { .. }
            | Body::Stopped {}
            | Body::BundleAdopted { .. }
            | Body::StaffAdded { .. }
            | Body::SignedIn {}
            | Body::SignedOut {}
            | Body::ShiftOpened { .. }
            | Body::ShiftClosed { .. }
            | Body::SaleOpened { .. }
            | Body::SaleMoved { .. }
            | Body::LineAdded { .. }
            | Body::LineQuantity { .. }
            | Body::LineVoided { .. }
            | Body::PriceOverridden { .. }
            | Body::CouponTaken { .. }
            | Body::CouponReturned { .. }
            | Body::TotalReleased {}
            | Body::SaleVoided { .. }
            | Body::CodeShown { .. }
            | Body::RefundPending { .. }
            | Body::RefundSettled { .. }
            | Body::PartChosen { .. }
            | Body::CashTaken { .. }
            | Body::CashReturned { .. }
            | Body::ProofMistyped { .. }
            | Body::VoucherTaken { .. }
            | Body::ReturnDrawn { .. }
            | Body::FrozenAcknowledged { .. }
            | Body::NoteSeen {}
            | Body::TypeSizeChosen { .. }
            | Body::PrintOrdered { .. }
            | Body::PrintStarted { .. }
            | Body::PrintEnded { .. }
            | Body::PrintSettled { .. }
            | Body::DrawerOrdered { .. }
            | Body::DrawerKicked { .. }
            | Body::DrawerEnded { .. }
            | Body::LeaseReceived { .. }
            | Body::ClockDistrusted { .. }
            | Body::ClockTrusted {}
            | Body::Pruned { .. }
            | Body::Noted { .. }
            | Body::MemberForgotten { .. }
            | Body::Erased { .. }
            | Body::QueueActed { subject: None, .. }
            | Body::Unreadable { .. } => vec![],
        }
    }

    /// Verifies the coupon again, at the time of the sale by the corrected clock.
    fn redemption(&self, header: &Header, campaign: u32, token: &str) -> Effect {
        let at_ms = header.moment.corrected_ms();
        let coupon = match crate::token::parse(token) {
            Ok(Token::Coupon(coupon)) => coupon.verify(self.keys, at_ms.div_euclid(1000)),
            Ok(
                Token::Voucher(_)
                | Token::Proof(_)
                | Token::Order(_)
                | Token::Receipt(_)
                | Token::Member(_)
                | Token::Number(_),
            ) => return refused("coupon_of_another_kind", words::NOT_A_COUPON),
            Err(error) => Err(error),
        };
        let coupon = match coupon {
            Ok(coupon) => coupon,
            Err(error) => {
                let words = format!("The coupon does not hold at head office: {error}.");
                return Effect::Rule { ruling: Ruling::Refused, code: "coupon_not_ours", words };
            }
        };
        let serial = coupon.serial().to_string();
        if header.serial.as_deref() != Some(serial.as_str()) || coupon.campaign != campaign {
            return refused("coupon_serial_differs", words::OTHER_SERIAL);
        }
        Effect::Redeem { serial, campaign, at_ms, at_words: self.at_words(at_ms) }
    }

    /// Verifies the voucher again, as a coupon.
    fn voucher(&self, header: &Header, value: Money, token: &str) -> Effect {
        let at_ms = header.moment.corrected_ms();
        let voucher = match crate::token::parse(token) {
            Ok(Token::Voucher(voucher)) => voucher.verify(self.keys, at_ms.div_euclid(1000)),
            Ok(
                Token::Coupon(_)
                | Token::Proof(_)
                | Token::Order(_)
                | Token::Receipt(_)
                | Token::Member(_)
                | Token::Number(_),
            ) => return refused("voucher_of_another_kind", words::NOT_A_VOUCHER),
            Err(error) => Err(error),
        };
        let voucher = match voucher {
            Ok(voucher) => voucher,
            Err(error) => {
                let words = format!("The voucher does not hold at head office: {error}.");
                return Effect::Rule { ruling: Ruling::Refused, code: "voucher_not_ours", words };
            }
        };
        let serial = voucher.serial().to_string();
        let amount = header.amount.filter(|amount| amount.is_positive() && *amount <= voucher.value);
        match amount {
            Some(amount) if header.serial.as_deref() == Some(serial.as_str()) && voucher.value == value => {
                Effect::SpendVoucher { serial, amount, at_ms, at_words: self.at_words(at_ms) }
            }
            Some(_) | None => refused("voucher_differs", words::OTHER_VOUCHER),
        }
    }

    fn at_words(&self, at_ms: i64) -> String {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        self.zone.to_datetime(at).strftime("%H:%M on %Y-%m-%d").to_string()
    }
}

/// The vouchers' part of a return: the till gives nothing for it, so head office owes new ones. One task names them all:
/// of one record no two tasks have one code.
fn vouchers_owed(shares: &[TenderShare]) -> Option<Effect> {
    let owed: Vec<(&str, Money)> = shares
        .iter()
        .filter_map(|share| match &share.means {
            Means::Voucher { serial } => Some((serial.as_str(), share.amount)),
            Means::Cash | Means::Wallet { .. } => None,
        })
        .collect();
    let words = words::vouchers_owed(&owed)?;
    Some(Effect::Task { code: words::VOUCHERS_OWED, words })
}

fn refused(code: &'static str, words: &str) -> Effect {
    Effect::Rule { ruling: Ruling::Refused, code, words: words.to_owned() }
}

fn unreadable(kind: &str) -> Effect {
    let words = words::unreadable(kind);
    Effect::Rule { ruling: Ruling::Refused, code: "unreadable", words }
}

fn settled(state: &'static str, settled: &Settled) -> PaymentChange {
    let Settled { trade, received, wallet, .. } = settled.clone();
    PaymentChange::Settled { state, trade, received, wallet }
}

/// Whether the fixed total is the sum of its lines, and its discounts and taxes are those of its lines.
fn sums_hold(
    lines: &[LineTotal],
    discounts: &[Discount],
    taxes: &[TaxAmount],
    total: Money,
) -> Result<bool, MoneyError> {
    let currency = total.currency;
    let off_lines = Money::sum(lines.iter().map(|line| line.discount), currency)?;
    let off = Money::sum(discounts.iter().map(|discount| discount.amount), currency)?;
    let tax_of_lines = Money::sum(lines.iter().map(|line| line.taxed.tax), currency)?;
    let tax = Money::sum(taxes.iter().map(|tax| tax.tax), currency)?;
    let on_top = taxes.iter().filter(|tax| tax.rate.included == TaxIn::OnTop).map(|tax| tax.tax);
    let gross = Money::sum(lines.iter().map(|line| line.gross), currency)?;
    let due = gross.minus(off_lines)?.plus(Money::sum(on_top, currency)?)?;
    Ok(off_lines == off && tax_of_lines == tax && due == total)
}
