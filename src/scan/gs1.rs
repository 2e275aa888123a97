//! GS1 data: application identifiers with their values, from an element string, from brackets as printed below a
//! symbol, or from a Digital Link.
//!
//! Source: GS1 General Specifications, sections 3, 4.13 and 7.8; GS1 Digital Link: URI Syntax. What is returned
//! has been checked whole: identifiers, lengths, characters, check digits, dates, and which may stand together.
//! Not here: what the shop makes of it (`counter`), compressed links, and links with words for identifiers.

mod check;
mod element;
mod error;
mod link;
mod meaning;
mod pairs;
mod part;
mod table;
#[cfg(test)]
mod tests;

pub use error::{Gs1Error, Gs1Fault};
pub use link::NotALink;
pub use meaning::{Amount, ByWhen, Expiry, Measure};
pub use part::CharSet;

use std::fmt;

/// An application identifier: two to four digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ai {
    digits: [u8; 4],
    length: u8,
}

impl Ai {
    /// From its digits; `None` for anything else.
    fn new(digits: &str) -> Option<Self> {
        let fits = (2..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let mut kept = [0; 4];
        fits.then(|| kept[..digits.len()].copy_from_slice(digits.as_bytes()))?;
        Some(Self { digits: kept, length: u8::try_from(digits.len()).ok()? })
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.digits[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Display for Ai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Ai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An identifier and what stands in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// The identifier.
    pub ai: Ai,
    /// Its value, of characters that the identifier allows.
    pub value: String,
    /// Where the value began in the scan, from 1.
    at: usize,
}

/// Checked GS1 data, in the order of the scan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gs1 {
    elements: Vec<Element>,
}

impl Gs1 {
    /// Reads an element string: identifiers and values with GS (FNC1) behind each that has no predefined length.
    /// A separator that is not needed, at the end too, is tolerated.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn of_elements(data: &str) -> Result<Self, Gs1Error> {
        Self::paired(element::read(data)?)
    }

    /// Reads identifiers in brackets, as printed below a symbol: `(01)09506000134352(10)ABC123`. A bracket that
    /// belongs to a value has `\` before it.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn of_brackets(text: &str) -> Result<Self, Gs1Error> {
        Self::paired(element::read_brackets(text)?)
    }

    /// Reads a Digital Link of any domain.
    ///
    /// # Errors
    /// [`NotALink::Other`] for an address that is none; [`NotALink::Broken`] for one that breaks a rule.
    pub fn of_link(address: &str) -> Result<Self, NotALink> {
        let elements = link::read(address)?;
        Self::paired(elements).map_err(NotALink::Broken)
    }

    /// Reads the element string beside an EAN or UPC symbol (a composite), whose number stands for (01).
    pub(super) fn of_composite(gtin: &str, data: &str) -> Result<Self, Gs1Error> {
        let item = Ai::new("01").map(|ai| Element { ai, value: gtin.to_owned(), at: 1 });
        let mut elements: Vec<_> = item.into_iter().collect();
        elements.extend(element::read(data)?);
        Self::paired(elements)
    }

    fn paired(elements: Vec<Element>) -> Result<Self, Gs1Error> {
        pairs::check(&elements)?;
        Ok(Self { elements })
    }

    /// What it holds, in order.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The value of one identifier.
    pub fn get(&self, ai: &str) -> Option<&str> {
        self.elements.iter().find(|element| element.ai.as_str() == ai).map(|element| element.value.as_str())
    }

    /// The element string that says this: separators where they are needed and nowhere else.
    pub fn to_element_string(&self) -> String {
        let mut text = String::new();
        let mut separate = false;
        for element in &self.elements {
            if separate {
                text.push(char::from(super::GS));
            }
            text.push_str(element.ai.as_str());
            text.push_str(&element.value);
            separate = !table::Rule::exactly(element.ai.as_str()).is_some_and(table::Rule::is_fixed);
        }
        text
    }
}
