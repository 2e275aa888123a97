//! A person's act: who may do it, whether they saw what they act on, and where it is decided.

use super::event::{Act, Command};
use super::recorder::{About, Recorder};
use super::{Refusal, Till};
use crate::money::{AMOUNT_MINOR_MAX, Money};
use crate::record::body::{Body, Place, SaleKind};
use crate::record::ids::{SaleId, StaffId, StationId};
use crate::record::line::Quantity;
use crate::sale::Sale;
use crate::staff::Role;
use crate::view::Phase;

/// Sales put aside at one till. More than that is a queue that nobody looks at.
const HELD_MAX: usize = 30;

/// The longest sentence that is kept with a record, in characters: a person's reason or an edge's words.
const REASON_CHARS_MAX: usize = 200;

impl Till {
    pub(super) fn act(&self, command: &Command, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        if let Act::Queue { about, act, reason } = &command.act {
            return self.queue_act(command, about.as_deref(), *act, reason, out);
        }
        let station = &command.station;
        // On the manager's page, which stands at no station.
        if let Act::AdoptEpoch { reason } = &command.act
            && !self.stations.contains_key(station)
        {
            self.by_a_manager(command, out)?;
            return self.adopt_epoch(reason, out);
        }
        out.at(station);
        if let Act::FirstManager { staff, name, pin } = &command.act {
            return self.first_manager(staff, name, pin, out);
        }
        let staff = command.staff.as_ref().filter(|staff| self.staff.contains_key(*staff));
        let staff = staff.ok_or(Refusal::SignInFirst)?;
        out.by(Some(staff.clone()));
        if let Act::SignIn = &command.act {
            return self.sign_in(staff, station, out);
        }
        if self.stations.get(station).is_none_or(|here| here.staff.as_ref() != Some(staff)) {
            return Err(Refusal::SignInFirst);
        }
        self.check_seen(command)?;
        self.check_approval(command, staff, out)?;
        self.act_as_staff(command, out)
    }

    fn act_as_staff(&self, command: &Command, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let station = &command.station;
        match &command.act {
            // Dealt with before anybody has to stand at a station.
            Act::FirstManager { .. } | Act::SignIn | Act::Queue { .. } => Ok(()),
            Act::AddStaff { staff, name, role, pin } => self.add_staff(staff, name, *role, pin, out),
            Act::SignOut => {
                out.note(Body::SignedOut {});
                Ok(())
            }
            Act::OpenShift { float } => self.open_shift(*float, out),
            Act::CloseShift { counted } => self.close_shift(*counted, out),
            Act::PressKey { sku, modifiers, price, quantity } => {
                self.press_key(station, sku, modifiers, *price, *quantity, out)
            }
            Act::TypeCode(text) => self.read_code(station, text.as_bytes(), None, out),
            Act::SetQuantity { line, value } => {
                let sale = self.open_basket(station)?;
                let old = sale.line(*line).ok_or(Refusal::NoSuchLine)?;
                let quantity = Quantity { value: *value, ..old.quantity };
                if !quantity.is_sensible() {
                    return Err(Refusal::Quantity);
                }
                quantity.at(old.price)?;
                out.push(Body::LineQuantity { line: *line, quantity }, About::sale(sale.id));
                Ok(())
            }
            Act::VoidLine { line, reason } => {
                let sale = self.open_basket(station)?;
                sale.line(*line).ok_or(Refusal::NoSuchLine)?;
                let reason = reason.as_deref().map(short);
                out.push(Body::LineVoided { line: *line, reason }, About::sale(sale.id));
                Ok(())
            }
            Act::OverridePrice { line, price, reason } => {
                let sale = self.open_basket(station)?;
                let old = sale.line(*line).ok_or(Refusal::NoSuchLine)?;
                if price.currency != self.currency || price.is_negative() {
                    return Err(Refusal::Amount("The new price must be an amount of money.".to_owned()));
                }
                old.quantity.at(*price)?;
                sensible(*price)?;
                let reason = reason_given(reason)?;
                let body = Body::PriceOverridden { line: *line, price: *price, reason };
                out.push(body, About::sale(sale.id).amount(*price));
                Ok(())
            }
            Act::ReturnCoupon { serial } => {
                let sale = self.open_basket(station)?;
                if !sale.coupons.iter().any(|coupon| coupon.serial == *serial) {
                    return Err(Refusal::NotNow("That coupon is not on this sale."));
                }
                out.push(Body::CouponReturned { serial: serial.clone() }, About::sale(sale.id));
                Ok(())
            }
            Act::Pay => self.fix_total(station, out),
            Act::Back => self.release_total(station, out),
            Act::Part { amount } => self.choose_part(station, *amount, out),
            Act::GiveBack { sale, returns_seen, wanted, reason } => {
                self.give_back(*sale, *returns_seen, wanted, reason, out)
            }
            Act::GiveBackWithoutReceipt { amount, reason } => {
                self.give_back_without_receipt(*amount, reason, out)
            }
            Act::RetryRefund { refund } => self.retry_refund(*refund, out),
            Act::SettleRefund { refund, end, reason } => self.settle_refund(*refund, *end, reason, out),
            Act::ResolvePayment { intent, finding, reason } => {
                self.resolve_payment(*intent, *finding, reason, out)
            }
            Act::AdoptEpoch { reason } => self.adopt_epoch(reason, out),
            Act::AcknowledgeFrozen { sale, reason } => self.acknowledge_frozen(*sale, reason, out),
            Act::SeeNote { sale } => self.see_note(*sale, out),
            Act::ShowCode { at } => self.show_code(station, *at, out),
            Act::PrintCode { intent } => self.print_code(*intent, out),
            Act::TypeProof { intent, digits } => self.type_proof(*intent, digits, out),
            Act::StoredValue => self.pay_stored_value(station, out),
            Act::Cash { received } => self.take_cash(station, *received, out),
            Act::CancelPayment { intent } => self.cancel_payment(*intent, out),
            Act::Hold => self.hold(station, out),
            Act::Recall { sale } => self.recall(station, *sale, out),
            Act::PutOnDesk { desk } => self.put_on_desk(station, desk, out),
            Act::TakeDesk { desk } => self.take_desk(station, desk, out),
            Act::VoidSale { reason } => self.void_sale(station, reason, out),
            Act::NoSale { reason } => self.no_sale(reason, out),
            Act::ChooseTypeSize { size } => self.choose_type_size(station, *size, out),
            Act::Reprint { sale, size } => self.reprint(*sale, *size, out),
            Act::Settle { job, words } => self.settle(*job, words, out),
        }
    }

