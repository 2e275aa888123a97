//! A receipt that is scanned at the counter: it opens the return of its sale, as typing its number does.
//!
//! Nothing is written down: that somebody looked is no fact of the shop. Not here: the sale itself, which the loop has
//! read from the journal, and giving back (`returns`).

use super::recorder::Recorder;
use super::{Refusal, Till};
use crate::receipt::Shown;
use crate::record::ids::StationId;
use crate::sale::back::NotLeft;
use crate::token::Token;

impl Till {
    pub(super) fn show_receipt(
        &self,
        station: &StationId,
        token: &Token,
        out: &Recorder<'_>,
    ) -> Result<(), Refusal> {
        let Some(shown) = Shown::of(token) else { return Ok(()) };
        // Once Pay was pressed a scan is money or a mistake.
        if self.front(station).is_some_and(|sale| sale.fixed.is_some()) {
            return Err(Refusal::Scan(
                "This is a receipt, not a pay code. Finish this sale or press Back, then scan it again."
                    .to_owned(),
            ));
        }
        let found = shown.sale(&self.terminal, out.cx.device, out.cx.found)?;
        let sale = self.sales.get(&found.id).unwrap_or(found);
        if sale.frozen {
            return Err(Refusal::Frozen);
        }
        if !sale.left()?.total.is_positive() {
            return Err(NotLeft::Nothing.into());
        }
        Ok(())
    }
}
