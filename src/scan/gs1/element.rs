//! Element strings, and the same in brackets: cutting data into identifiers and values, and checking each value.

use super::super::GS;
use super::table::Rule;
use super::{Ai, Element, Gs1Error, Gs1Fault, check};

/// Reads an element string behind the FNC1 in first position, which the scanner does not send.
pub(super) fn read(data: &str) -> Result<Vec<Element>, Gs1Error> {
    let mut elements = Vec::new();
    let mut at = 0;
    if data.is_empty() {
        return Err(Gs1Error { ai: None, at: 1, why: Gs1Fault::Empty });
    }
    while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
        let Some((rule, ai)) =
            Rule::of(rest).and_then(|rule| Some((rule, Ai::new(rest.get(..rule.digits())?)?)))
        else {
            let begins = rest.chars().take(4).collect();
            return Err(Gs1Error { ai: None, at: at + 1, why: Gs1Fault::UnknownAi(begins) });
        };
        let value_at = at + rule.digits();
        let field = data[value_at..].split(char::from(GS)).next().unwrap_or_default();
        let length = checked(rule, ai, field, value_at + 1)?;
        elements.push(Element { ai, value: field[..length].to_owned(), at: value_at + 1 });
        at = value_at + length;
        let separated = data.as_bytes().get(at) == Some(&GS);
        if !rule.is_fixed() && !separated && at < data.len() {
            return Err(Gs1Error { ai: Some(ai), at: value_at + 1, why: Gs1Fault::TooLong });
        }
        at += usize::from(separated);
    }
    Ok(elements)
}

/// Reads `(01)09506000134352(10)ABC123`.
pub(super) fn read_brackets(text: &str) -> Result<Vec<Element>, Gs1Error> {
    let mut elements = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let broken = Gs1Error { ai: None, at: at + 1, why: Gs1Fault::Brackets };
        let inner = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(digits, _)| digits);
        let digits = inner.ok_or(broken.clone())?;
        let ai = Ai::new(digits).ok_or(broken)?;
        let value_at = at + digits.len() + 2;
        let (value, end) = bracketed_value(text, value_at);
        let rule = Rule::exactly(digits).ok_or_else(|| Gs1Error {
            ai: None,
            at: at + 2,
            why: Gs1Fault::UnknownAi(digits.to_owned()),
        })?;
        elements.push(whole(rule, ai, value, value_at + 1)?);
        at = end;
    }
    Ok(elements)
}

/// A value up to the next bracket that has no `\` before it, and where it ends.
fn bracketed_value(text: &str, from: usize) -> (String, usize) {
    let mut value = String::new();
    let mut letters = text[from..].char_indices().peekable();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '(' => return (value, from + place),
            '\\' if letters.peek().is_some_and(|(_, next)| *next == '(') => {
                letters.next();
                value.push('(');
            }
            other => value.push(other),
        }
    }
    (value, text.len())
}

/// A value that is cut out already: all of it must fit.
pub(super) fn whole(rule: &Rule, ai: Ai, value: String, at: usize) -> Result<Element, Gs1Error> {
    let length = checked(rule, ai, &value, at)?;
    if length < value.len() {
        return Err(Gs1Error { ai: Some(ai), at, why: Gs1Fault::TooLong });
    }
    Ok(Element { ai, value, at })
}

/// Checks the value that `field` begins with and returns its length in bytes. `at` is where it begins, from 1.
fn checked(rule: &Rule, ai: Ai, field: &str, at: usize) -> Result<usize, Gs1Error> {
    let broken = |place: usize, why| Gs1Error { ai: Some(ai), at: at + place, why };
    if field.is_empty() {
        return Err(broken(0, Gs1Fault::NoValue));
    }
    let mut done = 0;
    for part in rule.parts {
        let rest = &field.as_bytes()[done..];
        if part.is_optional() && rest.is_empty() {
            break;
        }
        let bytes = &rest[..rest.len().min(part.max)];
        if let Some(place) = bytes.iter().position(|byte| !part.set.has(*byte)) {
            let found = String::from_utf8_lossy(&rest[place..]).chars().next().unwrap_or('?');
            return Err(broken(done + place, Gs1Fault::Character { found, set: part.set }));
        }
        if bytes.len() < part.min {
            return Err(broken(done, Gs1Fault::TooShort));
        }
        // Only ASCII passed, so the cut is between characters.
        let text = field.get(done..done + bytes.len()).unwrap_or_default();
        for check in part.checks {
            check::check(*check, text).map_err(|(place, why)| broken(done + place, why))?;
        }
        done += bytes.len();
    }
    Ok(done)
}
