//! Proofs that a customer brings when the till cannot hear the cloud: the `P1` on the phone, or its eight digits.
//!
//! **Invariant:** a proof closes the order whose hash it names, of this till, for the whole amount, once. One that comes
//! after `Abandoned` is money that came late: it goes back, and never releases goods. What the cloud says of the same
//! payment later changes nothing.
//!
//! Not here: how an order reaches the cloud without the till (`cloud`), the layout of codes (`token`).

use super::recorder::{About, Recorder};
use super::{Refusal, Till};
use crate::limits::Means;
use crate::money::Money;
use crate::record::body::Body;
use crate::record::header::Epoch;
use crate::record::ids::{IntentId, TerminalId};
use crate::record::money_moves::{Carrier, OrderTerms, ProvenBy, Settled};
use crate::sale::intent::TRIES;
use crate::sale::{Intent, IntentState, Sale};
use crate::token::{Order, OrderHash, Proof, TerminalTag, Unverified};

/// Digits of a typed proof.
const DIGITS: usize = 8;

/// Why a proof closes nothing.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum NotProven {
    /// No order of this till has that hash.
    #[error(
        "This till did not ask for that payment. It may be another till's, or of long ago: hand nothing over, and look where the code was scanned."
    )]
    NotAsked,
    /// The sale is paid by it.
    #[error("That payment is counted already, and its sale has a receipt. Hand nothing over a second time.")]
    Counted,
    /// It was late, and that is known.
    #[error("That payment came too late and goes back to the customer. Take other money.")]
    GoesBack,
    /// The amounts differ.
    #[error("The phone paid {paid} where {due} was due. Hand nothing over, and call the manager.")]
    OtherAmount {
        /// What the cloud settled.
        paid: Money,
        /// What the order asked for.
        due: Money,
    },
    /// Not eight digits.
    #[error("The proof on the phone has eight digits. Type all of them.")]
    NotEightDigits,
    /// The payment takes no digits.
    #[error("No payment waits for these digits. Show a code first.")]
    NotWaiting,
    /// Too much for digits.
    #[error("Digits are taken up to {most}. Scan the square code on the phone instead.")]
    TooMuch {
        /// The shop's limit.
        most: Money,
    },
    /// Three were wrong.
    #[error("Wrong digits were typed three times. Scan the square code on the phone instead.")]
    TriesUsed,
    /// The cloud was never heard.
    #[error(
        "This till has not heard from head office yet and cannot check digits. Scan the square code on the phone."
    )]
    NoKey,
}

/// The order that carries these terms: what a till signs, and what a proof names by its hash.
pub fn order_of(terminal: &TerminalId, epoch: Epoch, amount: Money, terms: &OrderTerms) -> Order {
    Order {
        terminal: TerminalTag::of(terminal.as_str()),
        epoch: epoch.0,
        nonce: terms.nonce,
        amount,
        issued_at: i64::try_from(terms.issued_at_s).unwrap_or(i64::MAX),
    }
}

impl Till {
    /// A scanner read the code that a phone shows after it paid.
    pub(super) fn take_proof(
        &self,
        shown: &Unverified<Proof>,
        text: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let now = i64::try_from(out.cx.moment.unix_s()).unwrap_or(i64::MAX);
        let proof = shown.verify(out.cx.keys, now)?;
        let (sale, intent) = self.ordered(proof.order, out).ok_or(NotProven::NotAsked)?;
        check_state(intent)?;
        let paid = Money::new(proof.settled_minor, intent.amount.currency);
        if paid != intent.amount {
            return Err(NotProven::OtherAmount { paid, due: intent.amount }.into());
        }
        let settled = Settled::proven(paid, ProvenBy::PaidProof, Some(text.to_owned()));
        self.proved(sale, intent, &settled, out);
        Ok(())
    }

    /// Somebody typed what the customer read out.
    pub(super) fn type_proof(
        &self,
        id: IntentId,
        typed: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let sale = self.sale_of_intent(id).ok_or(NotProven::NotWaiting)?;
        let intent = sale.intent(id).ok_or(NotProven::NotWaiting)?;
        let Carrier::Order(terms) = &intent.carrier else { return Err(NotProven::NotWaiting.into()) };
        check_state(intent)?;
        let most = Money::new(out.cx.bundle.content.limits.typed_proof_minor, self.currency);
        if most < intent.amount {
            return Err(NotProven::TooMuch { most }.into());
        }
        self.refuse_at_limit(Means::TypedProof, Some(intent.amount), Some(sale.id), out)?;
        if intent.mistyped >= TRIES {
            return Err(NotProven::TriesUsed.into());
        }
        let key = out.cx.proof_key.ok_or(NotProven::NoKey)?;
        let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotProven::NotEightDigits.into());
        }
        let order = order_of(&self.terminal, self.epoch, intent.amount, terms);
        if order.typed_proof(key)? != digits {
            out.push(Body::ProofMistyped { intent: id }, About::sale(sale.id).amount(intent.amount));
            return Ok(());
        }
        let settled = Settled::proven(intent.amount, ProvenBy::TypedProof, None);
        self.proved(sale, intent, &settled, out);
        Ok(())
    }

    /// The payment that an order's hash names: of a sale in memory, or of the one that was looked up.
    fn ordered<'a>(&'a self, hash: OrderHash, out: &Recorder<'a>) -> Option<(&'a Sale, &'a Intent)> {
        let in_memory = self.sales.values();
        let sales = in_memory.chain(out.cx.archived);
        let mut intents = sales.flat_map(|sale| sale.intents.iter().map(move |intent| (sale, intent)));
        intents.find(|(_, intent)| match &intent.carrier {
            Carrier::Order(terms) => {
                order_of(&self.terminal, self.epoch, intent.amount, terms).hash() == Ok(hash)
            }
            Carrier::PayCode { .. } | Carrier::WalletCode {} => false,
        })
    }

    /// The money is known to have come: as if the cloud had said so, with less known of it.
    fn proved(&self, sale: &Sale, intent: &Intent, settled: &Settled, out: &mut Recorder<'_>) {
        out.at(&sale.station);
        if self.holds(sale.id) {
            self.money_came(sale, intent, settled, out);
        } else {
            self.late_for_archived(sale, intent, settled, out);
        }
    }
}

/// Refuses what was counted before, or is on its way back.
fn check_state(intent: &Intent) -> Result<(), NotProven> {
    if intent.state == IntentState::Approved {
        Err(NotProven::Counted)
    } else if intent.state.has_its_money() {
        Err(NotProven::GoesBack)
    } else {
        Ok(())
    }
}
