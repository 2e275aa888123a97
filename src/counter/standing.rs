//! An epoch that the till began by itself: cash only, until a manager adopts it.
//!
//! What wallets, coupons and vouchers were taken for before is in books that this till cannot read any more; who looks
//! at them is a person. Cash cannot be taken twice, so the queue at the counter keeps moving. After that it takes coupons and
//! vouchers that may be in those books on line only.
//!
//! Not here: finding out that books are damaged, and setting them aside (`journal`).

use super::acts::reason_given;
use super::recorder::Recorder;
use super::{Context, Refusal, Till};
use crate::record::Record;
use crate::record::body::Body;
use crate::record::epochs::Standing;
use crate::token::Validity;

impl Till {
    /// How this epoch stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Refuses what is not cash while nobody has looked at how this epoch began.
    ///
    /// **Invariant:** it looks at what would be written, so no way in can be forgotten.
    pub(super) fn check_cash_only(&self, made: &[Record]) -> Result<(), Refusal> {
        let cashless = |record: &Record| {
            matches!(
                record.body,
                Body::IntentDrawn { .. } | Body::CouponTaken { .. } | Body::VoucherTaken { .. }
            ) || record.header.serial.is_some()
        };
        match self.standing {
            Standing::Provisional if made.iter().any(cashless) => Err(Refusal::CashOnly),
            Standing::Provisional | Standing::Regular => Ok(()),
        }
    }

    /// Refuses, off line, a code that could be used before these books were adopted: whether this till took it itself is in
    /// the books that were lost, and only head office knows. A code whose time began later cannot be in them.
    pub(super) fn refuse_if_perhaps_taken_before(
        &self,
        validity: Validity,
        out: &Recorder<'_>,
    ) -> Result<(), Refusal> {
        let from_s = u64::try_from(validity.from()).unwrap_or(0);
        let before = self.adopted_s.is_some_and(|adopted_s| from_s < adopted_s);
        if before && self.is_offline(&out.cx.moment, out.cx.contact) {
            return Err(Refusal::BooksLost);
        }
        Ok(())
    }

    /// The people who work here, as records that another epoch can take over.
    pub fn people(&self) -> Vec<Body> {
        let added = self.staff.iter().map(|(staff, person)| Body::StaffAdded {
            staff: staff.clone(),
            name: person.name.clone(),
            role: person.role,
            pin: person.pin.clone(),
        });
        added.collect()
    }

    /// The record by which a person of the books before works here too.
    pub fn taken_over(&self, person: Body, cx: &Context<'_>) -> Record {
        let mut out = Recorder::new(self, cx);
        out.note(person);
        out.finish().remove(0)
    }

    pub(super) fn adopt_epoch(&self, reason: &str, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        match self.standing {
            Standing::Provisional => {
                out.note(Body::EpochAdopted { words: reason_given(reason)? });
                Ok(())
            }
            Standing::Regular => Err(Refusal::NotNow("There is nothing to adopt here any more.")),
        }
    }
}
