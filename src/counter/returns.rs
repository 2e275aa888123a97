//! Refunds that a person starts, and how every refund ends.
//!
//! A return is a sale of its own: opened, its lines and total fixed, its refunds drawn and its cash given in
//! one commit. Its receipt comes when every part is on its way. The sale that it is of is told in the same
//! commit, so that the next return knows what is left.
//!
//! **Invariant:** a refund keeps its number for life: tried again, it is the same refund at the wallet.
//!
//! Not here: the shares (`sale::back`); money that came late, which goes back by itself (`outcomes`).

use super::acts::{reason_given, short};
use super::event::RefundReport;
use super::pay::push_fixed;
use super::recorder::{About, Recorder};
use super::{Refusal, Till};
use crate::money::Money;
use crate::record::body::{Body, Paper, Place, SaleKind, TypeSize};
use crate::record::giving_back::{CashBack, Means, Original, RefundEnd, ReturnWhy, TenderShare};
use crate::record::ids::{JobId, RefundId, SaleId};
use crate::record::line::{Line, LineId, LineKind, PriceFrom, Quantity};
use crate::record::money_moves::Settled;
use crate::sale::back::{NotLeft, Taken, Wanted};
use crate::sale::{Fixed, Intent, Refund, RefundState, Sale};
use crate::tax::{TaxRate, tax};

impl Till {
    /// A sale in memory, or the archived one that the event is about.
    pub(super) fn known<'a>(&'a self, id: SaleId, out: &Recorder<'a>) -> Option<&'a Sale> {
        self.sales.get(&id).or(out.cx.archived.filter(|sale| sale.id == id))
    }

    /// Whether so little goes back that the shop lets a cashier do it.
    pub(super) fn is_small_change(&self, id: SaleId, wanted: &Wanted, out: &Recorder<'_>) -> bool {
        let most = out.cx.bundle.content.limits.refund_by_cashier_minor;
        let taken = self.known(id, out).and_then(|sale| sale.left().ok()?.take(wanted).ok());
        // Nothing to give back needs no manager to be told so.
        taken.is_none_or(|taken| taken.total.minor <= most)
    }

    /// Gives back all or a part of a paid sale, to whoever paid.
    pub(super) fn give_back(
        &self,
        id: SaleId,
        returns_seen: u32,
        wanted: &Wanted,
        reason: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let reason = reason_given(reason)?;
        let sale = self.known(id, out).ok_or(Refusal::NotNow("This till has no such sale."))?;
        if sale.frozen {
            return Err(Refusal::Frozen);
        }
        // The person saw a sale with so many returns: the same press after a restart is no second return.
        if usize::try_from(returns_seen) != Ok(sale.back.drawn.len()) {
            return Err(Refusal::SaleMoved);
        }
        let receipt = sale.receipt.as_ref().ok_or(Refusal::from(NotLeft::Nothing))?;
        let taken = sale.left().and_then(|left| left.take(wanted)).map_err(Refusal::from)?;
        let (lines, fixed) = sale.as_return(&taken)?;
        let of = Original { sale: id, receipt: Some(receipt.number), epoch: receipt.epoch };
        let back = self.open_return(SaleKind::Refund, &lines, &fixed, out)?;
        let told = Body::ReturnOpened {
            of: Some(of),
            why: ReturnWhy::Customer,
            words: reason.clone(),
            shares: taken.shares.clone(),
        };
        out.push(told, About::sale(back).amount(taken.total));
        let Taken { lines, shares, total } = taken;
        let drawn = Body::ReturnDrawn { by: back, lines, shares: shares.clone(), total };
        out.push(drawn, About::sale(id));
        // Whoever could not read the first paper could not read the second.
        if sale.size != TypeSize::Normal {
            out.push(Body::TypeSizeChosen { size: sale.size }, About::sale(back));
        }
        self.pay_back(back, &shares, &reason, (total, sale.size), out);
        Ok(())
    }

