//! Fixing a total, taking cash, drawing intents, and the moment at which a sale is paid.

use super::acts::{refuse_paid_in_part, refuse_while_paying};
use super::recorder::{About, Recorder};
use super::tender::asked;
use super::vouchers::redeem;
use super::{Refusal, Till};
use crate::money::Money;
use crate::offer::ENGINE;
use crate::record::BODY_BYTES_MAX;
use crate::record::body::{Body, KickReason, Paper};
use crate::record::ids::{IntentId, JobId, KickId, SaleId, StationId};
use crate::record::money_moves::{Carrier, ProviderName};
use crate::sale::{Fixed, Sale};
use crate::scan::{PayCode, Wallet};
use crate::view::Phase;
use ring::hmac;

/// How long a pay code's payment may take before it is taken back. The field's hard stop is 45 to 60 s:
/// Alipay's guide asks for about 60 s and then cancels at once; WeChat Pay's USERPAYING is asked for up to
/// 45 s and then reversed (codepay guide 4013637903).
pub(super) fn settle_within_ms(provider: ProviderName) -> u64 {
    match provider {
        ProviderName::Alipay | ProviderName::House => 60_000,
        ProviderName::Wechat => 45_000,
    }
}

/// Nobody hands over more than this many times what is due and not a coin more is missing; it is a slip.
const CASH_TIMES_MAX: i64 = 20;

/// But notes are large and coffees are small: this many major units are always believed.
const CASH_ALWAYS_MAJOR: i64 = 1000;

impl Till {
    pub(super) fn fix_total(&self, station: &StationId, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let sale = self.open_basket(station)?;
        if sale.is_empty() {
            return Err(Refusal::NothingToPay);
        }
        let fixed = self.push_total(sale, out)?;
        if fixed.total.is_zero() {
            self.complete(sale, &fixed, out);
        }
        Ok(())
    }

    /// Fixes the total of a basket that has lines.
    pub(super) fn push_total(&self, sale: &Sale, out: &mut Recorder<'_>) -> Result<Fixed, Refusal> {
        let now_s = out.reckoned().unix_s();
        let allotted = self.allotted(now_s, out.cx.bundle, Some(sale.id));
        let fixed = sale.quote(out.cx.bundle, &allotted, now_s)?.fixed;
        super::acts::sensible(fixed.total)?;
        if fixed.total.is_negative() {
            return Err(Refusal::Amount(
                "This basket comes to less than nothing. A refund is another kind of sale.".to_owned(),
            ));
        }
        self.refuse_coupons_at_limit(sale, &fixed, out)?;
        push_fixed(sale.id, &fixed, out)?;
        Ok(fixed)
    }

    pub(super) fn release_total(&self, station: &StationId, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let sale = self.front(station).ok_or(Refusal::NoSale)?;
        refuse_while_paying(sale)?;
        if sale.fixed.is_none() {
            return Err(Refusal::NotNow("The basket is open already."));
        }
        refuse_paid_in_part(sale)?;
        out.push(Body::TotalReleased {}, About::sale(sale.id));
        Ok(())
    }

    /// The sale in front, fixed and waiting for money, and what is due.
    pub(super) fn awaiting(&self, station: &StationId) -> Result<(&Sale, Money), Refusal> {
        let sale = self.front(station).ok_or(Refusal::NoSale)?;
        refuse_while_paying(sale)?;
        match &sale.fixed {
            Some(fixed) => Ok((sale, sale.due(fixed)?)),
            None => Err(Refusal::PressPayFirst),
        }
    }

    pub(super) fn take_cash(
        &self,
        station: &StationId,
        received: Money,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let front = self.front(station).ok_or(Refusal::NoSale)?;
        // Cash may follow straight on the basket: the total is fixed on the way.
        let (sale, fixed) = match front.phase() {
            Phase::Basket if front.is_empty() => return Err(Refusal::NothingToPay),
            Phase::Basket => (front, self.push_total(front, out)?),
            Phase::Tender | Phase::Paying | Phase::Paid | Phase::Void | Phase::Frozen => {
                let (sale, _) = self.awaiting(station)?;
                (sale, sale.fixed.clone().ok_or(Refusal::PressPayFirst)?)
            }
        };
        let due = sale.due(&fixed)?;
        let asked = asked(sale, due);
        if received.currency != self.currency || received.is_negative() {
            return Err(Refusal::Amount("Type the cash as an amount of the till's money.".to_owned()));
        }
        if !due.is_positive() {
            return Err(Refusal::NothingToPay);
        }
        let change = received.minus(asked)?;
        if change.is_negative() {
            return Err(Refusal::NotEnough { missing: change.negated()? });
        }
        let believed = asked
            .times(CASH_TIMES_MAX, 1)?
            .minor
            .max(CASH_ALWAYS_MAJOR.saturating_mul(self.currency.minor_per_major()));
        if received.minor > believed {
            return Err(Refusal::TooMuch { received, due: asked });
        }
        out.push(Body::CashTaken { received, change }, About::sale(sale.id).amount(asked));
        if asked == due {
            self.complete(sale, &fixed, out);
        }
        self.order_kick(sale.id, KickReason::Cash, None, out);
        Ok(())
    }

