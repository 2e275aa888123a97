//! How a page says things: texts, amounts, times and names in its language.

use crate::locales::{self, Lang, Msg};
use crate::money::Money;
use crate::queue::{Case, words};
use crate::staff::Role;
use crate::view::{Attention, LineState, SaleView, View};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Display;

/// The sign before a negative amount (U+2212).
const MINUS: &str = "\u{2212}";

/// A page's language and zone.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    pub(super) lang: Lang,
    zone: TimeZone,
    now_ms: i64,
}

impl Voice {
    pub(super) fn new(lang: Lang, zone: TimeZone, now_ms: i64) -> Self {
        Self { lang, zone, now_ms }
    }

    /// For pages without times.
    pub(super) fn plain(lang: Lang) -> Self {
        Self::new(lang, TimeZone::UTC, 0)
    }

    pub(super) fn tag(&self) -> &'static str {
        self.lang.tag()
    }

    pub(super) fn is_chinese(&self) -> bool {
        self.lang == Lang::ZhHans
    }

    pub(super) fn say(&self, msg: Msg) -> &'static str {
        msg.text(self.lang)
    }

    pub(super) fn with(&self, msg: Msg, value: impl Display) -> String {
        msg.with(self.lang, &[&value.to_string()])
    }

    pub(super) fn with2(&self, msg: Msg, first: impl Display, second: impl Display) -> String {
        msg.with(self.lang, &[&first.to_string(), &second.to_string()])
    }

    /// An amount as customers read it: `¥12.80`.
    pub(super) fn money(&self, money: &Money) -> String {
        let digits = money.decimal();
        let (minus, digits) = digits.strip_prefix('-').map_or(("", &*digits), |rest| (MINUS, rest));
        format!("{minus}{}{digits}", money.currency.sign())
    }

    /// The shop's name; the till's before the shop is known.
    pub(super) fn shop<'a>(&self, view: &'a View) -> &'a str {
        if view.shop.is_empty() { view.terminal.as_str() } else { &view.shop }
    }

    /// The name in the page's language, where there is one.
    pub(super) fn name<'a>(&self, name: &'a str, name_zh: &'a Option<String>) -> &'a str {
        match (self.lang, name_zh) {
            (Lang::ZhHans, Some(zh)) => zh,
            (Lang::ZhHans, None) | (Lang::En, _) => name,
        }
    }

    /// The shop's local time; with the date where it is not today.
    pub(super) fn time(&self, at_ms: &i64) -> String {
        let local = |ms: i64| {
            let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
            self.zone.to_datetime(at)
        };
        let (at, now) = (local(*at_ms), local(self.now_ms));
        let format = if at.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
        at.strftime(format).to_string()
    }

    /// A length of time as people say it: `3 min`.
    pub(super) fn age(&self, ms: i64) -> String {
        let seconds = ms.max(0) / 1000;
        match seconds {
            0..60 => self.with(Msg::AgoSeconds, seconds),
            60..3600 => self.with(Msg::AgoMinutes, seconds / 60),
            3600..172_800 => self.with(Msg::AgoHours, seconds / 3600),
            _ => self.with(Msg::AgoDays, seconds / 86_400),
        }
    }

    /// Room on a disk, rounded down: `1.4 GiB`, `512 MiB`.
    pub(super) fn bytes(&self, bytes: u64) -> String {
        const MIB: u64 = 1 << 20;
        let mib = bytes / MIB;
        match mib {
            0..1024 => format!("{mib} MiB"),
            1024..10_240 => format!("{}.{} GiB", mib / 1024, mib % 1024 * 10 / 1024),
            _ => format!("{} GiB", mib / 1024),
        }
    }

    /// The time of this drawing, in Unix milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// How long ago that was, in milliseconds.
    pub(super) fn since(&self, at_ms: i64) -> i64 {
        self.now_ms.saturating_sub(at_ms)
    }

    pub(super) fn role(&self, role: &Role) -> &'static str {
        match role {
            Role::Cashier => self.say(Msg::Cashier),
            Role::Manager => self.say(Msg::Manager),
        }
    }

    pub(super) fn kind(&self, kind: &str) -> &'static str {
        locales::kind(kind, self.lang)
    }

    pub(super) fn attention(&self, code: &str) -> &'static str {
        locales::attention(code, self.lang)
    }

    /// What needs a person, a sentence: in the page's language where the till's own words have one.
    pub(super) fn attends(&self, view: &View, item: &Attention) -> String {
        let of_verdict = |case: &Case| case.sale == item.sale && case.words == item.words;
        match item.code {
            "verdict_refused" => {
                let case = view.cases.needing_a_person().find(|(_, case)| of_verdict(case));
                let why = case.map(|(_, case)| words::why(&case.code, &case.words, self.lang));
                why.unwrap_or_else(|| item.words.clone())
            }
            "new_books" => locales::told("cash_only", &item.words, self.lang),
            "sale_frozen" => locales::told("frozen", &item.words, self.lang),
            _ => self.device(&item.words),
        }
    }

    /// What a device asks for.
    pub(super) fn device(&self, words: &str) -> String {
        locales::device(words, self.lang)
    }

    /// How a receipt's paper stands, by the view's stable word.
    pub(super) fn paper(&self, word: &str) -> &'static str {
        self.say(match word {
            "printed" => Msg::PaperPrinted,
            "waiting" => Msg::PaperWaiting,
            "printing" => Msg::PaperPrinting,
            "unconfirmed" => Msg::PaperUnsure,
            "failed" => Msg::PaperFailed,
            _ => Msg::PaperNone,
        })
    }

    /// Whether printing again helps with what needs a person.
    pub(super) fn reprints(&self, code: &str) -> bool {
        matches!(code, "paper_unconfirmed" | "paper_failed")
    }

    /// Whether a button on the cashier's page settles what needs a person.
    pub(super) fn is_for_counter(&self, code: &str) -> bool {
        const THERE: [&str; 6] = [
            "paper_unconfirmed",
            "paper_failed",
            "drawer_unconfirmed",
            "payment_unsure",
            "refund_refused",
            "sale_frozen",
        ];
        THERE.contains(&code)
    }

    /// What the button says that settles it.
    pub(super) fn settle(&self, code: &str) -> &'static str {
        self.say(if code == "drawer_unconfirmed" { Msg::SettleDrawer } else { Msg::SettlePaper })
    }

    /// A wallet's name as people know it.
    pub(super) fn wallet(&self, word: &str) -> String {
        let (en, zh) = match word {
            "alipay" => ("Alipay", "支付宝"),
            "wechat" => ("WeChat Pay", "微信支付"),
            "house" => ("Stored value", "储值"),
            "voucher" => ("Voucher", "代金券"),
            "phone" => ("Phone", "手机支付"),
            other => (other, other),
        };
        if self.is_chinese() { zh.to_owned() } else { en.to_owned() }
    }

    /// How a part was paid, by the view's stable word.
    pub(super) fn tender(&self, word: &str) -> String {
        if word == "cash" { self.say(Msg::Cash).to_owned() } else { self.wallet(word) }
    }

    /// What is good to know, by its stable code.
    pub(super) fn notice(&self, code: &str) -> &'static str {
        self.say(match code {
            "parked_paid" => Msg::NoteParkedPaid,
            "parked_in_part" => Msg::NoteParkedInPart,
            "parked_unpaid" => Msg::NoteParkedUnpaid,
            "late_money" => Msg::NoteLate,
            _ => Msg::NoteGoingBack,
        })
    }

    /// What a held sale is known by: its first line.
    pub(super) fn first_line(&self, sale: &SaleView) -> String {
        let sold: Vec<_> = sale.lines.iter().filter(|line| line.state == LineState::Sold).collect();
        match sold.split_first() {
            Some((first, [])) => self.name(&first.name, &first.name_zh).to_owned(),
            Some((first, rest)) => format!("{} +{}", self.name(&first.name, &first.name_zh), rest.len()),
            None => "—".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn amounts_carry_the_sign_that_a_customer_knows() {
        let voice = Voice::plain(Lang::En);
        assert_eq!(voice.money(&Money::new(1280, Currency::CNY)), "¥12.80");
        assert_eq!(voice.money(&Money::new(-5, Currency::CNY)), "\u{2212}¥0.05");
        assert_eq!(voice.money(&Money::new(7, Currency::JPY)), "¥7");
    }

    #[test]
    fn times_are_the_shops_and_carry_the_date_when_it_is_another_day() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let now: Timestamp = "2026-11-22T12:51:00+08:00".parse().unwrap();
        let voice = Voice::new(Lang::En, zone, now.as_millisecond());
        assert_eq!(voice.time(&now.as_millisecond()), "12:51:00");
        assert_eq!(voice.time(&(now.as_millisecond() - 86_400_000)), "2026-11-21 12:51");
        assert_eq!(voice.age(59_999), "59 s");
        assert_eq!(voice.age(7_200_000), "2 h");
    }
}
