//! Taking a slip's JSON apart. Whatever is wrong is named by its key path.

use super::columns::{Ruled, Side};
use super::{Item, Slip, Title};
use hardware::document::{Align, DrawerPin, DrawerPulse, Style};
use serde_json::{Map, Value};

/// Lines of goods, and of totals: more is no receipt.
const ROWS_MAX: usize = 1_000;

/// Characters of one text: a whole screen of words; beyond it somebody gave the wrong file.
const TEXT_MAX: usize = 2_000;

/// The columns of a slip that does not say any, as in the sample.
const ITEM_COLUMNS: Ruled<3> = Ruled([(28, Side::Left), (4, Side::Right), (10, Side::Right)]);
const TOTAL_COLUMNS: Ruled<2> = Ruled([(32, Side::Left), (10, Side::Right)]);

/// Why a slip cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct SlipError {
    /// Where: `items[2][1]`.
    pub path: String,
    /// What is wrong and what to write.
    pub reason: String,
}

/// A value and where it stands.
#[derive(Clone)]
struct At<'a> {
    value: &'a Value,
    path: String,
}

impl Slip {
    /// Takes a slip apart.
    ///
    /// # Errors
    /// [`SlipError`] with the key path of the first thing that is wrong.
    pub fn read(value: &Value) -> Result<Self, SlipError> {
        let root = At { value, path: String::new() };
        let keys = root.object(&[
            "note",
            "title",
            "head",
            "items",
            "item_columns",
            "totals",
            "total_columns",
            "foot",
            "qr",
            "drawer",
        ])?;
        let at = |key: &str| root.key(keys, key);
        Ok(Self {
            title: at("title").map(|title| title.title()).transpose()?,
            head: at("head").map_or(Ok(vec![]), |head| head.lines())?,
            items: at("items").map_or(Ok(vec![]), |items| items.rows(At::item))?,
            item_columns: at("item_columns").map_or(Ok(ITEM_COLUMNS), |ruled| {
                ruled.ruled("name 28 left, quantity 4 right, amount 10 right")
            })?,
            totals: at("totals").map_or(Ok(vec![]), |totals| totals.rows(At::total))?,
            total_columns: at("total_columns")
                .map_or(Ok(TOTAL_COLUMNS), |ruled| ruled.ruled("label 32 left, amount 10 right"))?,
            foot: at("foot").map_or(Ok(vec![]), |foot| foot.lines())?,
            qr: at("qr").map(|qr| qr.text()).transpose()?.filter(|qr| !qr.is_empty()),
            drawer: at("drawer").map(|drawer| drawer.drawer()).transpose()?,
        })
    }
}

impl<'a> At<'a> {
    fn wrong<T>(&self, reason: impl Into<String>) -> Result<T, SlipError> {
        let path = if self.path.is_empty() { "the receipt".to_owned() } else { self.path.clone() };
        Err(SlipError { path, reason: reason.into() })
    }

