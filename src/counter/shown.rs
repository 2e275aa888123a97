//! Codes that the till shows for a phone to scan: the same intents and orders as for a desk, in front of a station.
//!
//! A till with a cloud shows the address of an order, which the phone opens to choose a wallet; a single shop's till
//! shows what the wallet itself made for this payment. **Invariant:** a code is renewed only after the old one is
//! settled: never two that may both be paid. **Invariant:** a till that is not sure of the time shows no order,
//! because an order says when it was issued.
//!
//! Not here: signing and bringing orders (`sync`), calling wallets (`provider`), drawing the symbol (`paper`).

use super::proofs::order_of;
use super::recorder::{About, Recorder};
use super::tender::asked;
use super::{JobState, Refusal, Till};
use crate::money::Money;
use crate::record::body::{Body, Paper, Place, TypeSize};
use crate::record::ids::{DeskId, IntentId, JobId, StationId};
use crate::record::money_moves::{Carrier, Heard, OrderTerms, ProviderName};
use crate::sale::{GivenUp, Intent, IntentState, Sale};

/// The longest that a shown code is left open: less than the five minutes after which no phone may begin, so that it is
/// the till that ends it, and renews it.
pub const CODE_MS_MAX: u64 = 285_000;

/// Where a phone pays the code that the till shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PhonesPay {
    /// At the cloud: an order, whose page lets the phone choose a wallet.
    AtTheCloud,
    /// At the wallet that this till calls itself: a single shop without a cloud.
    AtTheWallet,
}

/// How often a code is renewed by itself. With the first that is a quarter of an hour; after that nobody is there.
const RENEWALS_MAX: usize = 2;

impl Till {
    /// Shows a code for what is due, or for the part that was chosen.
    pub(super) fn show_code(
        &self,
        station: &StationId,
        at: Option<ProviderName>,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let (sale, due) = self.awaiting(station)?;
        if !due.is_positive() {
            return Err(Refusal::NothingToPay);
        }
        let unsettled = |intent: &Intent| intent.is_order() && intent.state == IntentState::Abandoned;
        if sale.intents.iter().any(unsettled) {
            return Err(Refusal::CodeUnsettled);
        }
        let wallet = match out.cx.phones {
            PhonesPay::AtTheCloud => None,
            PhonesPay::AtTheWallet => Some(wallet_of(at, out)?),
        };
        self.draw_code(sale, asked(sale, due), wallet, out)
    }

    /// Draws the intent of a code: at a wallet, or as an order.
    fn draw_code(
        &self,
        sale: &Sale,
        amount: Money,
        wallet: Option<ProviderName>,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let Some(provider) = wallet else {
            return self.draw_order(sale, amount, ProviderName::Alipay, None, code_ms(out), out);
        };
        let settle_by = out.cx.moment.after_ms(code_ms(out));
        let (intent, carrier) = (out.id(IntentId::draw), Carrier::WalletCode {});
        let body = Body::IntentDrawn { intent, provider, amount, carrier, settle_by };
        out.push(body, About::sale(sale.id).amount(amount));
        Ok(())
    }

    /// Draws the intent of an order that a phone pays at the cloud.
    pub(super) fn draw_order(
        &self,
        sale: &Sale,
        amount: Money,
        provider: ProviderName,
        desk: Option<DeskId>,
        open_ms: u64,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        if !self.is_sure_of_the_time(out.cx) {
            return Err(Refusal::ClockUnsure);
        }
        let terms = OrderTerms {
            nonce: nonce(out.cx.draw),
            issued_at_s: out.cx.moment.unix_s(),
            desk,
            bill_version: sale.version,
        };
        let order = order_of(&self.terminal, self.epoch, amount, &terms);
        let body = Body::IntentDrawn {
            intent: IntentId(order.hash()?.0),
            provider,
            amount,
            carrier: Carrier::Order(terms),
            settle_by: out.cx.moment.after_ms(open_ms),
        };
        out.push(body, About::sale(sale.id).amount(amount));
        Ok(())
    }

