//! The checklist after an outage on receipt paper: boxes to tick off, and what needs a decision, with room for a word.
//!
//! Not here: its questions and answers (`queue::checklist`).

use super::sheet::{Sheet, TALL_BOLD};
use super::wrap::wrap;
use super::{Form, Lang};
use crate::locales;
use crate::money::Money;
use crate::queue::checklist::{Answer, Checklist};
use crate::queue::words;
use hardware::document::{Align, Cut, Document, Line, Style};

/// Lays the list out.
pub(super) fn checklist(list: &Checklist, form: Form) -> Document {
    let mut sheet = Sheet::new(form, 0);
    let say = |en: &str, zh: &str| match form.lang {
        Lang::En => en.to_owned(),
        Lang::ZhHans => zh.to_owned(),
        Lang::Both => format!("{zh} {en}"),
    };
    sheet.text(&list.shop, Align::Centre, TALL_BOLD);
    sheet.text(&say("Checklist after an outage", "恢复后核对清单"), Align::Centre, Style::PLAIN);
    sheet.ends(list.terminal.as_str(), &list.at, Style::PLAIN);
    sheet.text(
        &say(&format!("Books {}", list.epoch), &format!("账本 {}", list.epoch)),
        Align::Left,
        Style::PLAIN,
    );
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
            hang(&mut sheet, if at == 0 { mark } else { "" }, &words);
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
    if !list.held.is_empty() {
        sheet.document.feed(1);
        sheet.text(
            &say("Held. Release or resolve each:", "已暂缓，请逐项放行或处理："),
            Align::Left,
            TALL_BOLD,
        );
    }
    for item in &list.held {
        for lang in langs {
            sheet.text(&Checklist::line(item, *lang, Money::to_string), Align::Left, Style::PLAIN);
        }
        if let Some(act) = item.held_by() {
            sheet.text(&format!("> {}", act.words), Align::Left, Style::PLAIN);
        }
    }
    sheet.document.feed(1);
    sheet.ends(&say("Checked by", "核对人"), "____________", Style::PLAIN);
    sheet.document.feed(1).cut(Cut::Partial);
    sheet.document
}

/// A mark, and words set in behind it.
fn hang(sheet: &mut Sheet, mark: &str, words: &str) {
    const IN: usize = 4;
    for (at, piece) in wrap(words, usize::from(sheet.columns) - IN).into_iter().enumerate() {
        let mark = if at == 0 { mark } else { "" };
        sheet.document.line(Line::left(format!("{mark:<IN$}{piece}")));
    }
}

/// The languages of screens that a language of paper is.
fn languages(lang: Lang) -> &'static [locales::Lang] {
    match lang {
        Lang::En => &[locales::Lang::En],
        Lang::ZhHans => &[locales::Lang::ZhHans],
        Lang::Both => &[locales::Lang::ZhHans, locales::Lang::En],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use crate::paper::{Codes, TypeSize, text};
    use crate::queue::checklist::{Check, Same};
    use crate::queue::{Acted, Item, ItemKind, State, Step};
    use crate::record::queue_act::QueueAct;
    use crate::record::{Epoch, Mode};

    fn list() -> Checklist {
        let words = "Coupon already used at till-3, 10:42 on 2026-11-22.".to_owned();
        let code = "coupon_already_used".to_owned();
        let item = Item {
            epoch: Epoch(7),
            seq: 41,
            kind: ItemKind::Coupon,
            record_kind: "coupon_redeemed".to_owned(),
            at_ms: 0,
            corrected_ms: 0,
            amount: Some(Money::new(300, Currency::CNY)),
            receipt: None,
            serial: None,
            sale: None,
            station: None,
            staff: None,
            mode: Mode::Live,
            state: State::Refused { code: code.clone(), words: words.clone() },
            code: Some(code),
            why: Some(words),
            tries: None,
            received_ms: None,
            acts: Vec::new(),
        };
        let acted = Acted {
            epoch: Epoch(7),
            seq: 50,
            at_ms: 0,
            by: None,
            act: QueueAct::Hold,
            words: "the customer comes back".to_owned(),
            before: Step::Accepted,
        };
        let (kind, state, acts) = (ItemKind::Voucher, State::Held, vec![acted]);
        let held = Item { seq: 44, kind, state, code: None, why: None, acts, ..item.clone() };
        let worth = Some(Money::new(123_400, Currency::CNY));
        Checklist {
            shop: "Corner Shop".to_owned(),
            terminal: "till-1".parse().unwrap(),
            epoch: Epoch(7),
            at: "2026-11-22 21:05".to_owned(),
            checks: vec![
                Check::AllReceived { received: 412, recorded: 420 },
                Check::AllRuled { ruled: 420, recorded: 420 },
                Check::SumsAgree { same: Same::Yes, from: 1, until: 412, worth },
                Check::NothingRefused { count: 1 },
                Check::PapersConfirmed { open: 0 },
            ],
            needing: vec![item],
            held: vec![held],
        }
    }

    #[test]
    fn the_list_says_what_is_done_and_what_is_not_on_narrow_and_on_wide_paper() {
        for (lang, columns) in [(Lang::En, 32), (Lang::ZhHans, 32), (Lang::Both, 48)] {
            let form = Form { lang, size: TypeSize::Normal, columns, codes: Codes::None };
            let paper = text(&checklist(&list(), form), columns);
            println!("{paper}");
            let flat: String = paper.split_whitespace().collect::<Vec<_>>().join(" ");
            for (words, spoken) in [
                ("[ ]", true),
                ("[!]", true),
                ("Head office has received 412 of 420 records.", lang != Lang::ZhHans),
                ("[x] 总部已审核全部 420 条记录", lang != Lang::En),
                ("CNY 1234.00", true),
                ("coupon already used at till-3", lang != Lang::ZhHans),
                ("Write it off", lang != Lang::ZhHans),
                ("Books 0000000000000007", lang != Lang::ZhHans),
                ("账本 0000000000000007", lang != Lang::En),
                ("Release or resolve each:", lang != Lang::ZhHans),
                ("Voucher CNY 3.00 — held", lang != Lang::ZhHans),
                ("> the customer comes back", true),
            ] {
                assert_eq!(flat.contains(words), spoken, "{words} in:\n{paper}");
            }
            let boxes =
                paper.lines().skip_while(|line| !line.starts_with('[')).take_while(|line| !line.is_empty());
            assert!(boxes.clone().count() > 5);
            for line in boxes {
                assert!(
                    line.starts_with('[') || line.starts_with("    "),
                    "behind the box: {line:?} in:\n{paper}"
                );
            }
        }
    }
}