    /// An object with no other keys than these: a misspelt key would be a line that is silently missing.
    fn object(&self, known: &[&str]) -> Result<&'a Map<String, Value>, SlipError> {
        let Value::Object(keys) = self.value else {
            return self.wrong("write an object in braces here");
        };
        match keys.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => self.wrong(format!("{key:?} is no key of it; its keys are {}", known.join(", "))),
            None => Ok(keys),
        }
    }

    /// A key's value; `null` counts as left out.
    fn key(&self, keys: &'a Map<String, Value>, key: &str) -> Option<Self> {
        let value = keys.get(key).filter(|value| !value.is_null())?;
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Some(At { value, path })
    }

    fn each(&self) -> Result<Vec<Self>, SlipError> {
        let Value::Array(values) = self.value else {
            return self.wrong("write a list in square brackets here");
        };
        if values.len() > ROWS_MAX {
            return self.wrong(format!(
                "{} entries are too many for a receipt, {ROWS_MAX} are the most",
                values.len()
            ));
        }
        let at = |(at, value)| At { value, path: format!("{}[{at}]", self.path) };
        Ok(values.iter().enumerate().map(at).collect())
    }

    fn text(&self) -> Result<String, SlipError> {
        match self.value {
            Value::String(text) if text.chars().count() > TEXT_MAX => {
                self.wrong(format!("the text is longer than {TEXT_MAX} characters"))
            }
            Value::String(text) => Ok(text.clone()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.wrong("write a text in quotes here")
            }
        }
    }

    /// One text, or a list of them.
    fn lines(&self) -> Result<Vec<String>, SlipError> {
        match self.value {
            Value::Array(_) => self.each()?.iter().map(At::text).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                Ok(vec![self.text()?])
            }
        }
    }

    fn amount(&self) -> Result<String, SlipError> {
        match self.value {
            Value::Number(number) => self.wrong(format!(
                "write the amount in quotes, such as \"{number}\": a number loses its last zeros"
            )),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                self.text()
            }
        }
    }

    fn quantity(&self) -> Result<String, SlipError> {
        match self.value {
            Value::Number(number) => Ok(number.to_string()),
            Value::Null => Ok(String::new()),
            Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => self.text(),
        }
    }

    fn rows<T>(&self, row: impl Fn(&Self) -> Result<T, SlipError>) -> Result<Vec<T>, SlipError> {
        self.each()?.iter().map(row).collect()
    }

    fn item(&self) -> Result<Item, SlipError> {
        match self.each()?.as_slice() {
            [name, quantity, amount] => {
                Ok(Item { name: name.text()?, quantity: quantity.quantity()?, amount: amount.amount()? })
            }
            other => self.wrong(format!("{} entries where name, quantity and amount belong", other.len())),
        }
    }

    fn total(&self) -> Result<[String; 2], SlipError> {
        match self.each()?.as_slice() {
            [label, amount] => Ok([label.text()?, amount.amount()?]),
            other => self.wrong(format!("{} entries where label and amount belong", other.len())),
        }
    }

    fn ruled<const N: usize>(&self, such_as: &str) -> Result<Ruled<N>, SlipError> {
        match Ruled::read(&self.text()?) {
            Some(ruled) => Ok(ruled),
            None => self.wrong(format!("write each column's name, cells and side, such as {such_as:?}")),
        }
    }

    fn title(&self) -> Result<Title, SlipError> {
        if let Value::String(text) = self.value {
            return Ok(Title { text: text.clone(), align: Align::Centre, style: Style::TITLE });
        }
        let keys = self.object(&["text", "style"])?;
        let Some(text) = self.key(keys, "text") else { return self.wrong("its text is missing") };
        let Some(words) = self.key(keys, "style") else {
            return Ok(Title { text: text.text()?, align: Align::Centre, style: Style::TITLE });
        };
        let mut title = Title { text: text.text()?, align: Align::Left, style: Style::PLAIN };
        for word in words.text()?.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            match word.to_ascii_lowercase().as_str() {
                "centred" | "centered" | "center" | "centre" => title.align = Align::Centre,
                "right" => title.align = Align::Right,
                "left" => title.align = Align::Left,
                "bold" => title.style.bold = true,
                "width" | "wide" => title.style.wide = true,
                "height" | "tall" => title.style.tall = true,
                "double" | "and" | "plain" | "normal" => {}
                _ => {
                    return words.wrong(format!(
                        "{word:?} is no style; use left, centred, right, bold, double width, double height"
                    ));
                }
            }
        }
        Ok(title)
    }

    fn drawer(&self) -> Result<DrawerPulse, SlipError> {
        let keys = self.object(&["pin", "on_ms", "off_ms"])?;
        let usual = DrawerPulse::default();
        let time = |key: &str, usual: u16| match self.key(keys, key) {
            None => Ok(usual),
            Some(at) => match at
                .value
                .as_u64()
                .and_then(|ms| u16::try_from(ms).ok())
                .filter(|ms| (2..=510).contains(ms))
            {
                Some(ms) => Ok(ms),
                None => at.wrong("write whole milliseconds, 2 to 510"),
            },
        };
        let pin = match self.key(keys, "pin") {
            None => DrawerPin::Two,
            Some(at) => match at.value.as_u64() {
                Some(2) => DrawerPin::Two,
                Some(5) => DrawerPin::Five,
                Some(_) | None => return at.wrong("write 2 or 5, the connector's pin"),
            },
        };
        let pulse =
            DrawerPulse { pin, on_ms: time("on_ms", usual.on_ms)?, off_ms: time("off_ms", usual.off_ms)? };
        if pulse.off_ms < pulse.on_ms {
            return self
                .wrong("off_ms is shorter than on_ms: the solenoid must rest at least as long as it pulls");
        }
        Ok(pulse)
    }
}
