//! Packs that say more than which item they are: weighed at a counter scale, or with GS1 data on them. What they
//! add to the basket, and when they are refused.
//!
//! Not here: reading the code (`scan`), and scans and keys that name an item only (`basket`).

use super::basket::Sold;
use super::recorder::Recorder;
use super::{Refusal, Till};
use crate::catalogue::Item;
use crate::emv::Emv;
use crate::money::Money;
use crate::record::ids::StationId;
use crate::record::line::{PriceFrom, Quantity, Unit};
use crate::scan::gs1::{Amount, ByWhen, Expiry, Measure};
use crate::scan::{Gs1, Gtin, Label, PayCode};
use jiff::Timestamp;
use jiff::civil::DateTime;

/// Decimal places of a weight in a sale: grams.
const WEIGHT_DECIMALS: u8 = 3;

impl Till {
    /// The item of a scale's label: by its own number, else by the number that it has on the scale.
    fn item_of<'a>(&self, label: &Label, out: &Recorder<'a>) -> Option<&'a Item> {
        let catalogue = &out.cx.bundle.catalogue;
        let by_gtin = label.item_gtin().and_then(|gtin| catalogue.by_gtin(&gtin.to_14_digits()));
        let by_plu = || catalogue.item(&label.plu);
        by_gtin.or_else(by_plu).or_else(|| catalogue.item(label.plu.trim_start_matches('0')))
    }

    pub(super) fn scan_label(
        &self,
        station: &StationId,
        label: &Label,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        // A number that stands in the catalogue as it is means that item, whatever a profile makes of it.
        if let Ok(gtin) = label.digits.parse::<Gtin>()
            && out.cx.bundle.catalogue.by_gtin(&gtin.to_14_digits()).is_some()
        {
            return self.scan_item(station, gtin, out);
        }
        let item = self.item_of(label, out).ok_or_else(|| Refusal::UnknownItem(label.plu.clone()))?;
        let pack = Pack {
            measure: label.weight.map(|(value, decimals)| Measure { value, decimals, unit: Unit::Kilogram }),
            price: label.price.map(|(value, decimals)| Amount { value, decimals, currency: None }),
            pieces: label.pieces,
        };
        let gtin = label.digits.parse::<Gtin>().ok().map(Gtin::to_14_digits);
        let sold = Sold { gtin, ..self.pack(item, &pack)? };
        self.push_line(station, item, sold, out)
    }

    /// Digits that are a label as well as a pay code. In an open basket they go to no wallet, and once the total is
    /// fixed they add no line.
    pub(super) fn scan_label_or_pay_code(
        &self,
        station: &StationId,
        label: &Label,
        pay_code: &PayCode,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let is_fixed = self.front(station).is_some_and(|sale| sale.fixed.is_some());
        // A label of something that is not sold here is none of this shop's.
        match (is_fixed, self.item_of(label, out)) {
            (true, None) => self.pay_by_code(station, pay_code, out),
            (true, Some(item)) => Err(Refusal::Scan(format!(
                "This may be a pay code or a label of {}. Ask for a new code on the phone and scan that, or press Back to sell the item.",
                item.name
            ))),
            (false, Some(_)) => self.scan_label(station, label, out),
            (false, None) => Err(Refusal::Scan(
                "This may be a scale label or a pay code. For a pay code press Pay first; for an item press its menu key."
                    .to_owned(),
            )),
        }
    }

    pub(super) fn scan_gs1(
        &self,
        station: &StationId,
        read: &Gs1,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let no = |words: &str| Err(Refusal::Scan(words.to_owned()));
        let holds = |ai: &str| read.get(ai).is_some();
        let Some(gtin) = read.gtin() else {
            return match read.get("254") {
                Some(desk) if holds("414") => self.scan_desk(station, &desk.to_ascii_lowercase(), out),
                _ if holds("255") || holds("8110") || holds("8112") => {
                    no("This is a maker's coupon, which the till does not take. Ask for one of the shop's.")
                }
                _ if holds("8018") => {
                    no("This is a member number that the till does not know. Ask for the shop's code.")
                }
                _ => no("This code names nothing that is sold. Scan the item's EAN code."),
            };
        };
        if read.is_of_a_case() {
            return no(
                "This is the label of a case or a pallet. Scan an item inside, or press its menu key.",
            );
        }
        let (today, now) = business_time(out);
        let expiry = read.expiry(today);
        if let Some(expiry) = expiry.filter(|expiry| expiry.is_past(today, now)) {
            return Err(Refusal::Expired(passed(&expiry)));
        }
        let digits = gtin.to_14_digits();
        let item = out.cx.bundle.catalogue.by_gtin(&digits);
        let item = item.ok_or_else(|| Refusal::UnknownItem(gtin.to_string()))?;
        let pack = Pack { measure: read.measure(), price: read.price(), pieces: read.count() };
        let sold = Sold {
            gtin: Some(digits),
            lot: read.lot().map(str::to_owned),
            serial: read.serial().map(str::to_owned),
            expiry: expiry.map(|expiry| expiry.date.to_string()),
            ..self.pack(item, &pack)?
        };
        self.push_line(station, item, sold, out)
    }

    /// How a pack is charged: by the price on it, else by its weight, else by the piece.
    fn pack(&self, item: &Item, pack: &Pack) -> Result<Sold, Refusal> {
        if let Some(amount) = pack.price {
            let price = self.amount(amount)?;
            super::acts::sensible(price)?;
            let net = match pack.measure {
                Some(measure) => Some(quantity(measure)?),
                None => net_of(item, price),
            };
            let sold = Sold::of(Quantity::pieces(1), price, PriceFrom::Label);
            return Ok(Sold { net, listed: item.price.filter(|_| item.unit == Unit::Piece), ..sold });
        }
        let wanted = match (pack.measure, pack.pieces) {
            (Some(measure), _) => quantity(measure)?,
            (None, Some(pieces)) => Quantity::pieces(i64::try_from(pieces).map_err(|_| Refusal::Quantity)?),
            (None, None) if item.unit == Unit::Piece => Quantity::pieces(1),
            (None, None) => Quantity { value: 1000, decimals: WEIGHT_DECIMALS, unit: item.unit },
        };
        if wanted.unit != item.unit {
            // A pack of fixed price may well say what it weighs.
            if item.unit == Unit::Piece {
                let (price, price_from) = self.base_price(item, None)?;
                let sold = Sold::of(Quantity::pieces(1), price, price_from);
                return Ok(Sold { net: Some(wanted), listed: item.price, ..sold });
            }
            return Err(Refusal::Key(format!(
                "{} is sold in another unit than this label says. Press its menu key.",
                item.name
            )));
        }
        let (price, price_from) = self.base_price(item, None)?;
        Ok(Sold { listed: item.price, ..Sold::of(wanted, price, price_from) })
    }

    /// An amount on a label as the till's money.
    fn amount(&self, amount: Amount) -> Result<Money, Refusal> {
        if amount.currency.is_some_and(|currency| currency != self.currency.number()) {
            return Err(Refusal::Amount("The price on this label is in another currency.".to_owned()));
        }
        let no = || Refusal::Amount("The price on this label cannot be paid in whole coins.".to_owned());
        let value = i64::try_from(amount.value).map_err(|_| no())?;
        let power = |places: u8| 10_i64.checked_pow(u32::from(places)).ok_or_else(no);
        let exponent = self.currency.exponent();
        let minor = match exponent.checked_sub(amount.decimals) {
            Some(missing) => value.checked_mul(power(missing)?).ok_or_else(no)?,
            None => {
                let divisor = power(amount.decimals - exponent)?;
                (value % divisor == 0).then_some(value / divisor).ok_or_else(no)?
            }
        };
        Ok(Money::new(minor, self.currency))
    }

    /// A card scheme's payment code: the till has no acquirer to send it to.
    pub(super) fn refuse_emv(code: &Emv) -> Refusal {
        Refusal::Scan(
            match code {
                Emv::Consumer(_) => {
                    "This is a card scheme's payment code, which this shop does not take. Ask for another way to pay."
                }
                Emv::Merchant(_) => {
                    "This is a shop's payment code, for a phone to scan. Ask for the code on the customer's phone."
                }
            }
            .to_owned(),
        )
    }
}

