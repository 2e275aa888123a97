//! Sentences that the core writes in English, in the screen's language where they are fixed.
//!
//! A refusal whose sentence is made up of what happened (a coupon's terms, a wallet's own words) is shown
//! as it is: better understood in another language than guessed.

use super::{Lang, alone, trouble};
use crate::record::moment::Doubt;

/// What the cashier is told, by its stable code and its English sentence.
pub fn told(code: &str, words: &str, lang: Lang) -> String {
    match lang {
        Lang::En => words.to_owned(),
        Lang::ZhHans => chinese(code, words).unwrap_or_else(|| words.to_owned()),
    }
}

fn chinese(code: &str, words: &str) -> Option<String> {
    let fixed = match code {
        "sign_in_first" => "请先登录。",
        "needs_manager" => "需要店长输入密码授权。",
        "not_the_first" => "已有店长，由店长添加人员。",
        "no_sale" => "还没有商品，请扫描商品或按菜单键。",
        "sale_moved" => "此单已变化，请看清后再操作。",
        "total_is_fixed" => "合计已锁定，如需修改请按返回。",
        "press_pay_first" => "请先按结账，再扫描付款码。",
        "phone_is_paying" => "手机正在支付此单，请等待，或先收回账单。",
        "no_code_here" => "这里没有设置可扫的收款码。请扫描顾客付款码，或收现金。",
        "choose_wallet" => "请选择支付宝或微信支付：要用对应的应用扫码。",
        "clock_unsure" => "收银机时间不确定，不显示收款码。总部会校正时间：请重试，或扫描顾客付款码。",
        "code_unsettled" => "总部尚未确认旧收款码已失效。请稍候，或收现金。",
        "no_member_code" => "请让会员刷新会员码后再扫描。",
        "payment_under_way" => "付款进行中，请等待或先取消。",
        "code_used" => "此付款码已使用，请顾客刷新付款码。",
        "paid_in_part" => "此单已付一部分，请收取剩余金额，或作废（已付款项将退回）。",
        "nothing_to_pay" => "没有需要付款的金额。",
        "no_such_line" => "此单没有这一行。",
        "quantity" => "数量为 1 至 999。",
        "frozen" => "此单由其他版本写入，已冻结，请店长处理。",
        "cash_only" => "本机账本丢失，已另立新账：店长在店长页面启用新账之前，只能收现金。",
        "disk_full" => "收银机磁盘已满，不能再开新单；已开的单可以付完。请找店长。",
        "read_only" => "收银机无法写入磁盘，已停止销售，请找店长。",
        "busy" => "收银机繁忙，请重试。",
        "not_enough" => return Some(format!("还差 {}。", words.strip_suffix(" are missing.")?)),
        "unknown_item" => {
            let code = words.strip_prefix("No item has the code ")?.split_once(". ")?.0;
            return Some(format!("没有条码为 {code} 的商品，请按菜单键，或请店长添加。"));
        }
        "expired" => return expired(words),
        "queue" => return super::queue::chinese(words).map(str::to_owned),
        "proof" => return proof(words),
        "voucher" => {
            return VOUCHERS.iter().find(|told| told.0 == words).map(|told| told.1.to_owned());
        }
        "receipt" | "scan" | "back" => {
            return RECEIPTS.iter().find(|told| told.0 == words).map(|told| told.1.to_owned());
        }
        _ => alone::chinese(code, words)?,
    };
    Some(fixed.to_owned())
}

