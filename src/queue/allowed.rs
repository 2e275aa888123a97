//! What a manager may do with an item: one table, and a sentence for all that is not in it.

use super::{Item, ItemKind, Standing};
use crate::record::Epoch;
use crate::record::queue_act::{QueueAct, Resolution};

/// Every act on one item, in the order in which they are offered.
pub const ACTS: [QueueAct; 6] = [
    QueueAct::Retry,
    QueueAct::Hold,
    QueueAct::Release,
    QueueAct::Resolve { how: Resolution::PaidOtherwise },
    QueueAct::Resolve { how: Resolution::WrittenOff },
    QueueAct::Resolve { how: Resolution::Duplicate },
];

/// Whether an act may be done on an item.
///
/// | state | hold | release | retry | resolve |
/// | --- | --- | --- | --- | --- |
/// | recorded, sent | if of the `current` epoch | | | |
/// | received | yes | | | |
/// | held | | yes | | yes |
/// | refused, expired, parked | | | yes | yes |
/// | settled, resolved | | | | |
///
/// Send now is about no item and may always be done. An earlier epoch goes up before the one in which the act would be
/// written: it would always come too late there.
///
/// # Errors
/// A sentence that says why not, and what to do instead.
pub fn allowed(item: &Item, act: QueueAct, current: Epoch) -> Result<(), &'static str> {
    if item.kind == ItemKind::Act && act == QueueAct::Hold {
        return Err("This is a manager's act itself. It cannot be held.");
    }
    match (item.state.standing(), act) {
        (Standing::Recorded | Standing::Sent, QueueAct::Hold) if item.epoch != current => Err(
            "This is of earlier books, which go up before anything that is done now. Deal with it once head office has ruled.",
        ),
        (_, QueueAct::SendNow)
        | (Standing::Recorded | Standing::Sent | Standing::Received, QueueAct::Hold)
        | (Standing::Held, QueueAct::Release | QueueAct::Resolve { .. })
        | (
            Standing::Refused | Standing::Expired | Standing::Parked,
            QueueAct::Retry | QueueAct::Resolve { .. },
        ) => Ok(()),
        (Standing::Held, QueueAct::Hold) => Err("This is held already."),
        (Standing::Held, QueueAct::Retry) => Err("This is held. Release it: head office then rules on it."),
        (Standing::Resolved, _) => Err("This was dealt with already. Look at its timeline."),
        (Standing::Settled, _) => Err(
            "Head office has ruled on this, and it stands. What is wrong with it is put right by a refund.",
        ),
        (Standing::Refused | Standing::Expired | Standing::Parked, QueueAct::Hold) => {
            Err("Head office has ruled on this: it is too late to hold it. Send it again, or resolve it.")
        }
        (_, QueueAct::Release) => Err("This is not held."),
        (Standing::Recorded | Standing::Sent, QueueAct::Retry) => {
            Err("This has not reached head office yet. Press Send now.")
        }
        (Standing::Received, QueueAct::Retry) => {
            Err("Head office has this and has yet to rule. Wait for it.")
        }
        (Standing::Recorded | Standing::Sent | Standing::Received, QueueAct::Resolve { .. }) => {
            Err("Head office has not ruled on this yet. Hold it first if it must not count.")
        }
    }
}
