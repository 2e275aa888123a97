//! Desks, and bills that phones pay: each an intent drawn here and carried in an order.
//!
//! While an order is open the basket is frozen. A phone pays the version of the bill that it saw.

use super::acts::{refuse_paid_in_part, refuse_while_paying};
use super::recorder::{About, Recorder};
use super::{Refusal, Till};
use crate::record::body::{Body, Place};
use crate::record::ids::{DeskId, SaleId, StationId};
use crate::record::money_moves::ProviderName;
use crate::token::ORDER_LIFETIME_S;
use crate::view::Phase;

impl Till {
    pub(super) fn put_on_desk(
        &self,
        station: &StationId,
        desk: &DeskId,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let sale = self.front(station).ok_or(Refusal::NoSale)?;
        refuse_while_paying(sale)?;
        refuse_paid_in_part(sale)?;
        let name = desk_name(desk, out)?;
        if self.on_desk(desk).is_some() {
            return Err(Refusal::Desk(format!(
                "{name} has a bill already. Take it to the front to add to it."
            )));
        }
        if sale.is_empty() {
            return Err(Refusal::NothingToPay);
        }
        if sale.fixed.is_some() {
            out.push(Body::TotalReleased {}, About::sale(sale.id));
        }
        out.push(Body::SaleMoved { place: Place::Desk(desk.clone()) }, About::sale(sale.id));
        Ok(())
    }

    pub(super) fn take_desk(
        &self,
        station: &StationId,
        desk: &DeskId,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        // A bill outlives its desk: one that was taken off the plan still gives it back.
        let Some(sale) = self.on_desk(desk) else {
            let name = desk_name(desk, out)?;
            return Err(Refusal::Desk(format!("{name} has no bill.")));
        };
        self.check_front_is_free(station)?;
        refuse_while_paying(sale)?;
        out.push(Body::SaleMoved { place: Place::Front }, About::sale(sale.id));
        Ok(())
    }

    /// A phone asks to pay the bill that it saw, with a wallet: the total is fixed and the intent drawn in one commit.
    pub(super) fn order_requested(
        &self,
        sale: SaleId,
        bill_version: u64,
        provider: ProviderName,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let sale = self.sales.get(&sale).filter(|sale| super::is_open(sale)).ok_or(Refusal::NoSale)?;
        let desk = sale.desk().cloned().ok_or(Refusal::SaleMoved)?;
        out.at(&sale.station);
        out.by(sale.staff.clone());
        if sale.version != bill_version {
            return Err(Refusal::SaleMoved);
        }
        match sale.phase() {
            Phase::Basket => {}
            Phase::Paying => return Err(Refusal::PhoneIsPaying),
            Phase::Frozen => return Err(Refusal::Frozen),
            Phase::Tender | Phase::Paid | Phase::Void => return Err(Refusal::SaleMoved),
        }
        if sale.is_empty() {
            return Err(Refusal::NothingToPay);
        }
        let fixed = self.push_total(sale, out)?;
        if fixed.total.is_zero() {
            self.complete(sale, &fixed, out);
            return Ok(());
        }
        let open_ms = u64::try_from(ORDER_LIFETIME_S).unwrap_or(0).saturating_mul(1000);
        self.draw_order(sale, fixed.total, provider, Some(desk), open_ms, out)
    }
}

fn desk_name(desk: &DeskId, out: &Recorder<'_>) -> Result<String, Refusal> {
    let known = out.cx.bundle.desk(desk);
    known.map(|desk| desk.name.clone()).ok_or_else(|| {
        Refusal::Desk(format!("There is no desk {desk}. A manager can add it at head office."))
    })
}
