//! Receipts as the loop has them: made for paper from the journal, and looked up there when somebody shows one.
//!
//! Not here: which facts stand on one (`receipt`), and whether one that is shown opens a return (`counter`).

use super::Loop;
use crate::counter::duty::PrintDuty;
use crate::counter::event::{Act, Command, Event, RawScan};
use crate::receipt::{Issuer, Receipt, Shown, numbered};
use crate::record::ids::{SaleId, StationId};
use crate::sale::Sale;
use crate::scan::{Scanned, classify};
use crate::view::ReceiptShown;

impl Loop {
    /// The receipt of a piece of paper.
    pub(super) fn receipt(&self, print: &PrintDuty) -> Option<Receipt> {
        let sale = self.folded(print.sale)?;
        let of = sale.back.opened.as_ref().and_then(|back| back.of.as_ref());
        // Without it the paper of a return says the number alone.
        let original = of.and_then(|of| Sale::fold(&self.journal.sale(of.sale).ok()?));
        let cashier = sale.staff.as_ref().and_then(|staff| self.till.name_of(staff));
        let issuer =
            Issuer { terminal: self.till.terminal(), bundle: &self.in_force.bundle, stamp: &self.stamp };
        issuer.receipt(&sale, original.as_ref(), cashier, print.paper)
    }

    /// A sale as the journal has it.
    pub(super) fn folded(&self, sale: SaleId) -> Option<Sale> {
        match self.journal.sale(sale) {
            Ok(records) => Sale::fold(&records),
            Err(error) => {
                tracing::error!(sale.id = %sale, error = %error, "A paper cannot be read back from the journal.");
                None
            }
        }
    }

    /// The receipt that an event shows, and where.
    pub(super) fn receipt_in<'a>(&self, event: &'a Event) -> Option<(&'a StationId, Shown)> {
        let labels = &self.in_force.bundle.labels;
        let (station, read) = if let Event::Scanned { station, scan: RawScan { data, aim, .. } } = event {
            (station, classify(data, aim.as_ref().map(<[u8; 3]>::as_slice), labels))
        } else if let Event::Act(Command { station, act: Act::TypeCode(text), .. }) = event {
            (station, classify(text.as_bytes(), None, labels))
        } else {
            return None;
        };
        let Scanned::Token(token) = read else { return None };
        Some((station, Shown::of(&token)?))
    }

    /// The sales under the number of a receipt that an event shows, from the journal.
    pub(super) fn found(&self, event: &Event) -> Option<(StationId, Vec<Sale>)> {
        if let Event::Scanned { scan: RawScan { repeat_of_ms: Some(_), .. }, .. } = event {
            return None;
        }
        let (station, shown) = self.receipt_in(event)?;
        let found = match shown.wanted(self.stamp.public()) {
            None => Vec::new(),
            Some((number, epoch)) => self.journal.sales_of_receipt(number, epoch).unwrap_or_else(|error| {
                tracing::error!(error = %error, "A receipt that was shown cannot be looked up in the journal.");
                Vec::new()
            }),
        };
        Some((station.clone(), found.iter().filter_map(Sale::fold).collect()))
    }

    /// Leaves at a station which receipt was shown there.
    pub(super) fn show(&mut self, station: StationId, sales: &[Sale]) {
        let Some((sale, issued)) = sales.first().and_then(|sale| Some((sale, sale.receipt.as_ref()?))) else {
            return;
        };
        self.times_shown += 1;
        self.told.remove(&station);
        let shown = ReceiptShown {
            sale: sale.id,
            number: numbered(issued.epoch, issued.number),
            times: self.times_shown,
        };
        self.shown.insert(station, shown);
    }
}
