//! Digital Links: GS1 data in a web address of any domain.
//!
//! Source: GS1 Digital Link: URI Syntax, sections 4 and 5. The last key in the path begins the data; its
//! qualifiers follow in their order; attributes stand behind the `?`, among other parameters, which are passed
//! over. A GTIN of 8, 12 or 13 digits, as older links have it, is filled up to 14. Not here: compressed links,
//! which cannot be told from any other address, and `/gtin/` for `/01/`, which was withdrawn.

use super::table::Rule;
use super::{Ai, Element, Gs1Error, Gs1Fault, element};
use crate::scan::gtin::Gtin;

/// Why an address is not a Digital Link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotALink {
    /// It is some other address: nothing in its path is one of GS1's keys.
    Other,
    /// It is one, and it breaks a rule.
    Broken(Gs1Error),
}

/// One value of a link as it stands there.
struct Field<'a> {
    ai: Ai,
    rule: &'static Rule,
    raw: &'a str,
    at: usize,
}

/// Cuts an address into elements and checks each.
pub(super) fn read(address: &str) -> Result<Vec<Element>, NotALink> {
    let Some((path_at, path, query)) = parts(address) else { return Err(NotALink::Other) };
    let query_at = path_at + path.len() + 1;
    let path = key_and_qualifiers(path, path_at).ok_or(NotALink::Other)?;
    let attributes = attributes(query, query_at).map_err(NotALink::Broken)?;
    elements(&path, &attributes).map_err(NotALink::Broken)
}

/// Where the path begins, the path, and what stands behind the `?`. The scheme is read in either case (RFC 3986,
/// section 3.1).
fn parts(address: &str) -> Option<(usize, &str, &str)> {
    const ALLOWED: &str = "-._~:/?#[]@!$&'()*+,;=%";
    if !address.bytes().all(|byte| byte.is_ascii_alphanumeric() || ALLOWED.as_bytes().contains(&byte)) {
        return None;
    }
    let (scheme, rest) = address.split_once("://")?;
    let (domain, _) = rest.split_once('/')?;
    if !["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return None;
    }
    if domain.is_empty()
        || domain
            .contains(['?', '#', '%', '$', '@', '!', '\'', '(', ')', '*', '+', ',', ';', '=', '&', '_', '~'])
    {
        return None;
    }
    let path_at = address.len() - rest.len() + domain.len();
    let rest = address[path_at..].split('#').next().unwrap_or_default();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Some((path_at, path, query))
}

/// Walks backwards through the pairs of the path to the last key.
fn key_and_qualifiers(path: &str, path_at: usize) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut end = path.len();
    loop {
        let value_at = path[..end].rfind('/')? + 1;
        let ai_at = path[..value_at - 1].rfind('/')? + 1;
        let digits = &path[ai_at..value_at - 1];
        let (ai, rule) = (Ai::new(digits)?, Rule::exactly(digits)?);
        fields.push(Field { ai, rule, raw: &path[value_at..end], at: path_at + value_at + 1 });
        if rule.key.is_some() {
            fields.reverse();
            return Some(fields);
        }
        end = ai_at - 1;
    }
}

/// Parameters whose names are digits only; everything else is somebody else's.
fn attributes(query: &str, query_at: usize) -> Result<Vec<Field<'_>>, Gs1Error> {
    let mut fields = Vec::new();
    let mut next = query_at;
    for parameter in query.split('&') {
        let begins = next;
        next += parameter.len() + 1;
        let Some((name, raw)) = parameter.split_once('=') else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let at = begins + name.len() + 2;
        let known = Ai::new(name).zip(Rule::exactly(name));
        let (ai, rule) = known.ok_or_else(|| Gs1Error {
            ai: None,
            at,
            why: Gs1Fault::UnknownAi(name.chars().take(8).collect()),
        })?;
        fields.push(Field { ai, rule, raw, at });
    }
    Ok(fields)
}

fn elements(path: &[Field<'_>], attributes: &[Field<'_>]) -> Result<Vec<Element>, Gs1Error> {
    let mut elements = Vec::with_capacity(path.len() + attributes.len());
    for field in path {
        elements.push(decoded(field, Plus::Plus)?);
    }
    for field in attributes {
        elements.push(decoded(field, Plus::Space)?);
    }
    let broken = |field: &Field<'_>, why| Err(Gs1Error { ai: Some(field.ai), at: field.at, why });
    let Some((key, qualifiers)) = path.split_first() else { return Ok(elements) };
    let orders = key.rule.key.unwrap_or_default();
    let names: Vec<_> = qualifiers.iter().map(|field| field.ai).collect();
    if let (false, Some(last)) = (in_order(orders, &names), path.last()) {
        return broken(last, Gs1Fault::Order);
    }
    for (place, field) in attributes.iter().enumerate() {
        let before = path.iter().chain(&attributes[..place]);
        if before.into_iter().any(|other| other.ai == field.ai) {
            return broken(field, Gs1Fault::Twice);
        }
        if !field.rule.is_attribute() {
            return broken(field, Gs1Fault::NotAttribute);
        }
        let could_be_qualifier = (0..=names.len()).any(|at| {
            let mut with = names.clone();
            with.insert(at, field.ai);
            in_order(orders, &with)
        });
        if could_be_qualifier {
            return broken(field, Gs1Fault::BelongsInPath);
        }
    }
    Ok(elements)
}

/// Whether qualifiers follow one of the orders, each at most once.
fn in_order(orders: &str, qualifiers: &[Ai]) -> bool {
    qualifiers.is_empty()
        || orders.split('|').any(|order| {
            let mut order = order.split(',');
            qualifiers.iter().all(|ai| order.any(|known| known == ai.as_str()))
        })
}

/// What `+` stands for.
#[derive(Clone, Copy)]
enum Plus {
    Plus,
    Space,
}

fn decoded(field: &Field<'_>, plus: Plus) -> Result<Element, Gs1Error> {
    let value = unescaped(field.raw, plus);
    let value = if field.ai.as_str() == "01" { filled(value) } else { value };
    element::whole(field.rule, field.ai, value, field.at)
}

/// A short GTIN with its zeros in front; one that is none is left to the rule to refuse.
fn filled(value: String) -> String {
    match value.len() {
        8 | 12 | 13 => value.parse::<Gtin>().map_or(format!("{value:0>14}"), Gtin::to_14_digits),
        _ => value,
    }
}

/// Undoes percent-encoding. What is no UTF-8 then, and a `%` without two digits behind it, stays as a character
/// that no rule allows or as it is.
fn unescaped(raw: &str, plus: Plus) -> String {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|two| str::from_utf8(two).ok());
        let code = code.filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match (first, code.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(match plus {
                    Plus::Plus => b'+',
                    Plus::Space => b' ',
                });
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
