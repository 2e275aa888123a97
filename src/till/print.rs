//! Paper on its way out: what is to stand on it is read from the journal, once it is durable.
//!
//! Not here: how it is laid out (`paper`), and printing (`devices`).

use super::Loop;
use super::release::Start;
use crate::counter::PhonesPay;
use crate::counter::duty::PrintDuty;
use crate::counter::event::{Event, PrintReport};
use crate::inbox::DeviceWork;
use crate::receipt::CodeSlip;
use crate::record::body::{Paper, PaperOutcome};
use crate::record::epochs::Standing;
use crate::record::money_moves::ProviderName;
use crate::view::{CodeWay, Ways};

impl Loop {
    /// Hands a paper to the devices.
    pub(super) fn print(&self, print: PrintDuty) -> Start {
        let job = print.job;
        let Some(work) = self.on_paper(print) else {
            let words = "What is to be printed cannot be read back from the journal.".to_owned();
            let report = PrintReport::Ended(PaperOutcome::FailedBefore, words);
            return Start::Never(Box::new(Event::Print(job, report)));
        };
        if self.outbox.devices.try_send(work).is_ok() { Start::UnderWay } else { Start::Later }
    }

    fn on_paper(&self, print: PrintDuty) -> Option<DeviceWork> {
        if let Paper::ShownCode(intent) = print.paper {
            let slip = CodeSlip::of(&self.folded(print.sale)?, intent, &self.in_force.bundle)?;
            return Some(DeviceWork::PrintCode(print, Box::new(slip)));
        }
        let receipt = self.receipt(&print)?;
        Some(DeviceWork::Print(print, Box::new(receipt)))
    }

    /// Ways to pay besides the customer's pay code and cash.
    pub(super) fn ways(&self) -> Ways {
        if self.till.standing() == Standing::Provisional {
            return Ways::default();
        }
        let own = self.wallets.iter().filter(|wallet| **wallet != ProviderName::House);
        let own: Vec<_> = own.map(|wallet| wallet.word()).collect();
        Ways {
            code: match self.phones {
                PhonesPay::AtTheCloud => CodeWay::Order,
                PhonesPay::AtTheWallet if own.is_empty() => CodeWay::None,
                PhonesPay::AtTheWallet => CodeWay::Wallets(own),
            },
            stored_value: self.wallets.contains(&ProviderName::House),
        }
    }
}