/// What is said about a receipt that is shown.
const RECEIPTS: [(&str, &str); 10] = [
    ("Nothing is left to give back of this sale.", "此单已无可退金额。"),
    (
        "This receipt is of another till. Only the till that sold gives back: take it there.",
        "此小票属于另一台收银机，只有销售的收银机可以退款，请到那里办理。",
    ),
    (
        "The code on this receipt was not made by this till. Give nothing back on it, and tell the manager.",
        "此小票上的码不是本机所签，请勿退款，并告诉店长。",
    ),
    (
        "This till's books have no such receipt. Look at its number: it may be of another till, or of a time before this till's disk was replaced.",
        "本机账上没有这张小票。请核对单号：可能属于另一台收银机，或早于本机换盘之前。",
    ),
    (
        "Two receipts of this till have this number. Scan the square code on the receipt instead.",
        "本机有两张小票同为此单号，请扫描小票上的二维码。",
    ),
    (
        "This receipt does not say what the till's books say under its number. Give nothing back on it, and tell the manager.",
        "此小票与本机账上同单号的记录不符，请勿退款，并告诉店长。",
    ),
    (
        "This receipt was printed for practice: nothing was paid, and nothing goes back.",
        "此小票为练习所打，没有付款，不能退款。",
    ),
    (
        "The code on this receipt was not read whole. Scan it again, or type the receipt's number.",
        "小票上的码没有读完整，请再扫一次，或输入小票单号。",
    ),
    (
        "This is the receipt of money given back. Scan the receipt of the sale itself.",
        "这是退款小票，请扫描原销售小票。",
    ),
    (
        "This is a receipt, not a pay code. Finish this sale or press Back, then scan it again.",
        "这是小票，不是付款码。请先完成此单或按返回，再扫描小票。",
    ),
];

/// What is said about a proof of a phone.
const PROOFS: [(&str, &str); 7] = [
    (
        "This till did not ask for that payment. It may be another till's, or of long ago: hand nothing over, and look where the code was scanned.",
        "本机没有要求这笔付款，可能属于另一台收银机或很久以前的单。请勿交货，并核对扫码地点。",
    ),
    (
        "That payment is counted already, and its sale has a receipt. Hand nothing over a second time.",
        "这笔付款已入账，该单已出小票，请勿重复交货。",
    ),
    (
        "That payment came too late and goes back to the customer. Take other money.",
        "这笔付款来得太晚，将退回顾客，请用其他方式收款。",
    ),
    ("The proof on the phone has eight digits. Type all of them.", "手机上的凭证有八位数字，请全部输入。"),
    ("No payment waits for these digits. Show a code first.", "没有付款在等待这些数字，请先显示收款码。"),
    (
        "Wrong digits were typed three times. Scan the square code on the phone instead.",
        "数字已输错三次，请扫描手机上的二维码。",
    ),
    (
        "This till has not heard from head office yet and cannot check digits. Scan the square code on the phone.",
        "本机尚未与总部联系过，无法核对数字，请扫描手机上的二维码。",
    ),
];

/// What is said about a voucher.
const VOUCHERS: [(&str, &str); 7] = [
    ("This voucher is another shop's.", "此代金券属于其他商家。"),
    ("This voucher was used here already.", "此代金券已在本机使用。"),
    ("This voucher was withdrawn.", "此代金券已作废。"),
    ("This voucher is on an open sale already.", "此代金券已用于未完成的单。"),
    ("This voucher is in another currency.", "此代金券币种不同。"),
    ("Press Pay first, then scan the voucher.", "请先按结账，再扫描代金券。"),
    ("No more vouchers fit on one sale.", "此单不能再用更多代金券。"),
];

fn proof(words: &str) -> Option<String> {
    if let Some(fixed) = PROOFS.iter().find(|told| told.0 == words) {
        return Some(fixed.1.to_owned());
    }
    if let Some(rest) = words.strip_prefix("The phone paid ") {
        let (paid, rest) = rest.split_once(" where ")?;
        let due = rest.split_once(" was due")?.0;
        return Some(format!("手机付了 {paid}，应付 {due}。请勿交货，并找店长。"));
    }
    let most = words.strip_prefix("Digits are taken up to ")?.split_once(". ")?.0;
    Some(format!("数字仅可用于不超过 {most} 的付款，请扫描手机上的二维码。"))
}