    /// What can be scanned now is written down once: screens and paper show it from here.
    ///
    /// A code that the cloud had is written down anew when the cloud is gone: its payment may come back as a proof.
    pub(super) fn code_came(
        &self,
        sale: &Sale,
        intent: &Intent,
        text: &str,
        heard: Heard,
        out: &mut Recorder<'_>,
    ) {
        let news = intent.code.is_none() || (heard == Heard::ByNobody && intent.heard == Heard::ByTheCloud);
        if intent.is_shown() && news && intent.state.awaits_answer() {
            let text = intent.code.clone().unwrap_or_else(|| text.to_owned());
            let body = Body::CodeShown { intent: intent.id, text, heard };
            out.push(body, About::sale(sale.id).amount(intent.amount));
        }
    }

    /// After a code ran out that nobody had begun to pay, and is settled: the next one, if the sale still waits there.
    pub(super) fn renew(&self, sale: &Sale, ended: &Intent, out: &mut Recorder<'_>) {
        let waits = sale.place == Place::Front && super::is_open(sale) && !sale.frozen;
        let last = sale.intents.last().is_some_and(|last| last.id == ended.id);
        let ran_out = |intent: &&Intent| intent.is_shown() && intent.given_up == Some(GivenUp::InTime);
        let so_far = sale.intents.iter().rev().take_while(ran_out).count();
        let somebody = self.stations.get(&sale.station).is_some_and(|here| here.staff.is_some());
        if !waits || !last || so_far == 0 || so_far > RENEWALS_MAX || !somebody {
            return;
        }
        let Some(Ok(due)) = sale.fixed.as_ref().map(|fixed| sale.due(fixed)) else { return };
        let wallet = Some(ended.provider).filter(|_| !ended.is_order());
        if asked(sale, due) == ended.amount {
            // A no leaves the sale where it is: the cashier presses, or takes other money.
            let _the_cashier_presses = self.draw_code(sale, ended.amount, wallet, out);
        }
    }

    /// Prints the code that is shown.
    pub(super) fn print_code(&self, id: IntentId, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let gone = Refusal::NotNow("That code is over. Show another.");
        let sale = self.sale_of_intent(id).ok_or(gone.clone())?;
        let live = |intent: &&Intent| intent.code.is_some() && intent.state.awaits_answer();
        sale.intent(id).filter(live).ok_or(gone)?;
        if self.papers.values().any(|paper| paper.paper == Paper::ShownCode(id)) {
            return Err(Refusal::NotNow("That code is being printed already."));
        }
        let job = out.id(JobId::draw);
        out.push(
            Body::PrintOrdered { job, paper: Paper::ShownCode(id), size: TypeSize::Normal },
            About::sale(sale.id),
        );
        Ok(())
    }

    /// A code that is over is not printed any more.
    pub(super) fn drop_codes_on_paper(&mut self) {
        let live = |id: IntentId| {
            let intent = self.sales.values().find_map(|sale| sale.intent(id));
            intent.is_some_and(|intent| intent.state.awaits_answer())
        };
        let over = |paper: &super::PaperJob| match paper.paper {
            Paper::ShownCode(id) => paper.state == JobState::Ordered && !live(id),
            Paper::Receipt | Paper::Copy(_) => false,
        };
        let over: Vec<JobId> =
            self.papers.iter().filter(|(_, paper)| over(paper)).map(|(job, _)| *job).collect();
        for job in over {
            self.papers.remove(&job);
        }
    }
}

fn code_ms(out: &Recorder<'_>) -> u64 {
    out.cx.code_ms.min(CODE_MS_MAX)
}

/// The wallet whose code is shown: the one that was chosen, or the only one.
fn wallet_of(at: Option<ProviderName>, out: &Recorder<'_>) -> Result<ProviderName, Refusal> {
    let mut can = out.cx.wallets.iter().copied().filter(|wallet| *wallet != ProviderName::House);
    match at {
        Some(at) => can.find(|wallet| *wallet == at).ok_or(Refusal::NoCodeHere),
        None => match (can.next(), can.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(Refusal::ChooseWallet),
            (None, _) => Err(Refusal::NoCodeHere),
        },
    }
}

/// 64 random bits of the step's draw, by a label of their own.
fn nonce(draw: [u8; 32]) -> u64 {
    let id = IntentId::draw(&draw, u32::MAX).0;
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&id[..8]);
    u64::from_be_bytes(bytes)
}
