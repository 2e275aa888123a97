//! The slip with a code that a phone scans to pay: the amount, the symbol, and until when.

use super::sheet::{Sheet, TALL_BOLD};
use super::words::Word;
use super::{Form, TypeSize};
use crate::receipt::CodeSlip;
use hardware::document::{Align, Cut, Document, Style};

/// Lays a slip out.
pub(super) fn code_slip(slip: &CodeSlip, form: Form) -> Document {
    let mut sheet = Sheet::new(form, 0);
    if !slip.shop.is_empty() {
        sheet.text(&slip.shop, Align::Centre, Style::TITLE);
        sheet.document.feed(1);
    }
    let (lang, body) = (sheet.lang, sheet.body());
    let scan = match slip.wallet {
        Some(wallet) => format!("{} ({})", lang.say(Word::ScanToPay), lang.means(wallet)),
        None => lang.say(Word::ScanToPay),
    };
    sheet.text(&scan, Align::Centre, TALL_BOLD);
    sheet
        .total(&format!("{} {}", lang.say(Word::ToPay), slip.amount.currency.code()), &slip.amount.decimal());
    sheet.document.feed(1);
    sheet.symbol(&slip.text);
    sheet.document.feed(1);
    sheet.text(&format!("{} {}", lang.say(Word::GoodUntil), slip.until), Align::Centre, body);
    let quiet = if form.size == TypeSize::Large { body } else { Style::PLAIN };
    sheet.text(&lang.say(Word::NotAReceipt), Align::Centre, quiet);
    sheet.document.cut(Cut::Partial);
    sheet.document
}
