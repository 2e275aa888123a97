//! Records that are not simply on their way: refused, past their date, held, not understood, or ended by a manager.
//! A fold over verdicts and acts.
//!
//! **Invariant:** an item leaves the list of what needs a person by head office's word or by a manager's act, never by
//! itself. Not here: what is on its way without trouble; `Marks` say that.

use crate::record::body::{Body, Parent};
use crate::record::ids::{SaleId, StaffId};
use crate::record::money_moves::{Ruling, Verdict};
use crate::record::queue_act::{QueueAct, Resolution, Subject};
use crate::record::{Epoch, Record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Cases kept. The limits of a bundle stop a till from gathering what may be refused long before that many; of more the
/// oldest that are ended go first.
const CASES_MAX: usize = 10_000;

/// Acts kept with a case; all of them are in the journal.
const ACTS_MAX: usize = 20;

/// The code of a record whose body this till cannot read.
pub const UNREADABLE_HERE: &str = "unreadable_here";

/// The code by which head office says that it holds a record.
pub const HELD: &str = "held";

/// One record that is not simply on its way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Where it stands.
    pub step: Step,
    /// Head office's last word on it: a stable code; empty before the first.
    pub code: String,
    /// And its sentence.
    pub words: String,
    /// The sale it is about, where the verdict says so.
    pub sale: Option<SaleId>,
    /// When that word came, corrected, in Unix milliseconds.
    pub told_ms: i64,
    /// What managers did about it, oldest first.
    pub acts: Vec<Acted>,
}

/// Where a case stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Head office refuses it.
    Refused,
    /// It was past its date.
    Expired,
    /// It is kept and not understood.
    Parked,
    /// A manager holds it.
    Held,
    /// Head office is asked to rule on it, by this record.
    Asked(Subject),
    /// A manager ended it.
    Resolved(Resolution),
    /// Head office has accepted it since.
    Accepted,
}

impl Step {
    /// Whether nobody has to do anything about it any more.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Resolved(_) | Self::Accepted => true,
            Self::Refused | Self::Expired | Self::Parked | Self::Held | Self::Asked(_) => false,
        }
    }

    /// Whether a person has to decide about it.
    pub fn needs_a_person(self) -> bool {
        match self {
            Self::Refused | Self::Expired | Self::Parked => true,
            Self::Held | Self::Asked(_) | Self::Resolved(_) | Self::Accepted => false,
        }
    }
}

/// One act on a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Acted {
    /// In which life of the journal the act was done.
    pub epoch: Epoch,
    /// The act's own record there.
    pub seq: u64,
    /// When, corrected, in Unix milliseconds.
    pub at_ms: i64,
    /// Which manager.
    pub by: Option<StaffId>,
    /// What.
    pub act: QueueAct,
    /// Why.
    pub words: String,
    /// Where the case stood before it, or by head office's word since: there it stands again if the act came in vain.
    pub before: Step,
}

/// All cases of a journal.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Cases {
    cases: BTreeMap<Epoch, BTreeMap<u64, Case>>,
    /// The highest record of each epoch on which there is a verdict: head office rules in the stream's order.
    ruled: BTreeMap<Epoch, u64>,
}

impl Cases {
    /// Moves on by one record; all but verdicts, acts and what cannot be read leave it as it is.
    #[allow(clippy::wildcard_enum_match_arm)] // a fold takes the kinds that concern it and no others
    pub fn apply(&mut self, record: &Record) {
        match &record.body {
            Body::Noted { verdict } => self.rule(verdict, record.header.moment.corrected_ms()),
            Body::QueueActed { subject: Some(subject), act, words } => {
                self.act(*subject, *act, words, record)
            }
            Body::Unreadable { .. } => {
                let subject = Subject { epoch: record.header.epoch, seq: record.header.seq };
                self.park(subject, record.header.moment.corrected_ms(), record.header.sale);
            }
            _ => {}
        }
    }

    /// Sets a record aside that cannot be read here.
    pub fn park(&mut self, subject: Subject, told_ms: i64, sale: Option<SaleId>) {
        let case = self.case(subject, told_ms);
        case.sale = sale;
        (case.step, case.code) = (Step::Parked, UNREADABLE_HERE.to_owned());
    }

    /// Records that could not be read here and about which nobody has said anything since.
    pub fn unreadable(&self) -> impl Iterator<Item = (Subject, &Case)> {
        self.needing_a_person().filter(|(_, case)| case.code == UNREADABLE_HERE)
    }

    /// The case of a record, if there is one.
    pub fn of(&self, subject: Subject) -> Option<&Case> {
        self.cases.get(&subject.epoch)?.get(&subject.seq)
    }

    /// The cases of an epoch by the record they are about, in its order.
    pub fn of_epoch(&self, epoch: Epoch) -> impl Iterator<Item = (u64, &Case)> {
        self.cases.get(&epoch).into_iter().flatten().map(|(seq, case)| (*seq, case))
    }

    /// All cases that a person has to decide about, in order.
    pub fn needing_a_person(&self) -> impl Iterator<Item = (Subject, &Case)> {
        let all = self.cases.iter().flat_map(|(epoch, cases)| {
            cases.iter().map(|(seq, case)| (Subject { epoch: *epoch, seq: *seq }, case))
        });
        all.filter(|(_, case)| case.step.needs_a_person())
    }

