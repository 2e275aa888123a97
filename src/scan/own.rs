//! Codes of our own in a scan: bare, or in the address of an order, a receipt or a desk.
//!
//! Any host is taken: an order and a receipt are believed by their signature, and a desk by whoever asks the cloud.
//! Not here: the binary form (`token`).

use super::Scanned;
use crate::token::{self, Kind, Token, TokenError};

/// A desk's name is short: it is printed large on the desk as well.
const DESK_MAX: usize = 32;

/// Reads a code of ours; `None` when the text does not look like one.
pub(super) fn read(text: &str) -> Option<Scanned> {
    if looks_own(text) {
        return Some(judged(text, token::parse(text)));
    }
    let (host, path) = address(text)?;
    let (page, rest) = path.split_once('/')?;
    match page {
        // Other people's addresses have pages of one letter too: only what has our prefix is ours.
        "O" | "o" if looks_own(rest) => Some(judged(text, of_kind(rest, Kind::Order))),
        "R" | "r" if looks_own(rest) => Some(judged(text, of_kind(rest, Kind::Receipt))),
        "D" | "d" if is_desk(rest) => {
            Some(Scanned::Desk { host: host.to_ascii_lowercase(), desk: rest.to_ascii_lowercase() })
        }
        _ => None,
    }
}

fn judged(text: &str, read: Result<Token, TokenError>) -> Scanned {
    match read {
        Ok(token) => Scanned::Token(token),
        Err(why) => Scanned::Misread { text: text.to_owned(), why: why.into() },
    }
}

fn of_kind(text: &str, wanted: Kind) -> Result<Token, TokenError> {
    let token = token::parse(text)?;
    if token.kind() == wanted {
        Ok(token)
    } else {
        Err(TokenError::WrongKind { found: token.kind(), wanted })
    }
}

/// A prefix of ours in either case: a scanner with a wrong keyboard setting deserves a sentence, not silence.
fn looks_own(text: &str) -> bool {
    text.split_once('.').is_some_and(|(code, _)| Kind::by_code(&code.to_ascii_uppercase()).is_some())
}

/// Host and path of `http://host/path` or `https://host/path`, in either case.
fn address(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    rest.split_once('/').filter(|(host, _)| web && !host.is_empty())
}

fn is_desk(text: &str) -> bool {
    (1..=DESK_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
