//! States, kinds, acts and reasons as a person says them, in both languages.
//!
//! A reason is said with what to do about it, and never as a number of a protocol. Not here: the table of reasons
//! (`reasons`), labels of the page (`locales`).

mod reasons;

use super::{FilterError, Item, ItemKind, Standing, State};
use crate::locales::Lang;
use crate::record::queue_act::{QueueAct, Resolution};

/// The one of two texts that is in a language.
fn of(lang: Lang, en: &'static str, zh: &'static str) -> &'static str {
    match lang {
        Lang::En => en,
        Lang::ZhHans => zh,
    }
}

/// A state in a few words.
pub fn standing(standing: Standing, lang: Lang) -> &'static str {
    match standing {
        Standing::Recorded => of(lang, "not sent yet", "尚未上传"),
        Standing::Sent => of(lang, "sent, not confirmed yet", "已发出，未确认"),
        Standing::Received => of(lang, "received by head office", "总部已接收"),
        Standing::Settled => of(lang, "settled", "已入账"),
        Standing::Refused => of(lang, "refused", "被拒绝"),
        Standing::Expired => of(lang, "expired", "已过期"),
        Standing::Held => of(lang, "held", "已暂缓"),
        Standing::Parked => of(lang, "parked, cannot be read", "已搁置，无法读取"),
        Standing::Resolved => of(lang, "resolved", "已处理"),
    }
}

/// A state in one sentence: what it means for the shop.
pub fn meaning(standing: Standing, lang: Lang) -> &'static str {
    match standing {
        Standing::Recorded => of(
            lang,
            "Safe on this till's disk. It is sent as soon as head office answers.",
            "已安全保存在本机，总部恢复连接后自动上传。",
        ),
        Standing::Sent => of(
            lang,
            "It left this till, and head office has not confirmed it yet. It is sent again by itself and counts once.",
            "已从本机发出，总部尚未确认。会自动重发，只计一次。",
        ),
        Standing::Received => {
            of(lang, "Head office has it and has yet to rule on it.", "总部已收到，尚待审核。")
        }
        Standing::Settled => of(
            lang,
            "Head office has it, and it stands. Nothing is left to do.",
            "总部已审核入账，无需处理。",
        ),
        Standing::Refused => of(
            lang,
            "Head office has it safely and does not let it count. Decide what to do.",
            "总部已收到，但不予入账，请处理。",
        ),
        Standing::Expired => of(
            lang,
            "It was past its date when it was used. Decide who bears it.",
            "使用时已过有效期，请决定由谁承担。",
        ),
        Standing::Held => of(
            lang,
            "A manager holds it. Head office receives it and gives it no effect until it is released.",
            "店长已暂缓。总部会收到但不生效，直到放行。",
        ),
        Standing::Parked => of(
            lang,
            "It is kept exactly as it is, and nobody can read it yet. Nothing behind it waits.",
            "已原样保存，目前无法读取，不影响其他记录。",
        ),
        Standing::Resolved => of(lang, "A manager has dealt with it.", "店长已处理。"),
    }
}

/// Where an item stands, with why: `refused: coupon already used at till-3, 10:42`.
pub fn state(item: &Item, lang: Lang) -> String {
    let name = standing(item.state.standing(), lang);
    let why = match &item.state {
        State::Refused { .. } | State::Expired | State::Parked => reason(item, lang),
        State::Resolved { how } => Some(resolution(*how, lang).to_owned()),
        State::Recorded | State::Sent | State::Received | State::Settled | State::Held => None,
    };
    match (why, lang) {
        (None, _) => name.to_owned(),
        (Some(why), Lang::En) => format!("{name}: {}", lowered(why.trim_end_matches('.'))),
        (Some(why), Lang::ZhHans) => format!("{name}：{}", why.trim_end_matches('。')),
    }
}

/// Why, as a sentence; none where there is nothing to explain.
pub fn reason(item: &Item, lang: Lang) -> Option<String> {
    let code = item.code.as_deref()?;
    Some(super::words::why(code, item.why.as_deref().unwrap_or(""), lang))
}

/// A reason's sentence by its code and head office's own words.
pub fn why(code: &str, words: &str, lang: Lang) -> String {
    let known = reasons::known(code);
    match lang {
        Lang::En if words.is_empty() => {
            known.map_or("Head office gave no reason.", |reason| reason.en).to_owned()
        }
        Lang::En => words.to_owned(),
        Lang::ZhHans => match (code, used_at(words)) {
            ("coupon_already_used", Some((till, at))) => format!("优惠券已在 {till} 使用，{at}。"),
            ("voucher_already_used", Some((till, at))) => format!("代金券已在 {till} 使用，{at}。"),
            (_, _) => known.map_or_else(|| words.to_owned(), |reason| reason.zh.to_owned()),
        },
    }
}

