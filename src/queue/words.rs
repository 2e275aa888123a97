//! States, kinds, acts and reasons as a person says them, in both languages.
//!
//! A reason is said with what to do about it, and never as a number of a protocol. Not here: labels of the page
//! (`locales`).

use super::{Item, ItemKind, Standing, State};
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
        Standing::Sent => of(lang, "sent, no answer yet", "已上传，等待回应"),
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
            "It left this till and no answer came back, so it may have arrived. It is sent again by itself and counts once.",
            "已从本机发出但没有收到回应，可能已经到达。会自动重发，总部只计一次。",
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
    let known = REASONS.iter().find(|reason| reason.code == code);
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
    match REASONS.iter().find(|reason| reason.code == code) {
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
        Resolution::WrittenOff => of(lang, "written off", "核销损失"),
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
        QueueAct::Resolve { how: Resolution::WrittenOff } => of(lang, "Write off", "核销损失"),
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
            of(lang, "Resolved: written off", "已处理：核销损失")
        }
        QueueAct::Resolve { how: Resolution::Duplicate } => {
            of(lang, "Resolved: counted already", "已处理：重复记录")
        }
    }
}

/// A code of head office, what it means, and what to do about it.
struct Reason {
    code: &'static str,
    en: &'static str,
    zh: &'static str,
    do_en: &'static str,
    do_zh: &'static str,
}

const fn reason_of(
    code: &'static str,
    en: &'static str,
    zh: &'static str,
    do_en: &'static str,
    do_zh: &'static str,
) -> Reason {
    Reason { code, en, zh, do_en, do_zh }
}

const WHO_BEARS: (&str, &str) = (
    "The customer got the discount and the goods. Write it off, or resolve it as paid otherwise once the difference is paid.",
    "顾客已享受优惠并取走商品。可核销损失，或在补足差额后标为已另行付款。",
);