    /// Refuses an act on another sale, or on another state of it, than the person saw.
    fn check_seen(&self, command: &Command) -> Result<(), Refusal> {
        let Some((id, version)) = command.seen else { return Ok(()) };
        match self.sales.get(&id) {
            Some(sale) if sale.version == version => Ok(()),
            Some(_) | None => Err(Refusal::SaleMoved),
        }
    }

    fn check_approval(
        &self,
        command: &Command,
        staff: &StaffId,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let needed = match &command.act {
            Act::AddStaff { .. }
            | Act::OverridePrice { .. }
            | Act::NoSale { .. }
            | Act::GiveBackWithoutReceipt { .. }
            | Act::SettleRefund { .. }
            | Act::ResolvePayment { .. }
            | Act::Queue { .. }
            | Act::AdoptEpoch { .. }
            | Act::AcknowledgeFrozen { .. } => true,
            Act::GiveBack { sale, wanted, .. } => !self.is_small_change(*sale, wanted, out),
            Act::FirstManager { .. }
            | Act::SignIn
            | Act::SignOut
            | Act::OpenShift { .. }
            | Act::CloseShift { .. }
            | Act::PressKey { .. }
            | Act::TypeCode(_)
            | Act::SetQuantity { .. }
            | Act::VoidLine { .. }
            | Act::ReturnCoupon { .. }
            | Act::Pay
            | Act::Back
            | Act::Part { .. }
            | Act::RetryRefund { .. }
            | Act::SeeNote { .. }
            | Act::ShowCode { .. }
            | Act::PrintCode { .. }
            | Act::TypeProof { .. }
            | Act::StoredValue
            | Act::Cash { .. }
            | Act::CancelPayment { .. }
            | Act::Hold
            | Act::Recall { .. }
            | Act::PutOnDesk { .. }
            | Act::TakeDesk { .. }
            | Act::VoidSale { .. }
            | Act::ChooseTypeSize { .. }
            | Act::Reprint { .. }
            | Act::Settle { .. } => false,
        };
        let is_manager = |id: &StaffId| self.staff.get(id).is_some_and(|person| person.role == Role::Manager);
        let approver = command.approver.as_ref().filter(|id| is_manager(id));
        // Who adopts books answers for what was lost: a PIN typed for this very act, whoever left the till signed in.
        let by_presence = needed && !matches!(command.act, Act::AdoptEpoch { .. });
        let approver = approver.or(Some(staff).filter(|id| by_presence && is_manager(id)));
        if needed && approver.is_none() {
            return Err(Refusal::NeedsManager);
        }
        out.approved_by(approver.cloned());
        Ok(())
    }

