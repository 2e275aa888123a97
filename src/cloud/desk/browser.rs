//! What a phone has the page open in, and so which wallets it can pay with.
//!
//! Inside a wallet's own browser only that wallet opens; elsewhere a wallet opens that gives out an address for
//! phones. **Invariant:** a wallet is offered only where its page or window really comes up: not to a phone in
//! WeChat whose name WeChat has not told, and not WeChat Pay elsewhere unless the merchant has that product (H5).
//!
//! Not here: opening the order (`settler`), learning the customer's name at WeChat (`wechat`).

use super::Phone;
use crate::cloud::Cloud;
use crate::record::money_moves::ProviderName;
use crate::wallet::PhoneBrowser;
use axum::http::{HeaderMap, header};
use std::net::{IpAddr, SocketAddr};

/// Whose browser it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum App {
    WeChat,
    Alipay,
    Other,
}

impl App {
    /// By what the browser says of itself: the wallets' own name themselves so.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
        if agent.contains("MicroMessenger/") {
            Self::WeChat
        } else if agent.contains("AlipayClient/") {
            Self::Alipay
        } else {
            Self::Other
        }
    }
}

impl Phone {
    /// The wallets that open for this phone, the first one for a page that names none.
    pub(super) fn wallets(&self, cloud: &Cloud) -> Vec<ProviderName> {
        let accounts = &cloud.accounts;
        let opens = |provider: &ProviderName| match (provider, self.app) {
            (ProviderName::Alipay, App::Alipay | App::Other) => true,
            (ProviderName::Wechat, App::WeChat) => accounts.openids.is_some() && self.openid.is_some(),
            (ProviderName::Wechat, App::Other) => accounts.wechat_elsewhere,
            (ProviderName::Alipay, App::WeChat)
            | (ProviderName::Wechat, App::Alipay)
            | (ProviderName::House, _) => false,
        };
        let mut wallets = vec![ProviderName::Alipay, ProviderName::Wechat];
        wallets.retain(|provider| accounts.wallets.contains_key(provider) && opens(provider));
        wallets
    }

    /// Where it opens its wallet.
    pub(super) fn browser(&self, peer: SocketAddr, headers: &HeaderMap) -> PhoneBrowser {
        match self.app {
            App::WeChat => PhoneBrowser::Wallet { payer: self.openid.clone() },
            App::Alipay => PhoneBrowser::Wallet { payer: None },
            App::Other => PhoneBrowser::Other { ip: address(peer, headers) },
        }
    }
}

/// The phone's address. A proxy on this machine or in this network says it, as the last entry of its list; what
/// stands before that anybody may have written.
fn address(peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    let is_proxy = match peer.ip() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    let told = headers.get_all("x-forwarded-for").iter().next_back();
    let told = told.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    told.filter(|_| is_proxy).unwrap_or_else(|| peer.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn with(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn wallets_name_themselves() {
        let wechat = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 MicroMessenger/8.0.49(0x28003133) WeChat/arm64";
        let alipay = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 AliApp(AP/10.5.96) AlipayClient/10.5.96";
        let plain =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1";
        for (agent, app) in [(wechat, App::WeChat), (alipay, App::Alipay), (plain, App::Other)] {
            assert_eq!(App::of(&with("user-agent", agent)), app, "{agent}");
        }
        assert_eq!(App::of(&HeaderMap::new()), App::Other);
    }

    #[test]
    fn a_proxy_nearby_is_believed_and_a_stranger_is_not() {
        let list = with("x-forwarded-for", "203.0.113.9, 198.51.100.7");
        let at = |peer: &str, headers: &HeaderMap| address(peer.parse().unwrap(), headers).to_string();
        assert_eq!(at("127.0.0.1:9", &list), "198.51.100.7");
        assert_eq!(at("192.0.2.55:9", &list), "192.0.2.55");
        assert_eq!(at("10.0.0.2:9", &with("x-forwarded-for", "nonsense")), "10.0.0.2");
        assert_eq!(at("[2001:db8::1]:9", &HeaderMap::new()), "2001:db8::1");
    }
}
