//! A form's fields, and what they can be read as. What cannot be read is said in the field's own words.

use super::answer::Sorry;
use crate::locales::Msg;
use crate::money::{Currency, Money};
use crate::record::ids::SaleId;
use crate::record::ids::hex;
use axum::http::StatusCode;
use ring::digest;

/// The shortest id of a press: what a script may make up by itself without repeating.
const COMMAND_MIN: usize = 8;

/// The longest.
const COMMAND_MAX: usize = 64;

/// Fields that do not tell one press from another.
const NOT_OF_THE_ACT: [&str; 6] = ["command", "seen", "menu", "lang", "approver_pin", "pin"];

/// A form's fields in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    /// A field's text without the spaces around it; none if it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name)?;
        Some(found.1.trim()).filter(|text| !text.is_empty())
    }

    /// All fields of that name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// A field that has to be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Sorry> {
        self.get(name).ok_or_else(|| bad_field(name))
    }

    /// A field that is an id or a slug.
    pub(super) fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Sorry> {
        self.need(name)?.parse().map_err(|_| bad_field(name))
    }

    /// A field that is an amount.
    pub(super) fn money(&self, name: &str, currency: Currency) -> Result<Money, Sorry> {
        let text = self.need(name)?;
        Money::parse(text, currency).map_err(|_| typed(Msg::BadAmount, text))
    }

    /// A quantity as people write it, in steps of `decimals` decimal places.
    pub(super) fn steps(&self, name: &str, decimals: usize) -> Result<i64, Sorry> {
        let text = self.need(name)?;
        let wrong = || typed(Msg::BadNumber, text);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > decimals {
            return Err(wrong());
        }
        format!("{whole}{fraction:0<decimals$}").parse().map_err(|_| wrong())
    }

    /// The sale and version that the person saw.
    pub(super) fn seen(&self) -> Result<Option<(SaleId, u64)>, Sorry> {
        let Some(text) = self.get("seen") else { return Ok(None) };
        let seen = text
            .split_once(':')
            .and_then(|(sale, version)| Some((sale.parse().ok()?, version.parse().ok()?)));
        seen.map(Some).ok_or_else(|| bad_field("seen"))
    }

    /// The id of this press: the page's own, with the act and its fields. So a button pressed twice is one
    /// press, and two buttons of one page are two.
    pub(super) fn command(&self, act: &str) -> Result<Option<String>, Sorry> {
        let Some(id) = self.get("command") else { return Ok(None) };
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !plain || !(COMMAND_MIN..=COMMAND_MAX).contains(&id.len()) {
            return Err(bad_field("command"));
        }
        let mut context = digest::Context::new(&digest::SHA256);
        let mut put = |text: &str| {
            context.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(text.as_bytes());
        };
        put(act);
        for (name, value) in self.0.iter().filter(|(name, _)| !NOT_OF_THE_ACT.contains(&name.as_str())) {
            put(name);
            put(value);
        }
        Ok(Some(format!("{id}.{}", hex(&context.finish().as_ref()[..8]))))
    }
}

/// A field that no page of ours leaves out or fills so.
pub(super) fn bad_field(name: &str) -> Sorry {
    Sorry::about(StatusCode::UNPROCESSABLE_ENTITY, "field", Msg::BadField, name)
}

fn typed(words: Msg, text: &str) -> Sorry {
    let short: String = text.chars().take(40).collect();
    Sorry::about(StatusCode::UNPROCESSABLE_ENTITY, "typed", words, &short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn quantities_are_read_in_steps_of_the_line() {
        for (text, decimals, steps) in [("2", 0, Some(2)), ("1.25", 3, Some(1250)), ("3", 3, Some(3000))] {
            assert_eq!(fields(&[("q", text)]).steps("q", decimals).ok(), steps, "{text}");
        }
        for (text, decimals) in [("1.5", 0), ("-1", 0), ("", 0), (".5", 3), ("two", 0), ("1e9", 0)] {
            assert!(fields(&[("q", text)]).steps("q", decimals).is_err(), "{text}");
        }
    }

    #[test]
    fn the_same_press_has_the_same_id_and_another_button_another() {
        let id = |act: &str, sku: &str, pin: &str| {
            let form = fields(&[("command", "abcdefgh"), ("sku", sku), ("approver_pin", pin)]);
            form.command(act).unwrap().unwrap()
        };
        assert_eq!(id("press-key", "latte", "1"), id("press-key", "latte", "2"));
        assert_ne!(id("press-key", "latte", ""), id("press-key", "mocha", ""));
        assert_ne!(id("press-key", "latte", ""), id("reprint", "latte", ""));
        assert!(fields(&[("command", "a b")]).command("pay").is_err());
        assert_eq!(fields(&[]).command("pay").unwrap(), None);
    }
}
