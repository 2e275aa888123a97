//! Paper and drawer: announced before the first byte, settled by one outcome, never repeated by itself.

use super::acts::{reason_given, short};
use super::event::{Event, PrintReport};
use super::paid::PaperWord;
use super::recorder::{About, Recorder};
use super::{JobState, Kick, PaperJob, Refusal, Till};
use crate::record::Record;
use crate::record::body::{Body, Paper, PaperOutcome, TypeSize};
use crate::record::ids::{JobId, KickId, SaleId, StationId};

/// Copies of one receipt that a till prints. More is somebody's mistake, or fraud.
const COPIES_MAX: u32 = 20;

impl Till {
    pub(super) fn printed(
        &self,
        job: JobId,
        report: &PrintReport,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let known = self.papers.get(&job).ok_or(Refusal::NotNow("That paper is settled already."))?;
        out.at(&known.station);
        let about = About::sale(known.sale);
        match (report, &known.state) {
            (PrintReport::Starting, JobState::Ordered) => out.push(Body::PrintStarted { job }, about),
            (PrintReport::Starting, JobState::Started | JobState::Asks(..)) => {
                return Err(Refusal::NotNow("That paper was started before."));
            }
            (PrintReport::Ended(outcome, words), JobState::Ordered | JobState::Started) => {
                out.push(Body::PrintEnded { job, outcome: outcome.clone(), words: short(words) }, about);
            }
            (PrintReport::Ended(..), JobState::Asks(..)) => {}
        }
        Ok(())
    }

    pub(super) fn kicked(
        &self,
        kick: KickId,
        report: &PrintReport,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let known = self.kicks.get(&kick).ok_or(Refusal::NotNow("That drawer is settled already."))?;
        out.at(&known.station);
        match (report, &known.state) {
            (PrintReport::Starting, JobState::Ordered) => out.note(Body::DrawerKicked { kick }),
            (PrintReport::Starting, JobState::Started | JobState::Asks(..)) => {
                return Err(Refusal::NotNow("That drawer was opened before."));
            }
            (PrintReport::Ended(outcome, words), JobState::Ordered | JobState::Started) => {
                out.note(Body::DrawerEnded { kick, outcome: outcome.clone(), words: short(words) });
            }
            (PrintReport::Ended(..), JobState::Asks(..)) => {}
        }
        Ok(())
    }

    /// Whether an event is the end of a paper or a drawer that has begun and not ended.
    pub fn awaits_end(&self, event: &Event) -> bool {
        if let Event::Print(job, PrintReport::Ended(..)) = event {
            self.papers.get(job).is_some_and(|paper| paper.state == JobState::Started)
        } else if let Event::Drawer(kick, PrintReport::Ended(..)) = event {
            self.kicks.get(kick).is_some_and(|drawer| drawer.state == JobState::Started)
        } else {
            false
        }
    }

    /// Keeps how large the customer of the sale in front wants the receipt. Paper changes no money, so it may be said
    /// until the sale is paid; but a phone pays the bill in the version that it has seen.
    pub(super) fn choose_type_size(
        &self,
        station: &StationId,
        size: TypeSize,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let sale = self.front(station).ok_or(Refusal::NoSale)?;
        if sale.frozen {
            return Err(Refusal::Frozen);
        }
        if sale.open_intent().is_some_and(crate::sale::Intent::is_order) {
            return Err(Refusal::PhoneIsPaying);
        }
        if sale.size != size {
            out.push(Body::TypeSizeChosen { size }, About::sale(sale.id));
        }
        Ok(())
    }

    /// Prints a receipt again: a person's act, counted, and marked COPY.
    pub(super) fn reprint(&self, id: SaleId, size: TypeSize, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let sale = self.sales.get(&id).or(out.cx.archived.filter(|sale| sale.id == id));
        let sale = sale.filter(|sale| sale.receipt.is_some());
        let sale = sale.ok_or(Refusal::NotNow("That sale has no receipt."))?;
        let waiting = |paper: &&PaperJob| paper.sale == id && !matches!(paper.state, JobState::Asks(..));
        if self.papers.values().any(|paper| waiting(&paper)) {
            return Err(Refusal::NotNow("That receipt is being printed already."));
        }
        let ordered = self.copies_waiting(id).max(sale.copies);
        if ordered >= COPIES_MAX {
            return Err(Refusal::NotNow("That receipt was copied often enough. Ask the manager."));
        }
        for (job, _) in self.papers.iter().filter(|(_, paper)| paper.sale == id) {
            let words = "printed again as a copy".to_owned();
            out.push(Body::PrintSettled { job: *job, words }, About::sale(id));
        }
        let job = out.id(JobId::draw);
        let (paper, size) = (Paper::Copy(ordered + 1), size.max(sale.size));
        out.push(Body::PrintOrdered { job, paper, size }, About::sale(id));
        Ok(())
    }

