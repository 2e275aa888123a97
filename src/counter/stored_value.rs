//! Paying out of a member's stored value: the member's code is a pay code, and the cloud's house is its wallet.
//!
//! In an open basket a member's code says who it is; once Pay was pressed it pays. **Invariant:** the till knows
//! nothing of balances: whether there is enough the cloud says, so this needs the line.
//!
//! Not here: the ledger and whether the code is right (`cloud`), refunds (`returns`).

use super::pay::keyed_hash;
use super::recorder::{About, Recorder};
use super::tender::asked;
use super::{Refusal, Till};
use crate::record::body::Body;
use crate::record::ids::{IntentId, SaleId, StationId};
use crate::record::moment::BootId;
use crate::record::money_moves::{Carrier, ProviderName};
use crate::sale::Sale;
use crate::token::{Kind, MemberCode, TOTP_STEP_S};
use crate::view::Phase;

/// The steps that a member's code lasts at most after it was read: its own, and the one that the cloud takes after.
const CODE_STEPS: i64 = 2;

impl Till {
    /// Whether a member's code, read now, pays: a total waits for money, and the cloud keeps stored value.
    pub(super) fn member_pays(&self, station: &StationId, out: &Recorder<'_>) -> bool {
        let waits = self.front(station).is_some_and(|sale| sale.phase() == Phase::Tender);
        waits && out.cx.wallets.contains(&ProviderName::House)
    }

    /// A member's code is read while a total waits for money.
    pub(super) fn pay_by_member(
        &self,
        station: &StationId,
        code: &MemberCode,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let (sale, due) = self.awaiting(station)?;
        if !due.is_positive() {
            return Err(Refusal::NothingToPay);
        }
        let amount = asked(sale, due);
        let text = text(&code.member.to_string(), &format!("{:08}", code.totp));
        let body = Body::IntentDrawn {
            intent: out.id(IntentId::draw),
            provider: ProviderName::House,
            amount,
            carrier: Carrier::PayCode { keyed_hash: keyed_hash(out.cx.code_key, &text) },
            settle_by: out.cx.moment.after_ms(super::pay::settle_within_ms(ProviderName::House)),
        };
        out.push(body, About::sale(sale.id).amount(amount));
        Ok(())
    }

    /// The cashier presses instead of scanning again: the code by which the member was recognised is still fresh.
    pub(super) fn pay_stored_value(
        &self,
        station: &StationId,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        if !out.cx.wallets.contains(&ProviderName::House) {
            return Err(Refusal::NoCodeHere);
        }
        let (sale, _) = self.awaiting(station)?;
        let (boot, now_ms) = (out.cx.moment.boot, out.cx.moment.monotonic_ms);
        let text = fresh_code(sale, boot, now_ms).ok_or(Refusal::NoMemberCode)?;
        match crate::token::parse(&text) {
            Ok(crate::token::Token::Member(code)) => self.pay_by_member(station, &code, out),
            Ok(_) | Err(_) => Err(Refusal::NoMemberCode),
        }
    }

    /// The code by which a sale's member was recognised, as it was read.
    pub fn member_code(&self, sale: SaleId) -> Option<String> {
        let sale = self.sales.get(&sale)?;
        Some(text(sale.member.as_deref()?, &sale.member_proof.as_ref()?.digits))
    }
}

fn fresh_code(sale: &Sale, boot: BootId, now_ms: u64) -> Option<String> {
    let proof = sale.member_proof.as_ref()?;
    let age_ms = now_ms.saturating_sub(proof.at.monotonic_ms);
    let most_ms = u64::try_from(CODE_STEPS * TOTP_STEP_S * 1000).ok()?;
    let fresh = proof.at.boot == boot && age_ms <= most_ms;
    Some(text(sale.member.as_deref()?, &proof.digits)).filter(|_| fresh)
}

fn text(member: &str, digits: &str) -> String {
    format!("{}.{member}.{digits}", Kind::Member.code())
}