    pub(super) fn pay_by_code(
        &self,
        station: &StationId,
        code: &PayCode,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let front = self.front(station).ok_or(Refusal::NoSale)?;
        if front.phase() == Phase::Basket {
            return Err(Refusal::PressPayFirst);
        }
        let keyed_hash = keyed_hash(out.cx.code_key, code.expose());
        if self.recent_codes.contains(&keyed_hash) && front.open_intent().is_none() {
            return Err(Refusal::CodeUsed);
        }
        let (sale, due) = self.awaiting(station)?;
        let (provider, name) = match code.wallet() {
            Wallet::Alipay => (Some(ProviderName::Alipay), "Alipay"),
            Wallet::WeChat => (Some(ProviderName::Wechat), "WeChat Pay"),
            Wallet::UnionPay => (None, "UnionPay"),
        };
        let provider = provider.filter(|provider| out.cx.wallets.contains(provider));
        let provider = provider.ok_or_else(|| {
            Refusal::Scan(format!("{name} is not set up at this till. Ask for another wallet or cash."))
        })?;
        if !due.is_positive() {
            return Err(Refusal::NothingToPay);
        }
        let amount = asked(sale, due);
        let body = Body::IntentDrawn {
            intent: out.id(IntentId::draw),
            provider,
            amount,
            carrier: Carrier::PayCode { keyed_hash },
            settle_by: out.cx.moment.after_ms(settle_within_ms(provider)),
        };
        out.push(body, About::sale(sale.id).amount(amount));
        Ok(())
    }

    /// Writes down that a sale is paid: coupons spent, the receipt's number, its paper.
    pub(super) fn complete(&self, sale: &Sale, fixed: &Fixed, out: &mut Recorder<'_>) {
        for discount in &fixed.discounts {
            let coupon = sale.coupons.iter().find(|held| Some(&held.serial) == discount.serial.as_ref());
            if let Some(coupon) = coupon {
                let body = Body::CouponRedeemed {
                    campaign: coupon.campaign,
                    discount: discount.amount,
                    token: coupon.token.clone(),
                };
                let about = About::sale(sale.id).amount(discount.amount);
                out.push(body, About { serial: Some(coupon.serial.clone()), ..about });
            }
        }
        Self::spend_leases(sale.id, fixed, out);
        for voucher in &sale.vouchers {
            redeem(sale.id, voucher, out);
        }
        let about = About::sale(sale.id).amount(fixed.total);
        let receipt = Some(self.last_receipt + 1);
        out.push(Body::ReceiptIssued { total: fixed.total }, About { receipt, ..about });
        let job = out.id(JobId::draw);
        let body = Body::PrintOrdered { job, paper: Paper::Receipt, size: sale.size };
        out.push(body, About::sale(sale.id));
    }

    pub(super) fn order_kick(
        &self,
        sale: SaleId,
        reason: KickReason,
        words: Option<String>,
        out: &mut Recorder<'_>,
    ) {
        let kick = out.id(KickId::draw);
        out.push(Body::DrawerOrdered { kick, reason, words }, About::sale(sale));
    }
}

/// Writes a total down, with what it was computed from.
pub(super) fn push_fixed(sale: SaleId, fixed: &Fixed, out: &mut Recorder<'_>) -> Result<(), Refusal> {
    let body = Body::TotalFixed {
        lines: fixed.lines.clone(),
        discounts: fixed.discounts.clone(),
        taxes: fixed.taxes.clone(),
        total: fixed.total,
        bundle_version: out.cx.bundle.content.version,
        bundle_hash: out.cx.bundle.hash,
        engine: ENGINE,
    };
    // The journal takes no longer body, and a journal that refuses stops the till.
    if serde_json::to_vec(&body).map_or(usize::MAX, |bytes| bytes.len()) > BODY_BYTES_MAX {
        return Err(Refusal::BillTooLong);
    }
    out.push(body, About::sale(sale).amount(fixed.total));
    Ok(())
}

/// HMAC-SHA256 of a pay code under the till's own key: it is known again, and nothing can be read from it.
pub(super) fn keyed_hash(key: &[u8; 32], code: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    crate::record::ids::hex(hmac::sign(&key, code.as_bytes()).as_ref())
}