const REASONS: &[Reason] = &[
    reason_of(
        "coupon_already_used",
        "The coupon was used already.",
        "优惠券已被使用。",
        WHO_BEARS.0,
        WHO_BEARS.1,
    ),
    reason_of(
        "quota_exceeded",
        "The campaign had no coupons left.",
        "活动优惠券已用完。",
        WHO_BEARS.0,
        WHO_BEARS.1,
    ),
    reason_of(
        "coupon_expired",
        "The coupon was past its date.",
        "优惠券已过有效期。",
        WHO_BEARS.0,
        WHO_BEARS.1,
    ),
    reason_of(
        "coupon_not_ours",
        "The coupon does not hold at head office.",
        "优惠券未通过总部验证。",
        "Keep the paper or a picture of the code, and show it to head office. Then write it off.",
        "请保留券或拍照交总部核对，然后核销损失。",
    ),
    reason_of(
        "coupon_of_another_kind",
        "What was redeemed as a coupon is another kind of code.",
        "所用的码不是优惠券。",
        "Show it to head office, then write it off.",
        "请交总部核对，然后核销损失。",
    ),
    reason_of(
        "coupon_serial_differs",
        "The coupon's code and its serial do not agree.",
        "优惠券的码与序列号不符。",
        "Show it to head office, then write it off.",
        "请交总部核对，然后核销损失。",
    ),
    reason_of(
        "voucher_already_used",
        "The voucher was used already.",
        "代金券已被使用。",
        "The goods are gone and the voucher paid nothing. Take the money from the customer if you can reach them; otherwise write it off.",
        "商品已售出而代金券无效。能联系到顾客请补收，否则核销损失。",
    ),
    reason_of(
        "voucher_expired",
        "The voucher was past its date.",
        "代金券已过有效期。",
        "The goods are gone and the voucher paid nothing. Take the money from the customer if you can reach them; otherwise write it off.",
        "商品已售出而代金券无效。能联系到顾客请补收，否则核销损失。",
    ),
    reason_of(
        "voucher_unknown",
        "Head office has issued no such voucher.",
        "总部没有发行过此代金券。",
        "Keep the paper or a picture of the code, and show it to head office. Write it off if it stays unknown.",
        "请保留券或拍照交总部核对；确认无效后核销损失。",
    ),
    reason_of(
        "voucher_not_ours",
        "The voucher does not hold at head office.",
        "代金券未通过总部验证。",
        "Keep the paper or a picture of the code, and show it to head office. Then write it off.",
        "请保留券或拍照交总部核对，然后核销损失。",
    ),
    reason_of(
        "voucher_of_another_kind",
        "What was redeemed as a voucher is another kind of code.",
        "所用的码不是代金券。",
        "Show it to head office, then write it off.",
        "请交总部核对，然后核销损失。",
    ),
    reason_of(
        "voucher_differs",
        "The voucher's code and what was taken of it do not agree.",
        "代金券的码与所用金额不符。",
        "Compare the receipt with the voucher, and show both to head office. Then resolve it.",
        "请核对小票与代金券并交总部，然后处理。",
    ),
    reason_of(
        "act_in_vain",
        "Head office could not do what was asked.",
        "总部未能执行此处理。",
        "Look at the item itself: it stands where it stood before. Then resolve this note.",
        "请查看原项目，其状态未变；然后处理此提示。",
    ),
    reason_of(
        "ruled_again",
        "Head office has looked again, and it stands.",
        "总部重新审核通过。",
        "Nothing is left to do.",
        "无需处理。",
    ),
    reason_of(
        "member_unknown",
        "Nobody has this member code: the visit does not count.",
        "没有这个会员码，此次到店不计。",
        "Ask the member to open the code anew next time. Resolve it as written off.",
        "请会员下次重新打开会员码；此项可核销。",
    ),
    reason_of(
        "member_code_wrong",
        "The member's number was not the phone's at that time: the visit does not count.",
        "会员码与当时手机上的不符，此次到店不计。",
        "An old picture of a code looks so, or a till whose clock was off. Look at this till's clock. If the visit was real, ask head office to count it, then resolve it here.",
        "可能是旧截图，或本机时间不准。请检查本机时间；若确实到店，请总部补记后在此处理。",
    ),
    reason_of(
        "receipt_twice",
        "A receipt of this number is at head office already.",
        "总部已有相同单号的小票。",
        "Compare both receipts. If it is the same sale, resolve it as counted already.",
        "请核对两张小票；若为同一笔销售，请标为重复记录。",
    ),
    reason_of(
        "receipt_gap",
        "Receipt numbers are missing before this one.",
        "此小票之前缺少单号。",
        "Look for the sales in between on this till's receipts, and tell head office their numbers.",
        "请在本机查找缺少的小票，并把单号告知总部。",
    ),
    reason_of(
        "receipt_without_number",
        "The receipt came without its number.",
        "小票没有单号。",
        "Tell head office which version of Till runs here.",
        "请告知总部本机的软件版本。",
    ),
    reason_of(
        "sums_differ",
        "The total is not the sum of its lines, discounts and taxes.",
        "合计与商品、优惠及税额之和不符。",
        "Compare the receipt with the sale. Give back what was taken too much, then resolve it.",
        "请核对小票与销售；多收的请退款，然后处理。",
    ),
    reason_of(
        "unreadable",
        "Head office cannot read this kind of record yet. It is kept as it came.",
        "总部暂时无法读取此类记录，已原样保存。",
        "Head office has to be updated. Ask again once it was.",
        "请通知总部升级，升级后请总部重新审核。",
    ),
    reason_of(
        "unreadable_here",
        "This till cannot read the record: it was written by another version. It is kept as it is.",
        "记录由其他版本写入，本机无法读取，已原样保存。",
        "Install the newer version of Till. Head office gets the record as it is.",
        "请安装新版本；记录会原样上传总部。",
    ),
    reason_of(
        "parked",
        "Head office has it and could not book it.",
        "总部已收到但未能入账。",
        "Tell head office. Ask again once they have looked at it.",
        "请通知总部；总部检查后请重新审核。",
    ),
    reason_of(
        "fork",
        "Head office has another record under this number: two machines share this till's disk or key.",
        "总部已有相同编号的不同记录：可能有两台机器共用本机磁盘或密钥。",
        "Stop the other machine and pair this till anew. Call head office before you go on.",
        "请停用另一台机器并重新配对；继续之前请联系总部。",
    ),
    reason_of(
        "held",
        "Head office holds it as asked.",
        "总部已按要求暂缓。",
        "Release it, or resolve it.",
        "请放行，或处理。",
    ),
    reason_of(
        "proof_refused",
        "Head office knows of no payment behind this proof.",
        "总部没有与此凭证对应的付款。",
        "Ask head office to look for the payment at the wallet. Write it off if there is none.",
        "请总部在钱包查询；若无此付款，请核销损失。",
    ),
    reason_of(
        "coupon_redeemed",
        "The coupon is spent.",
        "优惠券已核销。",
        "Nothing is left to do.",
        "无需处理。",
    ),
    reason_of(
        "check_in_counted",
        "The visit counts.",
        "到店已计入。",
        "Nothing is left to do.",
        "无需处理。",
    ),
];
