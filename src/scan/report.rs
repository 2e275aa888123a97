//! A scan in words and figures for people and programs that look at it: what `till scan decode` prints.
//!
//! Not here: reading lines and writing them (`cli`), and what a sale does with a scan (`counter`), which asks the
//! catalogue as well.

use super::gs1::{Amount, ByWhen, Gs1};
use super::{Ambiguous, Label, LabelProfile, PayCode, SCAN_MAX_BYTES, Scanned, classify, symbology};
use crate::emv::{Emv, Node, Value as EmvValue};
use crate::token::{Kind, Token};
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

/// What the sale in front waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Awaiting {
    /// Goods: the basket is open.
    #[default]
    Goods,
    /// Money: the total is fixed.
    Money,
}

/// What one scan is, as far as it can be said without a catalogue.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Report {
    /// One of item, weighed, coupon, member, voucher, proof, order, receipt, pay_code, emv, desk, text, error.
    pub kind: &'static str,
    /// What it was printed as, where the scanner says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbology: Option<&'static str>,
    /// The item's number, 14 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    /// GS1's application identifiers and their values, in the order of the scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ais: Option<Vec<[String; 2]>>,
    /// Whose pay code it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<&'static str>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What else it could be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ambiguous: Vec<String>,
    /// Further facts, by name.
    #[serde(flatten)]
    pub facts: serde_json::Map<String, Value>,
}

impl Report {
    /// Classifies a scan and says what it is. `today` chooses the century of dates on packs.
    pub fn of(
        data: &[u8],
        aim: Option<&[u8]>,
        labels: &[LabelProfile],
        awaiting: Awaiting,
        today: Date,
    ) -> Self {
        let text = String::from_utf8_lossy(&data[..data.len().min(SCAN_MAX_BYTES)]);
        let mut report = Self::said(classify(data, aim, labels), awaiting, today);
        report.symbology = aim.and_then(|aim| symbology(aim, text.trim()));
        report
    }

