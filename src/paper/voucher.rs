//! A value voucher as a picture: the shop, what it is worth, the code that a till scans, and until when.
//!
//! Not here: signing it (`cloud`), and files (`cli`).

use super::sheet::{Sheet, TALL_BOLD};
use super::words::Word;
use super::{Codes, Form, Lang, TypeSize, png};
use crate::money::Money;
use hardware::document::{Align, Style};
use hardware::profile::Profile;

/// What stands on it.
#[derive(Clone, Copy, Debug)]
pub struct VoucherSlip<'a> {
    /// The shop's name.
    pub shop: &'a str,
    /// What it is worth.
    pub value: Money,
    /// Its code.
    pub text: &'a str,
    /// The last day of its use.
    pub until: &'a str,
}

/// Paper that every till's printer could have made it on.
const PROFILE: &str = "generic-80mm";

/// Characters in a line of the picture: those of 80 mm paper.
const COLUMNS: u8 = 42;

/// Draws it in both languages.
pub fn voucher_png(slip: &VoucherSlip<'_>) -> Vec<u8> {
    let form = Form { lang: Lang::Both, size: TypeSize::Normal, columns: COLUMNS, codes: Codes::None };
    let mut sheet = Sheet::new(form, 0);
    let (lang, body) = (sheet.lang, sheet.body());
    sheet.text(slip.shop, Align::Centre, Style::TITLE);
    sheet.document.feed(1);
    sheet.text(&lang.means("voucher"), Align::Centre, TALL_BOLD);
    sheet.total(slip.value.currency.code(), &slip.value.decimal());
    sheet.document.feed(1);
    sheet.symbol(slip.text);
    sheet.document.feed(1);
    sheet.text(&format!("{} {}", lang.say(Word::GoodUntil), slip.until), Align::Centre, body);
    sheet.text(&lang.say(Word::OnceNoChange), Align::Centre, body);
    let profile = Profile::by_name(PROFILE).unwrap_or(&Profile::list()[0]);
    png(&sheet.document, profile, Lang::Both)
}
