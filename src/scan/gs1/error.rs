//! What is wrong with GS1 data, where, in words for whoever scanned it.

use super::Ai;
use super::part::CharSet;
use std::fmt;

/// A rule of GS1 that a scan breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gs1Error {
    /// The application identifier that it is about, where there is one.
    pub ai: Option<Ai>,
    /// Where in the scan, from 1, in bytes: at the value, or at the character that is wrong.
    pub at: usize,
    /// What.
    pub why: Gs1Fault,
}

/// A broken rule.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Gs1Fault {
    /// No data at all.
    #[error("the code is empty")]
    Empty,
    /// No identifier begins like this.
    #[error("no application identifier begins with {0:?}")]
    UnknownAi(String),
    /// Nothing behind the identifier.
    #[error("nothing stands in it")]
    NoValue,
    /// Fewer characters than it has.
    #[error("it is too short")]
    TooShort,
    /// More characters than it has, or a separator that was lost.
    #[error("it is too long, or a separator (GS) was lost behind it")]
    TooLong,
    /// A character that is not allowed there.
    #[error("{}", not_in(*.found, *.set))]
    Character {
        /// The character.
        found: char,
        /// Which there may be.
        set: CharSet,
    },
    /// The check digit or the check characters do not fit.
    #[error("its {0}")]
    Check(&'static str),
    /// Something that its value cannot be.
    #[error("{0}")]
    Value(&'static str),
    /// The same identifier twice, with two values.
    #[error("it is there twice with different values")]
    TwoValues,
    /// Another identifier is missing.
    #[error("it needs {} beside it", alternatives(.0))]
    Needs(&'static str),
    /// Another identifier excludes it.
    #[error("it cannot stand beside ({0})")]
    Never(Ai),
    /// An identifier in brackets that is not one, or is not closed.
    #[error("an identifier in brackets, such as (01), was expected here")]
    Brackets,
    /// A link's path has its qualifiers in a wrong order.
    #[error("it does not follow the identifier before it in a link")]
    Order,
    /// A link has it behind the `?`, where it cannot stand.
    #[error("it cannot stand behind the ? of a link")]
    NotAttribute,
    /// A link has it behind the `?`, and it belongs into the path.
    #[error("it belongs into the path of a link, not behind the ?")]
    BelongsInPath,
    /// A link has it twice.
    #[error("the link has it twice")]
    Twice,
}

impl std::error::Error for Gs1Error {}

impl fmt::Display for Gs1Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this code breaks a rule of GS1")?;
        match self.ai {
            Some(ai) => write!(f, ": ({ai}) at character {}: {}", self.at, self.why),
            None => write!(f, " at character {}: {}", self.at, self.why),
        }
    }
}

fn not_in(found: char, set: CharSet) -> String {
    let set = match set {
        CharSet::Digits => "a digit",
        CharSet::Set82 => "a character of GS1's set of 82",
        CharSet::Set39 => "a capital letter, a digit, #, - or /",
        CharSet::Set64 => "a character of base64",
    };
    format!("{found:?} is not {set}")
}

/// `01+21,8006` as people read it: `(01) with (21), or (8006)`.
fn alternatives(needs: &str) -> String {
    let group = |group: &str| {
        let parts: Vec<_> = group.split('+').map(|ai| format!("({ai})")).collect();
        parts.join(" with ")
    };
    let groups: Vec<_> = needs.split(',').map(group).collect();
    groups.join(" or ")
}
