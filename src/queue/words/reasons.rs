//! Codes of head office, what each means, and what to do about it, in both languages.
//!
//! Not here: how a reason is said where head office gave words of its own (`super`).

/// A code of head office, what it means, and what to do about it.
#[derive(Debug)]
pub(super) struct Reason {
    code: &'static str,
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
    pub(super) do_en: &'static str,
    pub(super) do_zh: &'static str,
}

/// What is known of a code.
pub(super) fn known(code: &str) -> Option<&'static Reason> {
    REASONS.iter().find(|reason| reason.code == code)
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
    "顾客已享受优惠并取走商品。可记为损失，或在补足差额后标为已另行付款。",
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
        "请保留券或拍照交总部核对，然后记为损失。",
    ),
    reason_of(
        "coupon_of_another_kind",
        "What was redeemed as a coupon is another kind of code.",
        "所用的码不是优惠券。",
        "Show it to head office, then write it off.",
        "请交总部核对，然后记为损失。",
    ),
    reason_of(
        "coupon_serial_differs",
        "The coupon's code and its serial do not agree.",
        "优惠券的码与序列号不符。",
        "Show it to head office, then write it off.",
        "请交总部核对，然后记为损失。",
    ),
    reason_of(
        "voucher_already_used",
        "The voucher was used already.",
        "代金券已被使用。",
        "The goods are gone and the voucher paid nothing. Take the money from the customer if you can reach them; otherwise write it off.",
        "商品已售出而代金券无效。能联系到顾客请补收，否则记为损失。",
    ),
    reason_of(
        "voucher_expired",
        "The voucher was past its date.",
        "代金券已过有效期。",
        "The goods are gone and the voucher paid nothing. Take the money from the customer if you can reach them; otherwise write it off.",
        "商品已售出而代金券无效。能联系到顾客请补收，否则记为损失。",
    ),
    reason_of(
        "voucher_unknown",
        "Head office has issued no such voucher.",
        "总部没有发行过此代金券。",
        "Keep the paper or a picture of the code, and show it to head office. Write it off if it stays unknown.",
        "请保留券或拍照交总部核对；确认无效后记为损失。",
    ),
    reason_of(
        "voucher_not_ours",
        "The voucher does not hold at head office.",
        "代金券未通过总部验证。",
        "Keep the paper or a picture of the code, and show it to head office. Then write it off.",
        "请保留券或拍照交总部核对，然后记为损失。",
    ),
    reason_of(
        "voucher_of_another_kind",
        "What was redeemed as a voucher is another kind of code.",
        "所用的码不是代金券。",
        "Show it to head office, then write it off.",
        "请交总部核对，然后记为损失。",
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
        "请会员下次重新打开会员码；此项可记为损失。",
    ),
    reason_of(
        "member_code_wrong",
        "The member's number was not the phone's at that time: the visit does not count.",
        "会员码与当时手机上的不符，此次到店不计。",
        "This happens with an old picture of a code, or on a till whose clock was off. Look at this till's clock. If the visit was real, ask head office to count it, then resolve it here.",
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
        "请总部在钱包查询；若无此付款，请记为损失。",
    ),
    reason_of(
        "proof_not_paid",
        "No wallet has made the payment behind the proof.",
        "没有钱包付过此凭证对应的款项。",
        "Ask head office to look for the payment at the wallet. Write it off if there is none.",
        "请总部在钱包查询；若无此付款，请记为损失。",
    ),
    reason_of(
        "proof_given_back",
        "The money was given back before the till took the proof, and the goods went out.",
        "本机收下凭证前款项已退回，商品已取走。",
        "Take the money from the customer if you can reach them; otherwise write it off.",
        "如能联系顾客请补收，否则请记为损失。",
    ),
    reason_of(
        "proof_settled",
        "The payment behind the proof is known.",
        "凭证对应的付款已确认。",
        "Nothing is left to do.",
        "无需处理。",
    ),
    reason_of(
        "coupon_redeemed",
        "The coupon is spent.",
        "优惠券已核销。",
        "Nothing is left to do.",
        "无需处理。",
    ),
    reason_of(
        "voucher_redeemed",
        "The voucher is spent.",
        "代金券已核销。",
        "Nothing is left to do.",
        "无需处理。",
    ),
    reason_of(
        "check_in_repeated",
        "The member was here today already: the visit counts once.",
        "会员当天已到店，只计一次。",
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

#[cfg(test)]
mod tests {
    use crate::locales::Lang;
    use crate::queue::words;

    /// The passage of docs/PROTOCOL.md that lists what head office says of a record.
    fn verdict_codes() -> Vec<&'static str> {
        let (_, from) =
            include_str!("../../../docs/PROTOCOL.md").split_once("Verdict codes. Accepted:").unwrap();
        let (list, _) = from.split_once("Training counts nowhere").unwrap();
        list.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn whatever_head_office_rules_is_said_in_chinese() {
        let codes = verdict_codes();
        assert!(codes.contains(&"proof_settled") && codes.contains(&"fork"), "{codes:?}");
        for code in codes {
            let said = words::why(code, "As head office says.", Lang::ZhHans);
            assert!(!said.is_ascii(), "{code}: {said}");
        }
    }
}
