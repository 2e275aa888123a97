//! Staff and shifts.

use super::recorder::{About, Recorder};
use super::{Person, Refusal, Till};
use crate::money::Money;
use crate::record::Record;
use crate::record::body::Body;
use crate::record::ids::{StaffId, StationId};
use crate::shift::Shift;
use crate::staff::{PinHash, Role};

/// People at one till. More is a chain's directory, not a list to choose from.
const STAFF_MAX: usize = 100;

/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 40;

impl Till {
    pub(super) fn first_manager(
        &self,
        staff: &StaffId,
        name: &str,
        pin: &PinHash,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        if !self.staff.is_empty() {
            return Err(Refusal::NotTheFirst);
        }
        self.push_staff(staff, name, Role::Manager, pin, out)
    }

    pub(super) fn add_staff(
        &self,
        staff: &StaffId,
        name: &str,
        role: Role,
        pin: &PinHash,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        if self.staff.contains_key(staff) {
            return Err(Refusal::Staff("That sign-in name is taken. Choose another."));
        }
        if self.staff.len() >= STAFF_MAX {
            return Err(Refusal::Staff("No more people fit at one till."));
        }
        self.push_staff(staff, name, role, pin, out)
    }

    fn push_staff(
        &self,
        staff: &StaffId,
        name: &str,
        role: Role,
        pin: &PinHash,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let name: String = name.trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        if name.is_empty() {
            return Err(Refusal::Staff("Type a name."));
        }
        out.note(Body::StaffAdded { staff: staff.clone(), name, role, pin: pin.clone() });
        Ok(())
    }

    pub(super) fn sign_in(
        &self,
        staff: &StaffId,
        station: &StationId,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let here = self.stations.get(station).and_then(|station| station.staff.as_ref());
        if here != Some(staff) {
            out.note(Body::SignedIn {});
        }
        Ok(())
    }

    pub(super) fn open_shift(&self, float: Money, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        if self.shift.is_some() {
            return Err(Refusal::Shift("A shift is open already."));
        }
        if float.currency != self.currency || float.is_negative() {
            return Err(Refusal::Amount(
                "The float is the cash in the drawer: an amount of money.".to_owned(),
            ));
        }
        super::acts::sensible(float)?;
        let shift = self.last_shift + 1;
        out.push(Body::ShiftOpened { shift, float }, About::default().amount(float));
        Ok(())
    }

    pub(super) fn close_shift(&self, counted: Money, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let shift = self.shift.as_ref().ok_or(Refusal::Shift("No shift is open."))?;
        if counted.currency != self.currency || counted.is_negative() {
            return Err(Refusal::Amount("Count the cash in the drawer: an amount of money.".to_owned()));
        }
        super::acts::sensible(counted)?;
        // Cash of a sale that is not finished is in the drawer and in no total: nobody could count right.
        if self.sales.values().any(|sale| sale.is_paid_in_part() && !sale.cash.is_empty()) {
            return Err(Refusal::Shift(
                "A sale is paid in part with cash. Take the rest, or give it up, before closing the shift.",
            ));
        }
        let carried = u32::try_from(self.carried()).unwrap_or(u32::MAX);
        let body = Body::ShiftClosed { shift: shift.number, counted, expected: shift.expected(), carried };
        out.push(body, About::default().amount(counted));
        Ok(())
    }

    /// What a closing shift leaves to the next: sales with lines that are not finished, payments and refunds
    /// that are not settled.
    pub(super) fn carried(&self) -> usize {
        self.sales.values().filter(|sale| !(sale.is_empty() && super::is_open(sale))).count()
    }

    #[allow(clippy::wildcard_enum_match_arm)] // a fold takes the kinds that concern it and no others
    pub(super) fn apply_people(&mut self, record: &Record) {
        let station = record.header.station.clone();
        match &record.body {
            Body::StaffAdded { staff, name, role, pin } => {
                let person = Person { name: name.clone(), role: *role, pin: pin.clone() };
                self.staff.insert(staff.clone(), person);
            }
            Body::SignedIn {} => {
                if let Some(station) = station {
                    self.stations.entry(station).or_default().staff = record.header.staff.clone();
                }
            }
            Body::SignedOut {} => {
                if let Some(station) = station {
                    self.stations.entry(station).or_default().staff = None;
                }
            }
            Body::ShiftOpened { shift, float } => {
                self.last_shift = *shift;
                self.shift = Some(Shift::open(*shift, *float));
                self.between = Shift::open(0, Money::zero(self.currency));
            }
            Body::ShiftClosed { .. } => self.shift = None,
            _ => {}
        }
    }
}