/// `Use by 2026-11-21 has passed: …`
fn expired(words: &str) -> Option<String> {
    let (by, rest) = words.split_once(" 2")?;
    let date = rest.split_once(" has passed")?.0;
    let by = match by {
        "Use by" => "保质期至",
        "Sell by" => "销售期至",
        "Best before" => "最佳食用期至",
        _ => return None,
    };
    Some(format!("{by} 2{date}，已过期，请勿出售，请下架。"))
}

/// A no of a payment, in the screen's language where it is one of our own sentences; a wallet's words as they are.
pub fn wallet(words: &str, lang: Lang) -> String {
    let chinese = match words {
        "Scan the member's code." => "请扫描会员码。",
        "Nobody has this member code." => "没有这个会员码。",
        "The code is old or was used. Ask for a fresh one." => "会员码已过期或已使用，请会员刷新。",
        "The wallet cannot be reached: nothing was sent. Try again, or take cash." => {
            "无法连接钱包，未发送。请重试，或收现金。"
        }
        "No phone paid in time." | "The phone did not pay in time." => "手机未在时限内付款。",
        "The payment was not made." => "未完成付款。",
        "The wallet cannot be reached." | "The wallet could not be reached." => "无法连接钱包。",
        "The wallet did not answer." => "钱包没有回应。",
        "The bill is too old to be paid." => "账单已过期，不能付款。",
        "Phones cannot pay here yet." => "这里尚不能用手机付款。",
        "The phone no longer waits for this bill." => "手机已不再等待此账单。",
        "The order is over; nothing was paid." => "订单已结束，没有扣款。",
        "A phone paid after the order was over; the money goes back." => "订单结束后手机才付款，款项将退回。",
        "The wallet has closed this payment and kept no money. Ask for a fresh code." => {
            "钱包已关闭此笔付款，没有扣款。请顾客刷新付款码。"
        }
        "Head office takes no payments of this wallet yet." => "总部尚未开通此钱包。",
        _ => words,
    };
    if lang == Lang::En { words.to_owned() } else { chinese.to_owned() }
}