/// What a pack says about how it is charged.
struct Pack {
    measure: Option<Measure>,
    price: Option<Amount>,
    pieces: Option<u64>,
}

/// A measure as a quantity with three decimal places, rounded to the nearest.
fn quantity(measure: Measure) -> Result<Quantity, Refusal> {
    let value = i64::try_from(measure.value).map_err(|_| Refusal::Quantity)?;
    let value = match WEIGHT_DECIMALS.checked_sub(measure.decimals) {
        Some(missing) => value.checked_mul(10_i64.pow(u32::from(missing))).ok_or(Refusal::Quantity)?,
        None => {
            let divisor = 10_i64.pow(u32::from(measure.decimals - WEIGHT_DECIMALS));
            (value + divisor / 2) / divisor
        }
    };
    let quantity = Quantity { value, decimals: WEIGHT_DECIMALS, unit: measure.unit };
    if quantity.is_sensible() { Ok(quantity) } else { Err(Refusal::Quantity) }
}

/// What a pack weighs by its price and the price of a kilogram, to the nearest gram.
fn net_of(item: &Item, price: Money) -> Option<Quantity> {
    let unit_price = item.price.filter(|price| price.is_positive() && item.unit != Unit::Piece)?;
    let steps = price.minor.checked_mul(1000)?.checked_add(unit_price.minor / 2)?;
    let quantity = Quantity { value: steps / unit_price.minor, decimals: WEIGHT_DECIMALS, unit: item.unit };
    quantity.is_sensible().then_some(quantity)
}

/// The shop's business day and its time of day.
fn business_time(out: &Recorder<'_>) -> (jiff::civil::Date, DateTime) {
    let bundle = out.cx.bundle;
    let now = out.reckoned();
    let at = Timestamp::from_millisecond(now.corrected_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    let today = now.business_date(&bundle.zone, bundle.content.day_cut_minutes);
    (today, bundle.zone.to_datetime(at))
}

fn passed(expiry: &Expiry) -> String {
    let by = match expiry.by {
        ByWhen::UseBy => "Use by",
        ByWhen::SellBy => "Sell by",
        ByWhen::BestBefore => "Best before",
    };
    let time =
        expiry.time.map(|time| format!(" {:02}:{:02}", time.hour(), time.minute())).unwrap_or_default();
    format!("{by} {}{time} has passed: do not sell this pack. Take it off the shelf.", expiry.date)
}
