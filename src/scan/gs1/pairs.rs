//! Which identifiers need each other, and which exclude each other.
//!
//! Source: GS1 General Specifications, section 4.13. Rules are held against what one scan carries: what another
//! symbol on the same pack says is not known here.

use super::table::{Rule, SAME_MEASURE};
use super::{Ai, Element, Gs1Error, Gs1Fault};

/// Finds the first pair that cannot be, or that is incomplete.
pub(super) fn check(elements: &[Element]) -> Result<(), Gs1Error> {
    for (place, element) in elements.iter().enumerate() {
        let broken = |why| Err(Gs1Error { ai: Some(element.ai), at: element.at, why });
        let again = elements[place + 1..].iter();
        if again.filter(|other| other.ai == element.ai).any(|other| other.value != element.value) {
            return broken(Gs1Fault::TwoValues);
        }
        let Some(rule) = Rule::exactly(element.ai.as_str()) else { continue };
        if let Some(other) = excluded(rule, element, elements) {
            return broken(Gs1Fault::Never(other));
        }
        let held = |pattern: &str| {
            elements.iter().any(|other| other.ai != element.ai && fits(other.ai.as_str(), pattern))
        };
        if !rule.needs.is_empty() && !rule.needs.split(',').any(|group| group.split('+').all(held)) {
            return broken(Gs1Fault::Needs(rule.needs));
        }
    }
    Ok(())
}

fn excluded(rule: &Rule, element: &Element, elements: &[Element]) -> Option<Ai> {
    let own = element.ai.as_str();
    let clashes = |ai: &str| match rule.never {
        "" => false,
        SAME_MEASURE => ai.get(..3) == own.get(..3) && ai.len() == own.len(),
        patterns => patterns.split(',').any(|pattern| fits(ai, pattern)),
    };
    let others = elements.iter().map(|other| other.ai).filter(|ai| *ai != element.ai);
    others.into_iter().find(|ai| clashes(ai.as_str()))
}

/// Whether an identifier is the pattern's: `31nn` stands for every identifier of four digits that begins with 31.
fn fits(ai: &str, pattern: &str) -> bool {
    ai.len() == pattern.len()
        && ai.bytes().zip(pattern.bytes()).all(|(digit, wanted)| wanted == b'n' || digit == wanted)
}