    fn new(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    fn error(why: &dyn std::fmt::Display) -> Self {
        Self { error: Some(why.to_string()), ..Self::new("error") }
    }

    fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    fn said(scanned: Scanned, awaiting: Awaiting, today: Date) -> Self {
        match scanned {
            Scanned::Item(gtin) => Self { gtin: Some(gtin.to_14_digits()), ..Self::new("item") },
            Scanned::ItemWithAddOn { gtin, add_on } => {
                Self { gtin: Some(gtin.to_14_digits()), ..Self::new("item") }.fact("add_on", add_on)
            }
            Scanned::Weighed(label) => Self::label(&label),
            Scanned::Gs1(read) => Self::gs1(&read, today),
            Scanned::Emv(code) => Self::emv(&code),
            Scanned::Token(token) => Self::token(&token),
            Scanned::Desk { host, desk } => Self::new("desk").fact("host", host).fact("desk", desk),
            Scanned::PayCode(code) => Self::pay_code(&code),
            Scanned::Ambiguous(Ambiguous::TwoItems { ean_8, upc_e }) => {
                let both = [ean_8, upc_e].map(|gtin| gtin.to_14_digits());
                Self { gtin: Some(both[0].clone()), ambiguous: both.to_vec(), ..Self::new("item") }
            }
            Scanned::Ambiguous(Ambiguous::PayCodeOrLabel { pay_code, label }) => {
                Self::pay_code_or_label(&pay_code, &label, awaiting)
            }
            Scanned::Text(text) => Self::new("text").fact("text", text),
            Scanned::Misread { text, why } => Self::error(&why).fact("text", text),
            Scanned::Garbage(why) => Self::error(&why),
        }
    }

    /// In an open basket it is a label and goes to no wallet; once the total is fixed it is neither, and somebody
    /// has to say which.
    fn pay_code_or_label(pay_code: &PayCode, label: &Label, awaiting: Awaiting) -> Self {
        let both = vec!["weighed".to_owned(), "pay_code".to_owned()];
        match awaiting {
            Awaiting::Goods => Self { ambiguous: both, ..Self::label(label) },
            Awaiting::Money => {
                let why = format!(
                    "this may be a pay code ({}) or a scale's label ({}): ask for a new code on the phone and scan that",
                    pay_code.wallet().word(),
                    label.profile,
                );
                Self { ambiguous: both, ..Self::error(&why) }
            }
        }
    }

    fn pay_code(code: &PayCode) -> Self {
        let scene = match code.scene() {
            super::Scene::BarCode => "bar_code",
            super::Scene::SecurityCode => "security_code",
        };
        Self { wallet: Some(code.wallet().word()), ..Self::new("pay_code") }.fact("scene", scene)
    }

    fn label(label: &Label) -> Self {
        let gtin = label.digits.parse::<super::Gtin>().ok().map(super::Gtin::to_14_digits);
        let report = Self { gtin, ..Self::new("weighed") }
            .fact("profile", label.profile.as_str())
            .fact("dept", label.prefix.as_str())
            .fact("plu", label.plu.as_str())
            .fact("item_ref", label.item_ref.as_str());
        let report = match label.weight {
            Some((value, decimals)) => report.fact("weight_kg", decimal(value, decimals)),
            None => report,
        };
        let report = match label.price {
            Some((value, decimals)) => report.priced(value, decimals),
            None => report,
        };
        match label.pieces {
            Some(pieces) => report.fact("count", pieces),
            None => report,
        }
    }

    fn priced(self, value: u64, decimals: u8) -> Self {
        let report = self.fact("price_minor_units", json!({ "value": value, "decimals": decimals }));
        if decimals == 2 { report.fact("amount_fen", value) } else { report }
    }

    fn gs1(read: &Gs1, today: Date) -> Self {
        let gtin = read.gtin().map(super::Gtin::to_14_digits);
        let holds = |ai: &str| read.get(ai).is_some();
        let is_measured = read.measure().is_some() || read.price().is_some();
        let kind = match gtin {
            Some(_) if is_measured => "weighed",
            Some(_) => "item",
            None if holds("255") || holds("8110") || holds("8112") => "coupon",
            None if holds("8018") => "member",
            None if holds("414") && holds("254") => "desk",
            None => "text",
        };
        let elements = read.elements().iter();
        let ais = elements.map(|element| [element.ai.to_string(), element.value.clone()]).collect();
        let mut report = Self { gtin, ais: Some(ais), ..Self::new(kind) };
        if let Some(measure) = read.measure() {
            let name = match measure.unit {
                crate::record::line::Unit::Kilogram => "net_weight_kg",
                crate::record::line::Unit::Litre => "net_volume_l",
                crate::record::line::Unit::Metre => "length_m",
                crate::record::line::Unit::Piece => "pieces",
            };
            report = report.fact(name, decimal(measure.value, measure.decimals));
        }
        if let Some(Amount { value, decimals, currency }) = read.price() {
            report = report.fact("price_minor_units", json!({ "value": value, "decimals": decimals }));
            if let Some(currency) = currency {
                report = report.fact("currency", format!("{currency:03}"));
            }
        }
        if let Some(expiry) = read.expiry(today) {
            let by = match expiry.by {
                ByWhen::UseBy => "use_by",
                ByWhen::SellBy => "sell_by",
                ByWhen::BestBefore => "best_before",
            };
            report = report.fact("expiry", expiry.date.to_string()).fact("expiry_kind", by);
            if let Some(time) = expiry.time {
                report = report.fact("expiry_time", format!("{:02}:{:02}", time.hour(), time.minute()));
            }
        }
        report.named(read)
    }

    /// What stands in a GS1 code as text: lot, serial, member, desk, coupon.
    fn named(mut self, read: &Gs1) -> Self {
        let names = [("10", "lot"), ("21", "serial"), ("8018", "member"), ("254", "desk"), ("414", "place")];
        for (ai, name) in names {
            if let Some(value) = read.get(ai) {
                self = self.fact(name, value);
            }
        }
        if let Some(count) = read.count() {
            self = self.fact("count", count);
        }
        if let Some((value, decimals)) = read.percent_off() {
            self = self.fact("percent_off", decimal(value, decimals));
        }
        if let Some((number, serial)) = read.get("255").and_then(|gcn| gcn.split_at_checked(13)) {
            let (prefix_ref, check) = number.split_at(12);
            self = self.fact("gcn", json!({ "prefix_ref": prefix_ref, "check": check, "serial": serial }));
        }
        self
    }

    fn token(token: &Token) -> Self {
        let report = Self::new(match token.kind() {
            Kind::Coupon => "coupon",
            Kind::Voucher => "voucher",
            Kind::Proof => "proof",
            Kind::Order => "order",
            Kind::Receipt | Kind::Number => "receipt",
            Kind::Member => "member",
        });
        if let Token::Number(number) = token { report.fact("number", number.to_string()) } else { report }
    }

    fn emv(code: &Emv) -> Self {
        let facts = match code {
            Emv::Merchant(code) => json!({
                "mode": "merchant",
                "tags": code.fields,
                "networks": code.networks(),
                "amount": code.get("54"),
                "currency": code.get("53"),
                "country": code.get("58"),
                "name": code.get("59"),
                "city": code.get("60"),
                "one_payment": code.is_for_one_payment(),
            }),
            Emv::Consumer(code) => json!({
                "mode": "consumer",
                "tags": tree(&code.fields),
                "application": code.application(),
                "scheme": code.scheme(),
            }),
        };
        Self::new("emv").fact("emv", facts)
    }
}

fn tree(fields: &[Node]) -> Value {
    let one = |node: &Node| match &node.value {
        EmvValue::Bytes(bytes) => json!([node.tag, crate::emv::hex(bytes)]),
        EmvValue::Fields(inner) => json!([node.tag, tree(inner)]),
    };
    fields.iter().map(one).collect()
}

/// Steps as a decimal number: 1250 with 3 is 1.250.
fn decimal(value: u64, decimals: u8) -> String {
    let places = usize::from(decimals);
    let digits = format!("{value:0width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

#[cfg(test)]
mod tests;