/// What a device asks for, or what keeps head office from helping, in the screen's language: each sentence that is known
/// is said in it, others as they are.
pub fn device(words: &str, lang: Lang) -> String {
    if let Some(said) = trouble::if_known(words, lang) {
        return said;
    }
    let Lang::ZhHans = lang else { return words.to_owned() };
    if let Some(chinese) = alone::doubted(words) {
        return chinese.to_owned();
    }
    let mut said = String::new();
    let mut rest = words;
    while !rest.is_empty() {
        let known = DEVICES.iter().find(|(english, _)| {
            // At its beginning a sentence is written large.
            let (head, tail) = (rest.get(..1), rest.get(1..));
            let (first, others) = english.split_at(1);
            head.is_some_and(|head| head.eq_ignore_ascii_case(first))
                && tail.is_some_and(|tail| tail.starts_with(others))
        });
        match known {
            Some((english, chinese)) => {
                said.push_str(chinese);
                rest = rest[english.len()..].trim_start_matches(['.', ' ']);
                if !chinese.ends_with('：') {
                    said.push('。');
                }
            }
            None => {
                let end = rest.find(". ").or_else(|| rest.find(": ")).map_or(rest.len(), |at| at + 2);
                said.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    said
}

/// Sentences of the printer and its drawer, without their stops.
const DEVICES: [(&str, &str); 38] = [
    ("the paper has run out: put in a new roll", "纸已用完，请装新纸"),
    ("the cover is open: close it", "上盖已打开，请合上"),
    (
        "the knife is jammed: switch the printer off, free the paper, switch it on",
        "切刀卡住，请关机，取出纸后再开机",
    ),
    ("the printer reports an error: switch it off and on", "打印机报错，请关机后再开机"),
    ("the print head is too hot: wait a minute", "打印头过热，请稍等一分钟"),
    (
        "the printer does not answer: look at its power, its cover and its cable",
        "打印机没有应答，请检查电源、上盖和连线",
    ),
    (
        "the printer is off line: look at its buttons, then switch it off and on",
        "打印机脱机，请检查按键，再关机后开机",
    ),
    ("ready; the paper is nearly at its end", "打印机正常，纸快用完"),
    ("the receipt goes on by itself", "处理后小票会自动继续打印"),
    ("the printer is not connected: look at its cable", "打印机未连接，请检查连线"),
    ("the printer takes no more data: look whether it is out of paper", "打印机不再接收数据，请检查是否缺纸"),
    (
        "the printer stood still for a while and may have been off: look at the paper",
        "打印机曾停顿，可能断过电，请查看小票",
    ),
    ("too many receipts wait for the printer: look what holds it up", "等待打印的小票太多，请检查打印机"),
    ("too many receipts wait for this printer: look what holds it up", "等待打印的小票太多，请检查打印机"),
    ("this printer cannot say whether it printed: look at the paper", "此打印机无法确认是否打印，请查看小票"),
    ("the printer did not say that it was done: look at the paper", "打印机没有确认打印完成，请查看小票"),
    ("the wait for the printer was given up: look at the paper", "已不再等待打印机，请查看小票"),
    ("the printer was shut down", "打印机已停止"),
    ("the printer is being looked for", "正在查找打印机"),
    ("no printer is set up at this station", "此工位没有打印机"),
    (
        "the knife is jammed: open the cover, free the paper, close it, then press \"Cleared, go on\"",
        "切刀卡住，请打开上盖，取出纸，合上后按“已清除，继续”",
    ),
    ("the drawer could not be opened: ", "钱箱没有打开："),
    ("it is not known whether the drawer opened: ", "不知道钱箱是否打开："),
    ("nothing shows that the drawer moved: look at it", "没有迹象表明钱箱已打开，请查看"),
    ("it says that it is still shut", "钱箱显示仍未打开"),
    ("it does not say whether it is open", "钱箱没有应答"),
    ("its line took only a part of the command", "指令没有完整发出"),
    ("it is not connected: look at its cable", "钱箱未连接，请检查连线"),
    ("its line takes nothing: look at its cable", "钱箱线路没有反应，请检查连线"),
    ("the till is stopping", "收银机正在停止"),
    ("the drawer is being looked for", "正在查找钱箱"),
    ("the printer's line takes nothing just now", "打印机线路暂时没有反应"),
    ("no drawer is set up at this station", "此工位没有钱箱"),
    ("open it with its key", "请用钥匙打开"),
    ("the till stopped while this was printing", "打印途中收银机停止，请查看小票"),
    ("the till stopped before the drawer opened", "钱箱未打开，收银机已停止"),
    ("the till stopped while the drawer opened", "打开钱箱途中收银机停止，请查看"),
    (
        "A member asked to be forgotten. That waits for the books in the folder aside, which head office lacks: compare them, then remove the folder.",
        "有会员要求注销。总部缺少 aside 文件夹中旧账的记录，须先核对旧账，再删除该文件夹。",
    ),
];

/// What needs a person, in two or three words, by its stable code.
pub fn attention(code: &str, lang: Lang) -> &'static str {
    let (en, zh) = match code {
        "paper_unconfirmed" => ("Receipt unsure", "小票状态未知"),
        "paper_failed" => ("Receipt not printed", "小票未打印"),
        "drawer_unconfirmed" => ("Drawer unsure", "钱箱状态未知"),
        "payment_unsure" => ("Payment unsure", "付款结果未知"),
        "refund_refused" => ("Refund refused", "退款被拒"),
        "sale_frozen" => ("Frozen sale", "冻结单"),
        "clock_distrusted" => ("Clock not believed", "时间不可信"),
        "verdict_refused" => ("Refused by head office", "总部拒绝"),
        "new_books" => ("New books: cash only", "已另立新账：只收现金"),
        "forgetting_waits" => ("Forgetting waits", "会员注销待处理"),
        _ => ("Look at this", "请查看"),
    };
    match lang {
        Lang::En => en,
        Lang::ZhHans => zh,
    }
}

/// Why the clock is not believed.
pub fn doubt(why: Doubt, lang: Lang) -> &'static str {
    match lang {
        Lang::En => why.words(),
        Lang::ZhHans => alone::doubt(why),
    }
}

/// A record's kind as people say it. A kind that this build does not know is another record.
pub fn kind(kind: &str, lang: Lang) -> &'static str {
    let (en, zh) = KINDS
        .iter()
        .find(|(name, _, _)| *name == kind)
        .map_or(("Another record", "其他记录"), |(_, en, zh)| (*en, *zh));
    match lang {
        Lang::En => en,
        Lang::ZhHans => zh,
    }
}