    /// Gives cash back for goods whose receipt is not at hand: a manager's act, within the shop's limit.
    pub(super) fn give_back_without_receipt(
        &self,
        amount: Money,
        reason: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let reason = reason_given(reason)?;
        if amount.currency != self.currency || !amount.is_positive() {
            return Err(Refusal::Amount("Type what goes back as an amount of money.".to_owned()));
        }
        let most = Money::new(out.cx.bundle.content.limits.refund_without_receipt_minor, self.currency);
        if !most.is_positive() {
            return Err(Refusal::Back(
                "The shop gives nothing back without a receipt. Find the receipt's number.".to_owned(),
            ));
        }
        if most < amount {
            return Err(Refusal::Back(format!("Without a receipt at most {most} goes back.")));
        }
        let line = without_receipt(amount);
        let (taxed, taxes) = tax(&[(amount, &line.tax)])?;
        let taxed = taxed.into_iter().map(|taxed| crate::record::body::LineTotal {
            line: line.id,
            gross: amount,
            discount: Money::zero(self.currency),
            taxed,
        });
        let fixed = Fixed { lines: taxed.collect(), discounts: vec![], taxes, total: amount };
        let back = self.open_return(SaleKind::RefundWithoutOriginal, &[line], &fixed, out)?;
        let shares = vec![TenderShare { means: Means::Cash, amount }];
        let (words, why) = (reason.clone(), ReturnWhy::Customer);
        let told = Body::ReturnOpened { of: None, why, words, shares: shares.clone() };
        out.push(told, About::sale(back).amount(amount));
        self.pay_back(back, &shares, &reason, (amount, TypeSize::Normal), out);
        Ok(())
    }

    fn open_return(
        &self,
        sale_kind: SaleKind,
        lines: &[Line],
        fixed: &Fixed,
        out: &mut Recorder<'_>,
    ) -> Result<SaleId, Refusal> {
        let id = out.id(SaleId::draw);
        out.push(Body::SaleOpened { sale_kind, place: Place::Held }, About::sale(id));
        for line in lines {
            let amount = line.gross()?;
            out.push(Body::LineAdded { line: line.clone() }, About::sale(id).amount(amount));
        }
        push_fixed(id, fixed, out)?;
        Ok(id)
    }

    /// Draws the refunds and hands the cash; with cash alone the receipt is due at once.
    fn pay_back(
        &self,
        back: SaleId,
        shares: &[TenderShare],
        why: &str,
        (total, size): (Money, TypeSize),
        out: &mut Recorder<'_>,
    ) {
        let mut by_wallet = false;
        for TenderShare { means, amount } in shares {
            match means {
                Means::Cash => self.return_cash(back, *amount, CashBack::Refund, out),
                // The return says so, and head office gives a new one.
                Means::Voucher { .. } => {}
                Means::Wallet { intent, .. } => {
                    by_wallet = true;
                    let (refund, why) = (out.id(RefundId::draw), why.to_owned());
                    let body = Body::RefundDrawn { refund, intent: *intent, amount: *amount, why };
                    out.push(body, About::sale(back).amount(*amount));
                }
            }
        }
        if !by_wallet {
            self.finish_return(back, total, size, out);
        }
    }

    /// The return's own receipt. Its total is below nothing: it takes away from what was sold.
    fn finish_return(&self, back: SaleId, total: Money, size: TypeSize, out: &mut Recorder<'_>) {
        let total = total.negated().unwrap_or(total);
        let receipt = Some(self.last_receipt + 1);
        let about = About { receipt, ..About::sale(back).amount(total) };
        out.push(Body::ReceiptIssued { total }, about);
        let job = out.id(JobId::draw);
        let body = Body::PrintOrdered { job, paper: Paper::Receipt, size };
        out.push(body, About::sale(back));
    }

    /// Money came for a payment whose sale has left memory: it goes back by a return of its own.
    pub(super) fn late_for_archived(
        &self,
        sale: &Sale,
        intent: &Intent,
        settled: &Settled,
        out: &mut Recorder<'_>,
    ) {
        let amount = intent.amount;
        let late = Body::PaidLate { intent: intent.id, settled: settled.clone() };
        out.push(late, About::sale(sale.id).amount(amount));
        let back = out.id(SaleId::draw);
        let opened = Body::SaleOpened { sale_kind: SaleKind::Refund, place: Place::Held };
        out.push(opened, About::sale(back));
        let means =
            Means::Wallet { intent: intent.id, provider: intent.provider, captured_by: intent.captured_by() };
        let receipt = sale.receipt.as_ref();
        let epoch = receipt.map_or(self.epoch, |receipt| receipt.epoch);
        let of = Original { sale: sale.id, receipt: receipt.map(|receipt| receipt.number), epoch };
        let words = "paid after it was over".to_owned();
        let shares = vec![TenderShare { means, amount }];
        let opened = Body::ReturnOpened { of: Some(of), why: ReturnWhy::Late, words: words.clone(), shares };
        out.push(opened, About::sale(back).amount(amount));
        let refund = out.id(RefundId::draw);
        let drawn = Body::RefundDrawn { refund, intent: intent.id, amount, why: words };
        out.push(drawn, About::sale(back).amount(amount));
    }

