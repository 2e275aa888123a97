//! The checklist after an outage on receipt paper: boxes to tick off, and what needs a decision, with room for a word.
//!
//! Not here: its questions and answers (`queue::checklist`).

use super::sheet::{Sheet, TALL_BOLD};
use super::{Form, Lang};
use crate::locales;
use crate::money::Money;
use crate::queue::checklist::{Answer, Checklist};
use crate::queue::words;
use hardware::document::{Align, Cut, Document, Style};

/// Lays the list out.
pub(super) fn checklist(list: &Checklist, form: Form) -> Document {
    let mut sheet = Sheet::new(form, 0);
    let say = |en: &str, zh: &str| match form.lang {
        Lang::En => en.to_owned(),
        Lang::ZhHans => zh.to_owned(),
        Lang::Both => format!("{zh} {en}"),
    };
    sheet.text(&list.shop, Align::Centre, TALL_BOLD);
    sheet.text(&say("After an outage", "恢复后核对清单"), Align::Centre, Style::PLAIN);
    sheet.ends(list.terminal.as_str(), &list.at, Style::PLAIN);
    sheet.document.feed(1);
    let langs = languages(form.lang);
    for check in &list.checks {
        let mark = match check.answer() {
            Answer::Yes => "[x]",
            Answer::Wait => "[ ]",
            Answer::No => "[!]",
        };
        for (at, lang) in langs.iter().enumerate() {
            let words = check.words(*lang, Money::to_string);
            let mark = if at == 0 { mark } else { "   " };
            sheet.text(&format!("{mark} {words}"), Align::Left, Style::PLAIN);
        }
    }
    if !list.needing.is_empty() {
        sheet.document.feed(1);
        sheet.text(&say("Decide about each:", "请逐项处理："), Align::Left, TALL_BOLD);
    }
    for item in &list.needing {
        for lang in langs {
            sheet.text(&Checklist::line(item, *lang, Money::to_string), Align::Left, Style::PLAIN);
        }
        let code = item.code.as_deref().unwrap_or("");
        for lang in langs {
            sheet.text(&format!("> {}", words::advice(code, *lang)), Align::Left, Style::PLAIN);
        }
        sheet.document.feed(1);
    }
    sheet.document.feed(1);
    sheet.ends(&say("Checked by", "核对人"), "____________", Style::PLAIN);
    sheet.document.feed(1).cut(Cut::Partial);
    sheet.document
}

/// The languages of screens that a language of paper is.
fn languages(lang: Lang) -> &'static [locales::Lang] {
    match lang {
        Lang::En => &[locales::Lang::En],
        Lang::ZhHans => &[locales::Lang::ZhHans],
        Lang::Both => &[locales::Lang::ZhHans, locales::Lang::En],
    }
}
