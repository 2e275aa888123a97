//! What is said while head office is silent or the clock is not believed: limits, leases, doubts.

use crate::record::moment::Doubt;

/// A refusal's Chinese, by its stable code; the English stands beside the rule.
pub(super) fn chinese(code: &str, words: &str) -> Option<&'static str> {
    if code.starts_with("limit_") && words.contains("Scan the square code") {
        return Some(
            "暂时连不上总部，数字凭证已达离线上限。请改为扫描手机上的二维码；连上总部后可再输入数字。",
        );
    }
    Some(match code {
        "limit_each" => {
            "暂时连不上总部，此券或凭证超过单张离线限额。请改用其他付款方式；连上总部后可再使用。"
        }
        "limit_value" => {
            "暂时连不上总部，加上此券，待总部确认的金额将超过上限。请改用其他付款方式；连上总部后可再使用。"
        }
        "limit_items" => {
            "暂时连不上总部，待总部确认的券和凭证数量已达上限。请改用其他付款方式；连上总部后可再使用。"
        }
        "limit_oldest" => "有券或凭证等待总部确认过久。请改用其他付款方式；连上总部后可再使用。",
        "limit_silence" => "与总部失去联系过久。请改用其他付款方式；连上总部后可再使用。",
        "clock_distrusted" => {
            "收银机时间不可信，而此码有有效期。请改用其他付款方式；总部校正时间后可再使用。"
        }
        "books_lost" => {
            "本机以前的账本已丢失，此码是否在本机用过只有总部知道。请不使用此码销售，或待网络恢复后再扫。"
        }
        "quota_spent" => "此活动分给本机的名额已用完。请不使用此券销售；总部下发新名额后可再使用。",
        _ => return None,
    })
}

/// Why the clock is not believed, for the manager.
pub(super) fn doubt(why: Doubt) -> &'static str {
    match why {
        Doubt::Jumped => {
            "时钟被改动超过一分钟：优惠券、代金券、会员码和手机订单暂停，待总部校正时间。现金和钱包照常。"
        }
        Doubt::BeforeBuild => {
            "时钟早于本程序的发布时间，电池可能没电：优惠券、代金券、会员码和手机订单暂停，待总部校正时间。现金和钱包照常。"
        }
        Doubt::BeforeBundle | Doubt::BeforeRecords => {
            "时钟落后于已有记录：优惠券、代金券、会员码和手机订单暂停，待总部校正时间。现金和钱包照常。"
        }
        Doubt::FarAhead => {
            "时钟比上次记录晚一个月以上：优惠券、代金券、会员码和手机订单暂停，待总部校正时间。现金和钱包照常。"
        }
    }
}

/// The Chinese of such a sentence.
pub(super) fn doubted(words: &str) -> Option<&'static str> {
    Doubt::ALL.into_iter().find(|why| why.words() == words).map(doubt)
}

#[cfg(test)]
mod tests {
    use crate::counter::refusal::{Refusal, Told};
    use crate::limits::{Limited, Means, Over};
    use crate::locales::{Lang, told};
    use crate::money::{Currency, Money};

    #[test]
    fn every_limit_says_in_both_languages_what_to_do() {
        let most = Money::new(50_000, Currency::CNY);
        let overs = [
            Over::Each(most),
            Over::Value(most),
            Over::Items(500),
            Over::Oldest(72 * 3600),
            Over::Silence(20 * 60),
        ];
        let limits = overs.map(|over| Refusal::Limit(Limited { means: Means::Coupon, over }));
        for refusal in limits.iter().chain([&Refusal::ClockDistrusted]) {
            let said = Told::from(refusal);
            assert!(said.words.contains("Take another means of payment; "), "{}", said.words);
            assert!(said.words.contains("can be taken again once head office "), "{}", said.words);
            let chinese = told(&said.code, &said.words, Lang::ZhHans);
            assert!(chinese.contains("请改用其他付款方式"), "{chinese}");
        }
        let typed = Refusal::Limit(Limited { means: Means::TypedProof, over: Over::Each(most) });
        let said = Told::from(&typed);
        assert!(said.words.contains("Scan the square code on the phone instead"), "{}", said.words);
        assert!(told(&said.code, &said.words, Lang::ZhHans).contains("二维码"));
        assert!(limits[3].to_string().contains("3 days"), "{}", limits[3]);
        assert!(limits[4].to_string().contains("20 minutes"), "{}", limits[4]);
    }
}
