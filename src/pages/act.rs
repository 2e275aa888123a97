//! From an act's name and a form's fields to the act itself. Nothing is decided here but spelling.

use super::answer::Sorry;
use super::fields::{Fields, bad_field};
use crate::counter::event::Act;
use crate::locales::Msg;
use crate::money::Currency;
use crate::record::body::TypeSize;
use crate::record::giving_back::{Finding, RefundEnd};
use crate::record::line::LineId;
use crate::record::money_moves::ProviderName;
use crate::sale::back::Wanted;
use crate::view::StationView;
use axum::http::StatusCode;

/// What was written for a person who pressed "I looked".
const LOOKED: &str = "looked";

/// Reads an act.
///
/// # Errors
/// A sentence on the field that is missing or wrong.
pub(super) fn read(
    name: &str,
    fields: &Fields,
    currency: Currency,
    here: &StationView,
) -> Result<Act, Sorry> {
    let reason = || fields.get("reason").unwrap_or("").to_owned();
    Ok(match name {
        "open-shift" => Act::OpenShift { float: fields.money("float", currency)? },
        "close-shift" => Act::CloseShift { counted: fields.money("counted", currency)? },
        "press-key" => Act::PressKey {
            sku: fields.need("sku")?.to_owned(),
            modifiers: fields.all("modifier"),
            price: fields.get("price").map(|_| fields.money("price", currency)).transpose()?,
            quantity: fields.get("quantity").map_or(Ok(1), |_| fields.steps("quantity", 0))?,
        },
        "type-code" => Act::TypeCode(fields.need("code")?.to_owned()),
        "set-quantity" => {
            let line = line(fields)?;
            Act::SetQuantity { line, value: fields.steps("quantity", decimals(here, line))? }
        }
        "void-line" => Act::VoidLine { line: line(fields)?, reason: fields.get("reason").map(str::to_owned) },
        "override-price" => {
            let price = fields.money("price", currency)?;
            Act::OverridePrice { line: line(fields)?, price, reason: reason() }
        }
        "return-coupon" => Act::ReturnCoupon { serial: fields.need("serial")?.to_owned() },
        "pay" => Act::Pay,
        "back" => Act::Back,
        "part" => {
            let amount = fields.get("amount").map(|_| fields.money("amount", currency)).transpose()?;
            Act::Part { amount }
        }
        "give-back" => {
            let returns_seen = fields.get("returns_seen").map_or(Ok(0), str::parse);
            Act::GiveBack {
                sale: fields.id("sale")?,
                returns_seen: returns_seen.map_err(|_| bad_field("returns_seen"))?,
                wanted: wanted(fields, currency)?,
                reason: reason(),
            }
        }
        "give-back-without-receipt" => {
            Act::GiveBackWithoutReceipt { amount: fields.money("amount", currency)?, reason: reason() }
        }
        "retry-refund" => Act::RetryRefund { refund: fields.id("refund")? },
        "settle-refund" => {
            let end = match fields.need("end")? {
                "cash" => RefundEnd::Cash,
                "otherwise" => RefundEnd::Otherwise,
                _ => return Err(bad_field("end")),
            };
            Act::SettleRefund { refund: fields.id("refund")?, end, reason: reason() }
        }
        "resolve-payment" => {
            let finding = match fields.need("finding")? {
                "not_charged" => Finding::NotCharged,
                "given_back_by_hand" => Finding::GivenBackByHand,
                _ => return Err(bad_field("finding")),
            };
            Act::ResolvePayment { intent: fields.id("intent")?, finding, reason: reason() }
        }
        "adopt-epoch" => Act::AdoptEpoch { reason: reason() },
        "acknowledge-frozen" => Act::AcknowledgeFrozen { sale: fields.id("sale")?, reason: reason() },
        "see-note" => Act::SeeNote { sale: fields.id("sale")? },
        "show-code" => {
            let at = fields.get("at").map(|at| wallet(at).ok_or_else(|| bad_field("at"))).transpose()?;
            Act::ShowCode { at }
        }
        "print-code" => Act::PrintCode { intent: fields.id("intent")? },
        "type-proof" => {
            Act::TypeProof { intent: fields.id("intent")?, digits: fields.need("digits")?.to_owned() }
        }
        "stored-value" => Act::StoredValue,
        "cash" => Act::Cash { received: fields.money("received", currency)? },
        "cancel-payment" => Act::CancelPayment { intent: fields.id("intent")? },
        "hold" => Act::Hold,
        "recall" => Act::Recall { sale: fields.id("sale")? },
        "put-on-desk" => Act::PutOnDesk { desk: fields.id("desk")? },
        "take-desk" => Act::TakeDesk { desk: fields.id("desk")? },
        "void-sale" => Act::VoidSale { reason: reason() },
        "no-sale" => Act::NoSale { reason: reason() },
        "type-size" => {
            fields.need("size")?;
            Act::ChooseTypeSize { size: size(fields)? }
        }
        "reprint" => Act::Reprint { sale: fields.id("sale")?, size: size(fields)? },
        "settle" => Act::Settle { job: fields.id("job")?, words: settled(fields) },
        _ => return Err(Sorry::of(StatusCode::NOT_FOUND, "no_such_act", Msg::UnknownAct)),
    })
}

/// What goes back: `of` says whether `whole`, an `amount`, or `lines`, each in a field `line-NUMBER-DECIMALS`.
fn wanted(fields: &Fields, currency: Currency) -> Result<Wanted, Sorry> {
    match fields.need("of")? {
        "whole" => Ok(Wanted::Whole),
        "amount" => Ok(Wanted::Amount(fields.money("amount", currency)?)),
        "lines" => {
            let mut lines = Vec::new();
            for (name, value) in &fields.0 {
                let Some((line, decimals)) = name.strip_prefix("line-").and_then(|id| id.split_once('-'))
                else {
                    continue;
                };
                if matches!(value.trim(), "" | "0") {
                    continue;
                }
                let line = line.parse().map(LineId).map_err(|_| bad_field(name))?;
                let decimals = decimals.parse::<usize>().ok().filter(|decimals| *decimals <= 3);
                lines.push((line, fields.steps(name, decimals.ok_or_else(|| bad_field(name))?)?));
            }
            Ok(Wanted::Lines(lines))
        }
        _ => Err(bad_field("of")),
    }
}

fn wallet(word: &str) -> Option<ProviderName> {
    [ProviderName::Alipay, ProviderName::Wechat].into_iter().find(|wallet| wallet.word() == word)
}

/// How large: `large`, or `normal` where nothing is said.
fn size(fields: &Fields) -> Result<TypeSize, Sorry> {
    match fields.get("size") {
        None | Some("normal") => Ok(TypeSize::Normal),
        Some("large") => Ok(TypeSize::Large),
        Some(_) => Err(bad_field("size")),
    }
}

fn line(fields: &Fields) -> Result<LineId, Sorry> {
    fields.need("line")?.parse().map(LineId).map_err(|_| bad_field("line"))
}

/// Decimal places in which the line on the screen is counted.
fn decimals(here: &StationView, line: LineId) -> usize {
    let lines = here.sale.iter().flat_map(|sale| &sale.lines);
    let quantity = lines.filter(|shown| shown.id == line).map(|shown| &shown.quantity).next();
    quantity.and_then(|quantity| quantity.split_once('.')).map_or(0, |(_, fraction)| fraction.len())
}

/// The record says it in English, whatever the page speaks.
fn settled(fields: &Fields) -> String {
    match fields.get("words") {
        None | Some(LOOKED) => "A person looked at it.".to_owned(),
        Some(words) => words.to_owned(),
    }
}