const KINDS: &[(&str, &str, &str)] = &[
    ("genesis", "Journal begun", "日志开始"),
    ("epoch_adopted", "New books adopted", "启用新账"),
    ("booted", "Till started", "收银机启动"),
    ("stopped", "Till stopped", "收银机停止"),
    ("bundle_adopted", "New prices in force", "新价格生效"),
    ("staff_added", "Person added", "添加人员"),
    ("signed_in", "Signed in", "登录"),
    ("signed_out", "Signed out", "退出登录"),
    ("shift_opened", "Shift opened", "开班"),
    ("shift_closed", "Shift closed", "交班"),
    ("sale_opened", "Sale begun", "开单"),
    ("sale_moved", "Sale put elsewhere", "移动订单"),
    ("line_added", "Item added", "加入商品"),
    ("line_quantity", "Quantity changed", "修改数量"),
    ("line_voided", "Line voided", "作废一行"),
    ("price_overridden", "Price changed by hand", "手工改价"),
    ("coupon_taken", "Coupon put on", "使用优惠券"),
    ("coupon_returned", "Coupon taken off", "取下优惠券"),
    ("member_recognised", "Member came in", "会员到店"),
    ("total_fixed", "Total fixed", "锁定合计"),
    ("total_released", "Basket opened again", "重新打开"),
    ("sale_voided", "Sale given up", "整单作废"),
    ("intent_drawn", "Payment begun", "发起付款"),
    ("code_shown", "Code shown", "显示收款码"),
    ("proof_mistyped", "Wrong digits typed", "数字输错"),
    ("approved", "Payment approved", "付款成功"),
    ("declined", "Payment declined", "付款被拒"),
    ("pending", "Customer confirms", "等待顾客确认"),
    ("unsure", "Payment unsure", "付款结果未知"),
    ("cancelling", "Payment being taken back", "撤销中"),
    ("cancelled", "Payment taken back", "已撤销"),
    ("cancel_unsure", "Taking back unsure", "撤销结果未知"),
    ("tombstoned", "Payment closed", "付款关闭"),
    ("abandoned", "Phone order given up", "放弃手机订单"),
    ("paid_late", "Paid too late", "迟到付款"),
    ("refund_drawn", "Refund begun", "发起退款"),
    ("refunded", "Refunded", "已退款"),
    ("refund_refused", "Refund refused", "退款被拒"),
    ("refund_pending", "Refund under way", "退款处理中"),
    ("refund_retried", "Refund tried again", "重试退款"),
    ("refund_settled", "Refund ended by a person", "人工处理退款"),
    ("payment_resolved", "Payment looked up by a person", "人工核实付款"),
    ("part_chosen", "Part of the total chosen", "选择部分金额"),
    ("cash_taken", "Cash taken", "收现金"),
    ("cash_returned", "Cash given back", "退出现金"),
    ("return_opened", "Return begun", "开始退款单"),
    ("return_drawn", "Money back of this sale", "此单退款"),
    ("frozen_acknowledged", "Frozen sale decided", "处理冻结单"),
    ("note_seen", "Note seen", "通知已读"),
    ("voucher_taken", "Voucher taken", "收代金券"),
    ("voucher_redeemed", "Voucher redeemed", "核销代金券"),
    ("coupon_redeemed", "Coupon redeemed", "核销优惠券"),
    ("receipt_issued", "Sale paid", "销售完成"),
    ("type_size_chosen", "Print size chosen", "选择字号"),
    ("print_ordered", "Receipt ordered", "要求打印"),
    ("print_started", "Printing begun", "开始打印"),
    ("print_ended", "Printing ended", "打印结束"),
    ("print_settled", "Receipt looked at", "小票已查看"),
    ("drawer_ordered", "Drawer ordered open", "要求打开钱箱"),
    ("drawer_kicked", "Drawer opened", "打开钱箱"),
    ("drawer_ended", "Drawer done", "钱箱完成"),
    ("queue_acted", "Manager's act", "店长处理"),
    ("noted", "Head office ruled", "总部审核"),
    ("lease_received", "Share of an offer received", "收到活动名额"),
    ("lease_used", "Offer given from the share", "使用活动名额"),
    ("lease_returned", "Share of an offer given back", "退回活动名额"),
    ("clock_distrusted", "Clock not believed", "时间不可信"),
    ("clock_trusted", "Clock believed again", "时间恢复可信"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::refusal::{Refusal, Told};
    use crate::money::{Currency, Money};
    use crate::receipt::NotOurs;
    use crate::sale::back::NotLeft;

    #[test]
    fn fixed_refusals_are_said_in_chinese_and_others_as_they_are() {
        let say = |refusal: Refusal| {
            let words = Told::from(&refusal);
            told(&words.code, &words.words, Lang::ZhHans)
        };
        assert_eq!(say(Refusal::PressPayFirst), "请先按结账，再扫描付款码。");
        assert_eq!(say(Refusal::NotEnough { missing: Money::new(300, Currency::CNY) }), "还差 CNY 3.00。");
        assert!(say(Refusal::UnknownItem("6901234".to_owned())).contains("6901234"));
        assert_eq!(say(Refusal::Coupon("Expired.".to_owned())), "Expired.");
        for no in [
            NotOurs::OtherTill,
            NotOurs::Forged,
            NotOurs::Unknown,
            NotOurs::Two,
            NotOurs::Differs,
            NotOurs::Practice,
            NotOurs::Misread,
            NotOurs::OfAReturn,
        ] {
            assert!(say(no.into()).contains("小票"), "{no}");
        }
        assert_eq!(say(NotLeft::Nothing.into()), "此单已无可退金额。");
        assert_eq!(told("busy", "The till is busy. Try again.", Lang::En), "The till is busy. Try again.");
    }

    #[test]
    fn what_a_printer_asks_for_is_said_in_both_languages() {
        let held = "The paper has run out: put in a new roll. The receipt goes on by itself.";
        assert_eq!(device(held, Lang::En), held);
        assert_eq!(device(held, Lang::ZhHans), "纸已用完，请装新纸。处理后小票会自动继续打印。");
        let drawer = "The drawer could not be opened: the cover is open: close it. Open it with its key.";
        assert_eq!(device(drawer, Lang::ZhHans), "钱箱没有打开：上盖已打开，请合上。请用钥匙打开。");
        let stopped = "The till stopped while this was printing.";
        assert_eq!(device(stopped, Lang::ZhHans), "打印途中收银机停止，请查看小票。");
        // What is not known is said as it is, and nothing is lost.
        let other = "Über 9 Dinge: anders. The cover is open: close it. 完了";
        assert_eq!(device(other, Lang::ZhHans), "Über 9 Dinge: anders. 上盖已打开，请合上。完了");
        for words in ["", ".", ": ", "é", "t", "The "] {
            assert_eq!(device(words, Lang::ZhHans), words);
        }
    }

    #[test]
    fn every_kind_has_words_of_its_own() {
        for (name, _, _) in KINDS {
            assert_ne!(kind(name, Lang::En), "Another record", "{name}");
        }
        assert_eq!(kind("from_the_future", Lang::ZhHans), "其他记录");
    }
}