/// What to do about it.
pub fn advice(code: &str, lang: Lang) -> &'static str {
    match reasons::known(code) {
        Some(reason) => of(lang, reason.do_en, reason.do_zh),
        None => of(
            lang,
            "Ask head office what is wrong. Retry once they have put it right; otherwise resolve it here.",
            "请向总部了解原因；总部处理后可重试，否则在此处理。",
        ),
    }
}

/// `Coupon already used at till-3, 10:42 on 2026-11-22.`: where and when.
fn used_at(words: &str) -> Option<(String, String)> {
    let (till, at) = words.split_once(" already used at ")?.1.trim_end_matches('.').split_once(", ")?;
    let at = match at.split_once(" on ") {
        Some((time, date)) => format!("{date} {time}"),
        None => at.to_owned(),
    };
    Some((till.to_owned(), at))
}

/// A sentence that goes on after a colon begins small, unless its first word is a name or an abbreviation.
fn lowered(words: &str) -> String {
    let mut rest = words.chars();
    let Some(first) = rest.next() else { return String::new() };
    match rest.clone().next() {
        Some(second) if second.is_lowercase() || second == ' ' => first.to_lowercase().chain(rest).collect(),
        Some(_) | None => words.to_owned(),
    }
}

/// Why a filter is not one.
pub fn not_a_filter(error: &FilterError, lang: Lang) -> String {
    match (lang, error) {
        (Lang::En, error) => error.to_string(),
        (Lang::ZhHans, FilterError::State(word)) => format!("没有状态“{word}”，请从列表中选择。"),
        (Lang::ZhHans, FilterError::Kind(word)) => format!("没有类型“{word}”，请从列表中选择。"),
        (Lang::ZhHans, FilterError::Hours(text)) => {
            format!("“{text}”不是小时数，请输入整数，例如 24。")
        }
        (Lang::ZhHans, FilterError::Amount(text)) => format!("“{text}”不是金额，请输入如 12.80 的数字。"),
    }
}

/// A kind of item.
pub fn kind(kind: ItemKind, lang: Lang) -> &'static str {
    match kind {
        ItemKind::Sale => of(lang, "Sale", "销售"),
        ItemKind::Return => of(lang, "Money given back", "退货退款"),
        ItemKind::Coupon => of(lang, "Coupon", "优惠券"),
        ItemKind::Voucher => of(lang, "Voucher", "代金券"),
        ItemKind::CheckIn => of(lang, "Check-in", "会员到店"),
        ItemKind::Refund => of(lang, "Refund", "钱包退款"),
        ItemKind::LateMoney => of(lang, "Money that came late", "迟到付款"),
        ItemKind::Shift => of(lang, "Closed shift", "交班"),
        ItemKind::Act => of(lang, "Manager's act", "店长处理"),
        ItemKind::Other => of(lang, "Another record", "其他记录"),
    }
}

/// A way to resolve.
pub fn resolution(how: Resolution, lang: Lang) -> &'static str {
    match how {
        Resolution::PaidOtherwise => of(lang, "paid otherwise", "已另行付款"),
        Resolution::WrittenOff => of(lang, "written off", "记为损失"),
        Resolution::Duplicate => of(lang, "counted already", "重复记录"),
    }
}

/// An act as it stands on its button.
pub fn act(act: QueueAct, lang: Lang) -> &'static str {
    match act {
        QueueAct::SendNow => of(lang, "Send now", "立即上传"),
        QueueAct::Retry => of(lang, "Ask head office again", "请总部重新审核"),
        QueueAct::Hold => of(lang, "Hold", "暂缓"),
        QueueAct::Release => of(lang, "Release", "放行"),
        QueueAct::Resolve { how: Resolution::PaidOtherwise } => of(lang, "Paid otherwise", "已另行付款"),
        QueueAct::Resolve { how: Resolution::WrittenOff } => of(lang, "Write off", "记为损失"),
        QueueAct::Resolve { how: Resolution::Duplicate } => of(lang, "Counted already", "重复记录"),
    }
}

/// An act as it stands in a timeline.
pub fn acted(act: QueueAct, lang: Lang) -> &'static str {
    match act {
        QueueAct::SendNow => of(lang, "Sent at a manager's word", "店长要求立即上传"),
        QueueAct::Retry => of(lang, "Head office asked again", "请总部重新审核"),
        QueueAct::Hold => of(lang, "Held", "暂缓"),
        QueueAct::Release => of(lang, "Released", "放行"),
        QueueAct::Resolve { how: Resolution::PaidOtherwise } => {
            of(lang, "Resolved: paid otherwise", "已处理：已另行付款")
        }
        QueueAct::Resolve { how: Resolution::WrittenOff } => {
            of(lang, "Resolved: written off", "已处理：记为损失")
        }
        QueueAct::Resolve { how: Resolution::Duplicate } => {
            of(lang, "Resolved: counted already", "已处理：重复记录")
        }
    }
}
