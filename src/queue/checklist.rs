//! What a manager looks at after an outage: a few questions, each with its answer, for screen and paper.
//!
//! Not here: finding the answers (`pages`), and laying the list out (`paper`).

use super::{Item, words};
use crate::locales::{Lang, Msg};
use crate::money::Money;
use crate::record::Epoch;
use crate::record::epochs::Standing;
use crate::record::ids::TerminalId;
use serde::Serialize;

/// Items that are written out on the list; the page has all.
pub const LISTED_MAX: usize = 12;

/// The list.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Checklist {
    /// The shop's name.
    pub shop: String,
    /// Which till.
    pub terminal: TerminalId,
    /// Which life of its journal.
    pub epoch: Epoch,
    /// When it was made, in the shop's local time.
    pub at: String,
    /// The questions, in order.
    pub checks: Vec<Check>,
    /// What a person has to decide about: the latest first, at most [`LISTED_MAX`].
    pub needing: Vec<Item>,
    /// What is held, to be released or resolved: the same way.
    pub held: Vec<Item>,
}

/// How an answer stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// All is well.
    Yes,
    /// It comes by itself: wait.
    Wait,
    /// Somebody has to do something.
    No,
}

/// Whether head office has the same records as the till.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Same {
    /// The hash that head office gave is that of this till's record: every amount before it is the same.
    Yes,
    /// It is not: two machines wrote under one name.
    No,
    /// Head office has said nothing yet.
    Unknown,
}

/// One question with its answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Has head office received everything?
    AllReceived {
        /// Up to here.
        received: u64,
        /// Of so many.
        recorded: u64,
    },
    /// Has it ruled on everything?
    AllRuled {
        /// Up to here.
        ruled: u64,
        /// Of so many.
        recorded: u64,
    },
    /// Are its sums those of the till?
    SumsAgree {
        /// Whether.
        same: Same,
        /// From this record on: the first that the till keeps,
        from: u64,
        /// up to this one.
        until: u64,
        /// What the till's receipts there come to.
        worth: Option<Money>,
    },
    /// Is nothing refused, expired or parked?
    NothingRefused {
        /// How much is.
        count: usize,
    },
    /// Is nothing held?
    NothingHeld {
        /// How much is.
        count: usize,
    },
    /// Are the books those that the till has always kept? Asked where some were lost.
    BooksWhole {
        /// Whether a manager has adopted the new ones.
        standing: Standing,
        /// Records of the lost ones that head office lacks.
        lacking: u64,
    },
    /// Is every paper known to be printed?
    PapersConfirmed {
        /// How many are not.
        open: usize,
    },
    /// Is every payment known to be made or not?
    PaymentsSure {
        /// How many are not.
        open: usize,
    },
}

impl Check {
    /// How it stands.
    pub fn answer(&self) -> Answer {
        let none = |count: usize, otherwise: Answer| if count == 0 { Answer::Yes } else { otherwise };
        match self {
            Self::AllReceived { received: so_far, recorded } | Self::AllRuled { ruled: so_far, recorded } => {
                if so_far >= recorded {
                    Answer::Yes
                } else {
                    Answer::Wait
                }
            }
            Self::BooksWhole { standing: Standing::Regular, lacking: 0 } => Answer::Yes,
            Self::BooksWhole { standing: Standing::Regular | Standing::Provisional, .. } => Answer::No,
            Self::SumsAgree { same: Same::Yes, .. } => Answer::Yes,
            Self::SumsAgree { same: Same::Unknown, .. } => Answer::Wait,
            Self::SumsAgree { same: Same::No, .. } => Answer::No,
            Self::NothingRefused { count } | Self::NothingHeld { count } => none(*count, Answer::No),
            Self::PapersConfirmed { open } | Self::PaymentsSure { open } => none(*open, Answer::No),
        }
    }

    /// The answer as a sentence; `money` says amounts as the reader writes them.
    pub fn words(&self, lang: Lang, money: impl Fn(&Money) -> String) -> String {
        let say = |msg: Msg, values: &[String]| {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            msg.with(lang, &values)
        };
        let counted = |count: &usize, none: Msg, some: Msg| match count {
            0 => say(none, &[]),
            count => say(some, &[count.to_string()]),
        };
        let so_far = |done: &u64, of: &u64, all: Msg, some: Msg| {
            if done >= of {
                say(all, &[of.to_string()])
            } else {
                say(some, &[done.to_string(), of.to_string()])
            }
        };
        match self {
            Self::AllReceived { received, recorded } => {
                so_far(received, recorded, Msg::CheckReceived, Msg::CheckReceivedOf)
            }
            Self::AllRuled { ruled, recorded } => so_far(ruled, recorded, Msg::CheckRuled, Msg::CheckRuledOf),
            Self::SumsAgree { same: Same::Yes, from, until, worth } => {
                let worth = match worth {
                    Some(worth) => say(Msg::ReceiptsCome, &[money(worth)]),
                    None => say(Msg::ReceiptsNone, &[]),
                };
                match from {
                    0 | 1 => say(Msg::CheckSumsSame, &[until.to_string(), worth]),
                    from => say(Msg::CheckSumsKept, &[from.to_string(), until.to_string(), worth]),
                }
            }
            Self::SumsAgree { same: Same::No, until, .. } => say(Msg::CheckSumsOther, &[until.to_string()]),
            Self::SumsAgree { same: Same::Unknown, .. } => say(Msg::CheckSumsUnknown, &[]),
            Self::BooksWhole { standing: Standing::Provisional, lacking } => {
                say(Msg::CheckAdopt, &[lacking.to_string()])
            }
            Self::BooksWhole { standing: Standing::Regular, lacking: 0 } => say(Msg::CheckBooks, &[]),
            Self::BooksWhole { standing: Standing::Regular, lacking } => {
                say(Msg::CheckLacking, &[lacking.to_string()])
            }
            Self::NothingRefused { count } => counted(count, Msg::CheckNoneRefused, Msg::CheckRefused),
            Self::NothingHeld { count } => counted(count, Msg::CheckNoneHeld, Msg::CheckHeld),
            Self::PapersConfirmed { open } => counted(open, Msg::CheckPapers, Msg::CheckPapersOpen),
            Self::PaymentsSure { open } => counted(open, Msg::CheckPayments, Msg::CheckPaymentsOpen),
        }
    }
}

impl Checklist {
    /// An item of the list in one line: `Coupon ¥5.00, receipt 12 — refused: …`.
    pub fn line(item: &Item, lang: Lang, money: impl Fn(&Money) -> String) -> String {
        let mut line = words::kind(item.kind, lang).to_owned();
        if let Some(amount) = &item.amount {
            line.push(' ');
            line.push_str(&money(amount));
        }
        if let Some(receipt) = item.receipt {
            line.push_str(&format!(" #{receipt}"));
        }
        format!("{line} — {}", words::state(item, lang))
    }
}