    fn hold(&self, station: &StationId, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let sale = self.front(station).ok_or(Refusal::NoSale)?;
        let held = self.sales.values().filter(|sale| sale.place == Place::Held && super::is_open(sale));
        if held.count() >= HELD_MAX {
            return Err(Refusal::NotNow("Too many sales are put aside. Finish one of them first."));
        }
        out.push(Body::SaleMoved { place: Place::Held }, About::sale(sale.id));
        Ok(())
    }

    fn recall(&self, station: &StationId, id: SaleId, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        self.check_front_is_free(station)?;
        let held = self.sales.get(&id).filter(|sale| sale.place == Place::Held && super::is_open(sale));
        let sale = held.ok_or(Refusal::NotNow("That sale is not put aside any more."))?;
        out.push(Body::SaleMoved { place: Place::Front }, About::sale(sale.id));
        Ok(())
    }

    pub(super) fn check_front_is_free(&self, station: &StationId) -> Result<(), Refusal> {
        match self.front(station) {
            Some(_) => Err(Refusal::NotNow("Put the sale in front aside first, or finish it.")),
            None => Ok(()),
        }
    }

    fn void_sale(&self, station: &StationId, reason: &str, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let sale = self.front(station).ok_or(Refusal::NoSale)?;
        refuse_while_paying(sale)?;
        let reason = if sale.is_empty() { short(reason) } else { reason_given(reason)? };
        self.back_out(sale, out)?;
        out.push(Body::SaleVoided { reason }, About::sale(sale.id));
        Ok(())
    }

    fn no_sale(&self, reason: &str, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let reason = reason_given(reason)?;
        let id = out.id(SaleId::draw);
        let opened = Body::SaleOpened { sale_kind: SaleKind::NoSale, place: Place::Held };
        out.push(opened, About::sale(id));
        self.order_kick(id, crate::record::body::KickReason::NoSale, Some(reason), out);
        out.push(Body::SaleVoided { reason: "drawer only".to_owned() }, About::sale(id));
        Ok(())
    }

    /// The basket in front, open for changes.
    pub(super) fn open_basket(&self, station: &StationId) -> Result<&Sale, Refusal> {
        let sale = self.front(station).ok_or(Refusal::NoSale)?;
        match sale.phase() {
            Phase::Basket => Ok(sale),
            Phase::Frozen => Err(Refusal::Frozen),
            Phase::Paying | Phase::Tender | Phase::Paid | Phase::Void => {
                refuse_while_paying(sale)?;
                Err(Refusal::TotalIsFixed)
            }
        }
    }
}

/// Refuses while money may still move for this sale.
pub(super) fn refuse_while_paying(sale: &Sale) -> Result<(), Refusal> {
    match sale.open_intent() {
        Some(intent) if intent.is_order() || intent.is_shown() => Err(Refusal::PhoneIsPaying),
        Some(_) => Err(Refusal::PaymentUnderWay),
        None if sale.frozen => Err(Refusal::Frozen),
        None => Ok(()),
    }
}

/// Refuses what would open the basket again once a part of it is paid.
pub(super) fn refuse_paid_in_part(sale: &Sale) -> Result<(), Refusal> {
    if sale.is_paid_in_part() { Err(Refusal::PaidInPart) } else { Ok(()) }
}

/// Refuses an amount that no counter has ever seen.
pub(super) fn sensible(amount: Money) -> Result<(), Refusal> {
    if amount.minor > AMOUNT_MINOR_MAX {
        return Err(Refusal::Amount(format!("{amount} is more than a till takes. Type the amount again.")));
    }
    Ok(())
}

/// A reason that was really given, cut to what is kept.
pub(super) fn reason_given(reason: &str) -> Result<String, Refusal> {
    let reason = short(reason.trim());
    if reason.is_empty() { Err(Refusal::NotNow("Say why: a few words are enough.")) } else { Ok(reason) }
}

/// What is kept of somebody's words: no control characters, and not more than a record should carry.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect()
}
