//! What is owed, handed to the edges: once each, and again where an edge's door was full.
//!
//! Not here: what is owed (`counter`), and what stands on paper (`print`).

use super::Loop;
use crate::counter::duty::{CapturedBy, Duty, DutyId};
use crate::counter::event::Event;
use crate::inbox::{DeviceWork, Letter, ProviderWork};
use crate::view::Selling;
use std::collections::BTreeSet;

/// Rounds of one release. What can never be done is written down and may leave something else that is owed: a paper
/// whose facts are gone owes nothing more, so that the second round finds nothing. More is a mistake of ours, which must
/// not keep the till from its door.
const ROUNDS: usize = 4;

/// What became of handing a duty to its edge.
pub(super) enum Start {
    /// The edge has it.
    UnderWay,
    /// The edge's door is full or shut.
    Later,
    /// It can never be done; this event says so.
    Never(Box<Event>),
}

impl Loop {
    /// Starts what is owed and not under way, and writes down what can never be done. What the disk does not take now
    /// is met again at the next turn.
    pub(super) fn release(&mut self) {
        for _ in 0..ROUNDS {
            let hopeless = self.hand_out();
            if hopeless.is_empty() || self.settle(hopeless).is_err() {
                return;
            }
        }
    }

    /// Gives edges what is owed and not under way, and forgets what is owed no more. What can never be done comes back.
    fn hand_out(&mut self) -> Vec<Letter> {
        let mut hopeless = Vec::new();
        if let Selling::ReadOnly(_) = self.selling {
            return hopeless;
        }
        let owed = self.till.owed();
        let ids: BTreeSet<DutyId> = owed.iter().map(Duty::id).collect();
        self.in_flight.retain(|id| ids.contains(id));
        for duty in owed {
            let id = duty.id();
            if self.in_flight.contains(&id) {
                continue;
            }
            match self.start(duty) {
                Start::UnderWay => {
                    self.in_flight.insert(id);
                }
                Start::Later => {}
                Start::Never(event) => hopeless.push(Letter { event: *event, command: None, reply: None }),
            }
        }
        let in_flight = &self.in_flight;
        let unsent = |id| ids.contains(&id) && !in_flight.contains(&id);
        self.codes.retain(|intent, _| unsent(DutyId::Submit(*intent)));
        hopeless
    }

    /// Hands a duty to its edge. While the edge's door is full or shut, it is offered again.
    fn start(&mut self, duty: Duty) -> Start {
        let taken = match duty {
            Duty::Submit(ref pay) => {
                let code = self.codes.get(&pay.intent).cloned();
                self.outbox.provider.try_send(ProviderWork { duty, code }).is_ok()
            }
            Duty::Ask(_) | Duty::Cancel(_) | Duty::Watch(_) => {
                self.outbox.provider.try_send(ProviderWork { duty, code: None }).is_ok()
            }
            Duty::Refund(ref refund) => match refund.captured_by {
                CapturedBy::Till => self.outbox.provider.try_send(ProviderWork { duty, code: None }).is_ok(),
                CapturedBy::Cloud => self.outbox.cloud.try_send(duty).is_ok(),
            },
            Duty::Offer(_) | Duty::Withdraw(_) => self.outbox.cloud.try_send(duty).is_ok(),
            Duty::Kick(kick) => self.outbox.devices.try_send(DeviceWork::Kick(kick)).is_ok(),
            Duty::Print(print) => return self.print(print),
        };
        if taken { Start::UnderWay } else { Start::Later }
    }
}