    pub(super) fn refund_reported(&self, id: RefundId, report: &RefundReport, out: &mut Recorder<'_>) {
        let Some((sale, refund)) = self.refund(id) else { return };
        out.at(&sale.station);
        let about = About::sale(sale.id).amount(refund.amount);
        match (report, &refund.state) {
            (_, RefundState::Done) => return,
            (RefundReport::Refunded, _) => out.push(Body::Refunded { refund: id }, about),
            (RefundReport::Pending(words), RefundState::Drawn) => {
                out.push(Body::RefundPending { refund: id, words: short(words) }, about);
            }
            (RefundReport::Refused(words), RefundState::Drawn | RefundState::Pending) => {
                return out.push(Body::RefundRefused { refund: id, words: short(words) }, about);
            }
            (
                RefundReport::Pending(_),
                RefundState::Pending | RefundState::Refused(_) | RefundState::Settled(_),
            )
            | (RefundReport::Refused(_), RefundState::Refused(_) | RefundState::Settled(_)) => return,
        }
        self.after_refund(sale, id, out);
    }

    /// The return's receipt, once this refund was the last that was not on its way.
    fn after_refund(&self, sale: &Sale, id: RefundId, out: &mut Recorder<'_>) {
        let wanted = sale.back.opened.as_ref().is_some_and(|back| back.why == ReturnWhy::Customer);
        let rest = sale.refunds.iter().filter(|refund| refund.id != id);
        if let (true, None, Some(fixed)) = (wanted, &sale.receipt, &sale.fixed)
            && rest.map(|refund| &refund.state).all(RefundState::is_promised)
        {
            self.finish_return(sale.id, fixed.total, sale.size, out);
        }
    }

    fn refund(&self, id: RefundId) -> Option<(&Sale, &Refund)> {
        let of = |sale: &'_ Sale| sale.refunds.iter().position(|refund| refund.id == id);
        let (sale, at) = self.sales.values().find_map(|sale| Some((sale, of(sale)?)))?;
        Some((sale, &sale.refunds[at]))
    }

    fn refused_refund(&self, id: RefundId) -> Result<(&Sale, &Refund), Refusal> {
        let refused = |(_, refund): &(&Sale, &Refund)| matches!(refund.state, RefundState::Refused(_));
        self.refund(id).filter(refused).ok_or(Refusal::NotNow("That refund is not refused any more."))
    }

    /// Tries a refused refund again, under its number.
    pub(super) fn retry_refund(&self, id: RefundId, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let (sale, refund) = self.refused_refund(id)?;
        out.push(Body::RefundRetried { refund: id }, About::sale(sale.id).amount(refund.amount));
        Ok(())
    }

    /// A manager ends a refused refund: in cash, or in another way that the words tell.
    pub(super) fn settle_refund(
        &self,
        id: RefundId,
        end: RefundEnd,
        reason: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let (sale, refund) = self.refused_refund(id)?;
        let words = reason_given(reason)?;
        let about = About::sale(sale.id).amount(refund.amount);
        out.push(Body::RefundSettled { refund: id, end, words }, about);
        match end {
            RefundEnd::Cash => self.return_cash(sale.id, refund.amount, CashBack::Instead(id), out),
            RefundEnd::Otherwise => {}
        }
        self.after_refund(sale, id, out);
        Ok(())
    }
}

/// The one line of a refund without a receipt: nobody knows what it was, so no tax comes back with it.
fn without_receipt(price: Money) -> Line {
    Line {
        id: LineId(1),
        kind: LineKind::Goods,
        sku: None,
        gtin: None,
        name: "Without a receipt".to_owned(),
        name_zh: Some("无小票退款".to_owned()),
        quantity: Quantity::pieces(1),
        listed: None,
        price,
        price_from: PriceFrom::Open,
        override_reason: None,
        modifiers: vec![],
        tax: TaxRate::none(),
        linked: None,
        least_age: None,
        net: None,
        lot: None,
        serial: None,
        expiry: None,
    }
}

impl From<NotLeft> for Refusal {
    fn from(not_left: NotLeft) -> Self {
        Self::Back(not_left.to_string())
    }
}