    /// The highest copy number among papers that are not settled.
    fn copies_waiting(&self, id: SaleId) -> u32 {
        let of_sale = self.papers.values().filter(|paper| paper.sale == id);
        let number = |paper: &PaperJob| match paper.paper {
            Paper::Receipt | Paper::ShownCode(_) => 0,
            Paper::Copy(number) => number,
        };
        of_sale.map(number).max().unwrap_or(0)
    }

    /// A person says that paper or drawer whose outcome is open is dealt with.
    pub(super) fn settle(&self, job: JobId, words: &str, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let words = reason_given(words)?;
        let asks = |state: &JobState| matches!(state, JobState::Asks(..));
        if let Some(paper) = self.papers.get(&job).filter(|paper| asks(&paper.state)) {
            out.push(Body::PrintSettled { job, words }, About::sale(paper.sale));
            return Ok(());
        }
        let kick = KickId(job.0);
        if self.kicks.get(&kick).is_some_and(|kick| asks(&kick.state)) {
            out.note(Body::PrintSettled { job, words });
            return Ok(());
        }
        Err(Refusal::NotNow("There is nothing to decide about that any more."))
    }

    #[allow(clippy::wildcard_enum_match_arm)] // a fold takes the kinds that concern it and no others
    pub(super) fn apply_papers(&mut self, record: &Record) {
        match &record.body {
            Body::PrintOrdered { job, paper, size } => {
                if let (Some(sale), Some(station)) = (record.header.sale, record.header.station.clone()) {
                    let (paper, size) = (*paper, *size);
                    let ordered = PaperJob { sale, station, paper, size, state: JobState::Ordered };
                    self.papers.insert(*job, ordered);
                }
            }
            Body::PrintStarted { job } => {
                if let Some(paper) = self.papers.get_mut(job) {
                    paper.state = JobState::Started;
                }
                if !self.is_code(*job) {
                    self.mark(record.header.sale, PaperWord::Printing);
                }
            }
            // What a phone scans stands on the screen, too: nobody has to look after its paper.
            Body::PrintEnded { job, .. } if self.is_code(*job) => {
                self.papers.remove(job);
            }
            Body::PrintEnded { job, outcome, words } => {
                let word = match outcome {
                    PaperOutcome::Confirmed => PaperWord::Printed,
                    PaperOutcome::Unconfirmed => PaperWord::Unconfirmed,
                    PaperOutcome::FailedBefore | PaperOutcome::FailedPartWay => PaperWord::Failed,
                };
                if *outcome == PaperOutcome::Confirmed {
                    self.papers.remove(job);
                } else if let Some(paper) = self.papers.get_mut(job) {
                    paper.state = JobState::Asks(outcome.clone(), words.clone());
                }
                self.mark(record.header.sale, word);
            }
            Body::PrintSettled { job, .. } => {
                self.papers.remove(job);
                self.kicks.remove(&KickId(job.0));
            }
            Body::DrawerOrdered { kick, reason, .. } => {
                if let Some(station) = record.header.station.clone() {
                    self.kicks.insert(*kick, Kick { station, reason: *reason, state: JobState::Ordered });
                }
            }
            Body::DrawerKicked { kick } => {
                if let Some(kick) = self.kicks.get_mut(kick) {
                    kick.state = JobState::Started;
                }
            }
            Body::DrawerEnded { kick, outcome, words } => {
                if *outcome == PaperOutcome::Confirmed {
                    self.kicks.remove(kick);
                } else if let Some(kick) = self.kicks.get_mut(kick) {
                    kick.state = JobState::Asks(outcome.clone(), words.clone());
                }
            }
            _ => {}
        }
    }

    fn is_code(&self, job: JobId) -> bool {
        self.papers.get(&job).is_some_and(|paper| matches!(paper.paper, Paper::ShownCode(_)))
    }

    fn mark(&mut self, sale: Option<SaleId>, word: PaperWord) {
        if let Some(paid) = self.recent.iter_mut().find(|paid| Some(paid.sale) == sale) {
            paid.paper = word;
        }
    }
}
