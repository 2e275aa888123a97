//! What a manager does about records on their way to head office.
//!
//! Each act is a record of its own, with its reason and the manager whose PIN was checked; the record that it is about
//! stays as it is. Not here: what may be done in which state (`queue::allowed`).

use super::acts::reason_given;
use super::event::{Command, OnItsWay};
use super::recorder::Recorder;
use super::{Refusal, Till};
use crate::queue::{Cases, Item, allowed};
use crate::record::Record;
use crate::record::body::Body;
use crate::record::queue_act::{QueueAct, Subject};
use crate::staff::Role;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// Cases that screens carry as needing a person. More than that is a list to look through on the manager's page.
const SHOWN_MAX: usize = 100;

impl Till {
    /// Does something about a record, or about all that wait. At no station: the manager may stand anywhere.
    pub(super) fn queue_act(
        &self,
        command: &Command,
        about: Option<&OnItsWay>,
        act: QueueAct,
        reason: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        self.by_a_manager(command, out)?;
        let subject = self.subject(about, act)?;
        let words = reason_given(reason).map_err(|_| Refusal::Queue("Say why: a few words are enough."))?;
        out.note(Body::QueueActed { subject, act, words });
        Ok(())
    }

    /// An act that a manager's PIN stands behind, whoever is signed in where.
    pub(super) fn by_a_manager(&self, command: &Command, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let person = |id| self.staff.get(id).map(|person| person.role);
        let approver = command.approver.as_ref().filter(|id| person(*id) == Some(Role::Manager));
        let approver = approver.ok_or(Refusal::NeedsManager)?;
        let staff = command.staff.as_ref().filter(|id| person(*id).is_some()).unwrap_or(approver);
        out.by(Some(staff.clone()));
        out.approved_by(Some(approver.clone()));
        Ok(())
    }

    /// The record that an act is about, where the act may be done to it as it stands now.
    fn subject(&self, about: Option<&OnItsWay>, act: QueueAct) -> Result<Option<Subject>, Refusal> {
        match (act, about) {
            (QueueAct::SendNow, None) => Ok(None),
            (QueueAct::SendNow, Some(_)) => {
                Err(Refusal::Queue("Send now is about the whole queue, not about one record."))
            }
            (_, None) => Err(Refusal::Queue("Say which record.")),
            (_, Some(about)) => {
                let item = Item::of(&about.header, &about.marks, &self.cases);
                allowed(&item, act, self.epoch).map_err(Refusal::Queue)?;
                Ok(Some(item.subject()))
            }
        }
    }

    /// Records that are not simply on their way to head office.
    pub fn cases(&self) -> &Cases {
        &self.cases
    }

    pub(super) fn apply_cases(&mut self, record: &Record) {
        // Of a record that is not kept any more nobody could look at a case: head office keeps the task.
        let gone = |subject: Subject| {
            let through = self.pruned.as_ref().filter(|through| through.epoch == subject.epoch);
            through.is_some_and(|through| subject.seq < through.seq)
        };
        if let Body::Noted { verdict } = &record.body
            && gone(Subject { epoch: verdict.epoch, seq: verdict.seq })
        {
            return;
        }
        if matches!(record.body, Body::Noted { .. } | Body::QueueActed { .. } | Body::Unreadable { .. }) {
            Arc::make_mut(&mut self.cases).apply(record);
        }
    }

    /// Cases that a person has to decide about, the latest first, with their words.
    pub(super) fn cases_needing_a_person(&self) -> Vec<(Option<crate::record::ids::SaleId>, String)> {
        let frozen = |case: &crate::queue::Case| case.code == crate::queue::cases::UNREADABLE_HERE;
        let mut list: Vec<_> = self
            .cases
            .needing_a_person()
            .filter(|(_, case)| !frozen(case))
            .map(|(_, case)| (case.sale, case.words.clone()))
            .collect();
        list.reverse();
        list.truncate(SHOWN_MAX);
        list
    }
}

/// Writes cases as what they are, whoever else holds them.
pub(super) fn serialize<S: Serializer>(cases: &Arc<Cases>, serializer: S) -> Result<S::Ok, S::Error> {
    cases.as_ref().serialize(serializer)
}

/// And reads them back.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Cases>, D::Error> {
    Cases::deserialize(deserializer).map(Arc::new)
}
