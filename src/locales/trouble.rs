//! What troubles the way to head office, as a manager or a cashier reads it.
//!
//! The way itself speaks English, for logs and technicians: it says "the cloud", and adds the words of networks and
//! protocols (`sync`). Not here: that English, and when there is trouble.

use super::Lang;

/// A trouble in the screen's language. What is not known is said as it is, of head office.
pub fn trouble(words: &str, lang: Lang) -> String {
    match (known(words), lang) {
        (Some(Known { en: Some(en), .. }), Lang::En) => (*en).to_owned(),
        (Some(known), Lang::ZhHans) => known.zh.to_owned(),
        (Some(Known { en: None, .. }) | None, _) => of_head_office(words),
    }
}

/// The same of words that may be about something else; none where they are.
pub(super) fn if_known(words: &str, lang: Lang) -> Option<String> {
    known(words).map(|_| trouble(words, lang))
}

/// A trouble that is known by its beginning, and by what else stands in it.
#[derive(Debug)]
struct Known {
    begins: &'static str,
    has: &'static str,
    /// None where the English is already what a person needs.
    en: Option<&'static str>,
    zh: &'static str,
}

const fn known_by(
    begins: &'static str,
    has: &'static str,
    en: Option<&'static str>,
    zh: &'static str,
) -> Known {
    Known { begins, has, en, zh }
}

fn known(words: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| words.starts_with(known.begins) && words.contains(known.has))
}

/// People call it head office, whatever computer answers there.
fn of_head_office(words: &str) -> String {
    words.replace("The cloud", "Head office").replace("the cloud", "head office")
}

/// The narrower before the wider.
const KNOWN: &[Known] = &[
    known_by(
        "The cloud cannot be reached",
        "",
        Some("Head office cannot be reached. The till goes on by itself and tries again."),
        "无法连接总部，收银机继续工作并自动重试。",
    ),
    known_by(
        "The cloud asks to wait",
        "",
        Some("Head office asks to wait. The till tries again by itself."),
        "总部要求稍后再传，收银机会自动重试。",
    ),
    known_by(
        "The cloud refuses to give this back",
        "",
        Some("Head office refuses to give this back."),
        "总部拒绝退款。",
    ),
    known_by(
        "The cloud refuses: ",
        "the signature was made at",
        Some("This till's clock is wrong, and head office takes nothing from it: set the clock."),
        "本机时间不准，总部因此拒收，请校正时间。",
    ),
    known_by(
        "The cloud refuses: ",
        "No till is paired as",
        Some("Head office does not know this till. Have it approved there."),
        "总部没有登记此收银机，请在总部确认。",
    ),
    known_by(
        "The cloud refuses: ",
        "",
        Some("Head office does not take what this till sends: tell them."),
        "总部拒收本机发送的内容，请联系总部。",
    ),
    known_by(
        "The cloud's answer is not understood",
        "",
        Some("Head office's answer is not understood: tell whoever looks after the till."),
        "无法识别总部的回应，请告知技术人员。",
    ),
    known_by(
        "The cloud's lease was not taken",
        "",
        Some("A share of an offer that head office sent was not taken: tell whoever looks after the till."),
        "未能收下总部分配的活动名额，请告知技术人员。",
    ),
    known_by(
        "The cloud's new bundle was not taken",
        "",
        Some("Head office's new prices were not taken, and the old ones stay in force: tell head office."),
        "总部的新价格未能生效，仍按原价格销售，请联系总部。",
    ),
    known_by(
        "A manager refused this till at the cloud",
        "",
        None,
        "店长在总部拒绝了此收银机，请在总部重新确认。",
    ),
    known_by(
        "The code for phones cannot be shown",
        "",
        Some("The code for phones cannot be shown: tell whoever looks after the till."),
        "无法显示收款码，请告知技术人员。",
    ),
    known_by(
        "The cloud says that an order is paid, but its proof does not hold",
        "",
        Some(
            "Head office says that a phone has paid, but its proof does not hold: hand nothing over, and tell head office.",
        ),
        "总部称手机已付款，但付款凭证无效。请勿交货，并联系总部。",
    ),
    known_by(
        "The cloud holds another record",
        "",
        None,
        "总部的记录与本机同号记录不同：可能有两台收银机共用名称或磁盘，或磁盘曾被还原。请停止在本机销售，确认没有同名的收银机，然后重启本机（systemctl restart till）。重启后自动另立新账，店长启用之前只收现金。",
    ),
    known_by(
        "The cloud holds record",
        "which ends before it here",
        None,
        "总部已有本机没有的记录：磁盘曾从备份还原，或丢失了最后的记录。请重启本机（systemctl restart till）。重启后自动另立新账，店长启用之前只收现金。",
    ),
    known_by(
        "The cloud holds other records of this till",
        "",
        None,
        "总部已有本机同号的其他记录。请重启本机：重启后自动另立新账，店长启用之前只收现金。",
    ),
    known_by(
        "Head office cannot go on from record",
        "",
        None,
        "总部缺少较早的记录，无法继续接收，而本机已不再保留这些记录，之后的记录仍在本机。请用较新的备份恢复总部，确认没有同名的收银机，然后按立即上传。",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the way to head office says what troubles it.
    const SAID: [&str; 6] = [
        include_str!("../sync/http.rs"),
        include_str!("../sync/bundle.rs"),
        include_str!("../sync/leases.rs"),
        include_str!("../sync/orders.rs"),
        include_str!("../sync/pairing.rs"),
        include_str!("../sync/upload.rs"),
    ];

    #[test]
    fn every_trouble_is_said_of_head_office_in_both_languages() {
        for known in KNOWN {
            let begins = known.begins;
            assert!(SAID.iter().any(|said| said.contains(begins)), "nobody says {begins:?} any more");
            let words = format!("{begins} … {} …", known.has);
            let (english, chinese) = (trouble(&words, Lang::En), trouble(&words, Lang::ZhHans));
            assert!(!english.to_ascii_lowercase().contains("cloud"), "{english}");
            assert!(chinese.ends_with('。') && !chinese.contains("云端"), "{begins}: {chinese}");
        }
    }

    #[test]
    fn a_trouble_says_what_to_do_and_leaves_out_the_words_of_protocols() {
        let clock = "The cloud refuses: The request was not taken: the signature was made at 1795439228, and it is 1795436000 here: set the clock and sign again.";
        assert_eq!(trouble(clock, Lang::ZhHans), "本机时间不准，总部因此拒收，请校正时间。");
        assert!(trouble(clock, Lang::En).ends_with("set the clock."), "{}", trouble(clock, Lang::En));
        let wait = "The cloud asks to wait: The cloud's store does not answer. Try again shortly.";
        assert_eq!(trouble(wait, Lang::ZhHans), "总部要求稍后再传，收银机会自动重试。");
        let refused = "The cloud refuses: forbidden";
        assert_eq!(trouble(refused, Lang::En), "Head office does not take what this till sends: tell them.");
        let fork = "The cloud holds another record 41 of this till's journal: …";
        assert!(trouble(fork, Lang::En).starts_with("Head office holds another record 41 of"));
        // What is not known is said as it is.
        let other = "The cloud is odd, and the cloud says so. 完了";
        assert_eq!(trouble(other, Lang::ZhHans), "Head office is odd, and head office says so. 完了");
        assert_eq!(if_known("The cover is open: close it", Lang::ZhHans), None);
    }
}