    /// Up to where verdicts show that head office has ruled on an epoch. It may be further.
    pub fn ruled(&self, epoch: Epoch) -> u64 {
        self.ruled.get(&epoch).copied().unwrap_or(0)
    }

    /// The first record of an epoch about which somebody has yet to do or say something: head office, too, about an act
    /// of which `is_ruled` does not say that it has ruled on it.
    pub fn first_open(&self, epoch: Epoch, is_ruled: impl Fn(Epoch, u64) -> bool) -> Option<u64> {
        let open = |case: &Case| {
            !case.step.is_ended() || case.acts.last().is_some_and(|last| !is_ruled(last.epoch, last.seq))
        };
        self.of_epoch(epoch).find(|(_, case)| open(case)).map(|(seq, _)| seq)
    }

    /// Forgets what was about records that are not kept any more: those before `through`, if that is of the `current`
    /// epoch all those of older ones too.
    pub fn prune(&mut self, current: Epoch, through: &Parent) {
        let is_older = |epoch: Epoch| through.epoch == current && epoch != current;
        self.cases.retain(|epoch, cases| {
            if *epoch == through.epoch {
                *cases = cases.split_off(&through.seq);
            }
            !is_older(*epoch) && !cases.is_empty()
        });
        self.ruled.retain(|epoch, _| !is_older(*epoch));
    }

    fn rule(&mut self, verdict: &Verdict, at_ms: i64) {
        let subject = Subject { epoch: verdict.epoch, seq: verdict.seq };
        let ruled = self.ruled.entry(subject.epoch).or_default();
        *ruled = (*ruled).max(subject.seq);
        let step = step_of(verdict);
        if step != Step::Accepted {
            self.take_back(subject);
        }
        // What was never in question needs no case.
        if step == Step::Accepted && self.of(subject).is_none() {
            return;
        }
        let case = self.case(subject, at_ms);
        (case.code, case.words) = (verdict.code.clone(), verdict.words.clone());
        (case.sale, case.told_ms) = (verdict.sale, at_ms);
        // Of acts that came in vain this is what they leave.
        case.acts.iter_mut().for_each(|act| act.before = step);
        // A word on its way when a manager had ended it opens nothing again.
        if !matches!(case.step, Step::Resolved(_)) {
            case.step = step;
        }
    }

    /// Head office has not done what an act asked for: what it was about stands where it stood, unless more happened since.
    /// The act may be of a later life of the journal than its subject.
    fn take_back(&mut self, act: Subject) {
        for case in self.cases.values_mut().flat_map(BTreeMap::values_mut) {
            let is_this = |acted: &Acted| (acted.epoch, acted.seq) == (act.epoch, act.seq);
            let Some(at) = case.acts.iter().position(is_this) else { continue };
            let before = case.acts[at].before;
            match case.acts.get_mut(at + 1) {
                Some(next) => next.before = before,
                None => case.step = before,
            }
        }
    }

    fn act(&mut self, subject: Subject, act: QueueAct, words: &str, record: &Record) {
        let header = &record.header;
        let at_ms = header.moment.corrected_ms();
        let by = header.approver.clone().or_else(|| header.staff.clone());
        let case = self.case(subject, at_ms);
        let before = case.step;
        case.step = match act {
            QueueAct::SendNow => return,
            QueueAct::Retry | QueueAct::Release => {
                Step::Asked(Subject { epoch: header.epoch, seq: header.seq })
            }
            QueueAct::Hold => Step::Held,
            QueueAct::Resolve { how } => Step::Resolved(how),
        };
        case.acts.push(Acted {
            epoch: header.epoch,
            seq: header.seq,
            at_ms,
            by,
            act,
            words: words.to_owned(),
            before,
        });
        if case.acts.len() > ACTS_MAX {
            case.acts.remove(0);
        }
    }

    fn case(&mut self, subject: Subject, at_ms: i64) -> &mut Case {
        if self.of(subject).is_none() {
            self.make_room();
        }
        self.cases.entry(subject.epoch).or_default().entry(subject.seq).or_insert_with(|| Case {
            step: Step::Accepted,
            code: String::new(),
            words: String::new(),
            sale: None,
            told_ms: at_ms,
            acts: Vec::new(),
        })
    }

    fn make_room(&mut self) {
        if self.cases.values().map(BTreeMap::len).sum::<usize>() < CASES_MAX {
            return;
        }
        let ended = self.cases.iter().find_map(|(epoch, cases)| {
            let ended = cases.iter().find(|(_, case)| case.step.is_ended())?;
            Some((*epoch, *ended.0))
        });
        let oldest = || self.cases.iter().find_map(|(epoch, cases)| Some((*epoch, *cases.keys().next()?)));
        if let Some((epoch, seq)) = ended.or_else(oldest)
            && let Some(cases) = self.cases.get_mut(&epoch)
        {
            cases.remove(&seq);
            if cases.is_empty() {
                self.cases.remove(&epoch);
            }
        }
    }
}

/// What a verdict makes of its record.
fn step_of(verdict: &Verdict) -> Step {
    if verdict.code == HELD {
        return Step::Held;
    }
    if verdict.ruling == Ruling::Accepted {
        return Step::Accepted;
    }
    match verdict.code.as_str() {
        "parked" | "unreadable" => Step::Parked,
        code if code.ends_with("expired") => Step::Expired,
        _ => Step::Refused,
    }
}
